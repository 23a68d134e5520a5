//! SIGTERM while requests are under way.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use tollgate_domain::account::{CostSource, Outcome};

use super::{Gateway, Place, until};
use crate::fate::{self, Fate};
use crate::wire::{self, Got};

const SOON: Duration = Duration::from_secs(20);

fn ask(gateway: &Gateway, key: &str, fault: &str, stream: bool) -> RequestBuilder {
    gateway
        .request(Method::POST, "/v1/chat/completions", key)
        .header("X-Sandbox-Fault", fault)
        .json(&wire::body("Describe an orderly retreat", stream))
}

async fn got(request: RequestBuilder) -> Got {
    wire::send(request).await.expect("an answer")
}

#[track_caller]
fn assert_told(fates: &[Fate], got: &Got) {
    assert!(got.is_whole(), "{got:?}");
    let fate = fates.iter().find(|fate| fate.request == got.request()).expect("it is in the log");
    let settled = fate.settled();
    assert_eq!(Some(settled.charge), got.cost());
    assert_eq!((settled.source, settled.outcome), (CostSource::Upstream, Outcome::Completed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_for_open_answers_and_for_their_settlements() {
    let place = Place::new();
    let gateway = Gateway::serve(&place, &[]).await;
    let (_, key) = gateway.customer("ada", "5.00").await;

    // This client is gone, and the upstream tells what it cost only after the stop has begun.
    let late = ask(&gateway, &key, "slow-chunks=40,generation-late=4000", true);
    wire::leave_after_a_word(late).await;
    let whole = ask(&gateway, &key, "", false).header("X-Sandbox-Delay", "3000");
    let whole = tokio::spawn(got(whole));
    let stream = tokio::spawn(got(ask(&gateway, &key, "slow-chunks=50", true)));
    let pool = place.pool().await;
    let begun = async || (fate::fates(&pool).await.len() == 3).then_some(());
    until("all three begin", SOON, begun).await;
    let open = fate::fates(&pool).await.iter().filter(|fate| fate.end.is_none()).count();
    assert_eq!(open, 3, "they end too soon for this test");

    gateway.process.terminate();
    let refused = async || gateway.request(Method::GET, "/health", "").send().await.err();
    until("new connections are refused", SOON, refused).await;
    let (whole, stream) = (whole.await.expect("no panic"), stream.await.expect("no panic"));
    assert!(gateway.process.ended().await.success());

    let fates = fate::fates(&pool).await;
    pool.close().await;
    assert_told(&fates, &whole);
    assert_told(&fates, &stream);
    let settled = fates[0].settled();
    let ended = (settled.source, settled.outcome);
    assert_eq!(ended, (CostSource::GenerationRecord, Outcome::ClientLeft), "{settled:?}");
    place.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_a_stream_that_would_never_end_and_charges_what_was_generated() {
    let place = Place::new();
    let gateway = Gateway::serve(&place, &[]).await;
    let (_, key) = gateway.customer("ada", "5.00").await;
    let endless = tokio::spawn(got(ask(&gateway, &key, "endless", true)));
    let pool = place.pool().await;
    let begun = async || (fate::fates(&pool).await.len() == 1).then_some(());
    until("it begins", SOON, begun).await;
    gateway.process.terminate();
    let cut = endless.await.expect("no panic");
    assert!(!cut.is_whole() && !cut.content().is_empty());
    assert!(gateway.process.ended().await.success());
    let fates = fate::fates(&pool).await;
    pool.close().await;
    assert_eq!(fates.len(), 1);
    assert_eq!(fates[0].settled().source, CostSource::GenerationRecord);
    assert!(fates[0].charge().is_positive());
    place.audit().await;
}
