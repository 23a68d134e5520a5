//! A node that is killed, or silent for a while, in the middle of a request: another node gives the
//! request its end, within a minute and once.

use std::time::{Duration, Instant};

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tollgate_domain::account::CostSource;
use tollgate_projections::queries::explain;

use super::{Gateway, Place, Process, signal, until};
use crate::fate::{self, End, Fate};
use crate::wire::{self, MODEL};

const MINUTE: Duration = Duration::from_secs(60);

/// Two gateways on one database, of which the first cares for it, and an upstream of their own.
struct Scene {
    place: Place,
    _sandbox: Process,
    first: Gateway,
    second: Gateway,
    key: String,
    /// What the first gateway was started with.
    variables: Vec<(String, String)>,
}

impl Scene {
    async fn set(more: &[(&str, &str)]) -> Self {
        let place = Place::new();
        let arguments = ["sandbox", "--listen", "127.0.0.1:0"];
        let mut sandbox = Process::spawn(place.path(), &arguments, &[]);
        let upstream = sandbox.said("upstream listens on ").await;
        let mut variables = vec![
            ("OPENROUTER_BASE_URL", upstream.as_str()),
            ("OPENROUTER_MASTER_KEYS", "sk-or-test"),
        ];
        variables.extend(more);
        let first = Gateway::serve(&place, &variables).await;
        let of_first = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let of_first = of_first.collect();
        let socket = place.postgres().await.server_options();
        let beside = place.variables_beside(socket.get_socket().expect("it has one")).await;
        variables.extend(beside.iter().map(|(name, value)| (*name, value.as_str())));
        let second = Gateway::serve(&place, &variables).await;
        let (_, key) = first.customer("ada", "10").await;
        Self { place, _sandbox: sandbox, first, second, key, variables: of_first }
    }

    fn ask(&self, gateway: &Gateway, body: &Value) -> RequestBuilder {
        let request = gateway.request(reqwest::Method::POST, "/v1/chat/completions", &self.key);
        request.header("Idempotency-Key", "once").json(body)
    }

    /// Lets the first gateway begin a stream, and waits until its handle is stored.
    async fn begin(&self, body: &Value) -> reqwest::Response {
        let mut response = self.ask(&self.first, body).send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        response.chunk().await.expect("a piece").expect("it has begun");
        let pool = self.place.pool().await;
        until("the handle", MINUTE, async || {
            let count: i64 = sqlx::query_scalar("SELECT count(*) FROM generations")
                .fetch_one(&pool)
                .await
                .expect("it can be read");
            (count > 0).then_some(())
        })
        .await;
        pool.close().await;
        response
    }

    /// The request's end, when it has come.
    async fn ended(&self) -> Fate {
        let pool = self.place.pool().await;
        let fate = until("recovery", MINUTE, async || {
            fate::fates(&pool).await.pop().filter(|fate| fate.end.is_some())
        });
        let fate = fate.await;
        pool.close().await;
        fate
    }

    /// What the customer has left.
    async fn assert_charged_once(&self) {
        let pool = self.place.pool().await;
        let fates = fate::all_ended(&pool, MINUTE).await;
        assert_eq!(fates.len(), 1, "the key was used for one request");
        let (account, charge) = (&fates[0].account, fates[0].charge());
        assert!(charge.is_positive(), "{:?}", fates[0]);
        until("the read model", MINUTE, async || {
            let found = tollgate_projections::queries::balance(&pool, account.parse().ok()?).await;
            let found = found.ok()?.data?;
            (found.spent == charge.decimal() && found.reserved.is_zero()).then_some(())
        })
        .await;
        // The customer finds it under the `x-request-id` of the answer, whoever ended it.
        until("the request's row", MINUTE, async || {
            let of = account.parse().ok()?;
            let known = explain(&pool, Some(of), &fates[0].request).await.ok()?.data?;
            assert_eq!(known.last().request_id.as_ref(), Some(&fates[0].request));
            Some(())
        })
        .await;
        pool.close().await;
    }
}

fn slow(millis: u32) -> Value {
    json!({
        "model": MODEL, "stream": true, "max_tokens": 200,
        "messages": [{ "role": "user", "content": "Describe double-entry bookkeeping" }],
        "sandbox": { "fault": format!("slow-chunks={millis}") },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_node_left_is_ended_by_another_within_a_minute() {
    let mut scene = Scene::set(&[]).await;
    let body = slow(100);
    let answer = scene.begin(&body).await;
    scene.first.process.stop_at_once();
    let killed = Instant::now();
    drop(answer);
    let fate = scene.ended().await;
    let took = killed.elapsed();
    println!("ended {took:?} after the kill, with the times that are the default");
    assert_eq!(fate.ended_by, "system:recovery");
    let settled = fate.settled();
    assert_eq!(settled.source, CostSource::GenerationRecord, "{settled:?}");
    assert!(took < MINUTE);
    // The customer may ask again, and pays nothing more.
    let again = wire::send(scene.ask(&scene.second, &body)).await.expect("an answer");
    let error = again.error().expect("the answer went with its node");
    assert_eq!((again.status, &error["code"]), (409, &json!("answer_not_kept")));
    assert_eq!(error["metadata"]["charge_usd"], json!(settled.charge.to_string()));
    scene.assert_charged_once().await;
    scene.second.process.terminate();
    assert!(scene.second.process.ended().await.success());
    scene.place.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_only_silent_charges_nothing_twice() {
    let times = [("RECOVERY_GONE_SECONDS", "3"), ("RECOVERY_LOOK_SECONDS", "1")];
    let scene = Scene::set(&times).await;
    let answer = scene.begin(&slow(60)).await;
    let first = scene.first.process.child.id();
    signal("STOP", first);
    let fate = scene.ended().await;
    assert_eq!(fate.ended_by, "system:recovery");
    assert!(matches!(fate.end, Some(End::Settled(_) | End::Released(_))), "{fate:?}");
    signal("CONT", first);
    // It goes on where it was, and its client gets all of the answer.
    let rest = answer.text().await.expect("the rest");
    assert!(rest.ends_with("data: [DONE]\n\n"), "{rest}");
    scene.assert_charged_once().await;
    for gateway in [scene.second, scene.first] {
        gateway.process.terminate();
        assert!(gateway.process.ended().await.success());
    }
    scene.place.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fallback_that_answered_is_recovered_under_its_own_name() {
    const ANSWERS: &str = "anthropic/claude-haiku-4.5";
    let times = [("RECOVERY_GONE_SECONDS", "3"), ("RECOVERY_LOOK_SECONDS", "1")];
    let mut scene = Scene::set(&times).await;
    let mut body = slow(100);
    body["model"] = json!(format!("{MODEL}@fault-status=503"));
    body["models"] = json!([ANSWERS]);
    let answer = scene.begin(&body).await;
    scene.first.process.stop_at_once();
    drop(answer);
    let fate = scene.ended().await;
    let settled = fate.settled();
    assert_eq!((settled.model.as_str(), settled.answered_model.as_deref()), (MODEL, Some(ANSWERS)));
    scene.second.process.terminate();
    assert!(scene.second.process.ended().await.success());
    scene.place.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_estimate_is_corrected_after_a_restart() {
    let times = [
        ("RECOVERY_PATIENCE_SECONDS", "1"),
        ("RECOVERY_GONE_SECONDS", "3"),
        ("RECOVERY_LOOK_SECONDS", "1"),
    ];
    let scene = Scene::set(&times).await;
    // Its bill comes with no usage, and the upstream's record of it only after eight seconds.
    let body = json!({
        "model": MODEL, "stream": true, "max_tokens": 200,
        "messages": [{ "role": "user", "content": "Describe double-entry bookkeeping" }],
        "sandbox": { "fault": "missing-usage,generation-late=8000" },
    });
    let got = wire::send(scene.ask(&scene.first, &body)).await.expect("an answer");
    assert_eq!(got.status, 200, "{}", got.text);
    let estimate = scene.ended().await;
    assert_eq!(estimate.settled().source, CostSource::Estimate);
    scene.first.process.kill();
    scene.second.process.kill();
    let variables: Vec<_> =
        scene.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let again = Gateway::serve(&scene.place, &variables).await;
    let pool = scene.place.pool().await;
    let corrected = until("the correction", MINUTE, async || {
        fate::fates(&pool).await.pop().and_then(|fate| fate.corrected)
    });
    let corrected = corrected.await;
    pool.close().await;
    assert_eq!(corrected.from.charge, estimate.settled().charge);
    assert_ne!(corrected.to.charge, corrected.from.charge);
    again.process.terminate();
    assert!(again.process.ended().await.success());
    scene.place.audit().await;
}
