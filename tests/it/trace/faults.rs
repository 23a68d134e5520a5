//! The same demand while every tenth request meets one of the sandbox's faults, or a client that
//! leaves: whatever happens to a request, the books know what it cost and whom.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rust_decimal::Decimal;
use serde_json::json;
use tollgate_domain::Money;

use super::{assert_charged_as_told, customers, replay, request, rows, spent};
use crate::app::TestApp;
use crate::fate::{self, End, Fate};
use crate::wire::{self, Got};

const SPEED: u32 = 50;
/// Every so many rows one goes wrong.
const EVERY: usize = 10;
/// What the sandbox can do wrong; the empty one is a client that leaves.
const FAULTS: [&str; 31] = [
    "",
    "status=400",
    "status=402",
    "status=429",
    "status=500",
    "status=503,retry-after=1",
    "slow-first-token=300",
    "slow-chunks=2",
    "midstream-error",
    "midstream-error-nousage",
    "midstream-error-billed",
    "missing-usage",
    "missing-usage,generation-late=500",
    "missing-usage,generation-never",
    "missing-usage,no-generation-id",
    "usage-twice",
    "no-done",
    "drop",
    "drop-before-headers",
    "padded-error",
    "billed-error",
    "garbled-usage",
    "stall",
    "finish-error",
    "wrong-content-type",
    "malformed-sse",
    "endless,slow-chunks=20",
    "wrong-cost=0.0123",
    "negative-cost",
    "missing-cost",
    "null-cost,generation-never",
];

fn fault(at: usize) -> Option<&'static str> {
    (at % EVERY == EVERY / 2).then(|| FAULTS[at / EVERY % FAULTS.len()])
}

async fn app() -> Arc<TestApp> {
    let app = TestApp::start_with(|config| {
        config.recovery.patience = Duration::from_secs(4);
        config.upstream_timeouts.idle = Duration::from_secs(15);
        config.upstream_timeouts.total = Duration::from_secs(40);
    })
    .await;
    let policy = json!({
        "everything": "charge_billed",
        "cases": {
            "error_with_usage": "charge_delivered",
            "stream_broke": "waive",
            "answer_broke": "waive",
        },
    });
    let admin = app.admin().await;
    let path = "/v1/admin/fairness-policy";
    app.send(reqwest::Method::PUT, path, Some(&admin.token), Some(&policy)).await.expect(200);
    let prices = || app.state().gateway.prices().current();
    while prices().book.fairness().version == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Arc::new(app)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_with_every_fault_in_it_is_charged_to_the_last_digit() {
    let rows = rows(SPEED);
    let app = app().await;
    let (people, keys) = customers(&app).await;
    let answers = replay(&rows, |at, row| {
        let request = request(&app, &keys, at, row);
        async move {
            match fault(at) {
                // It leaves at the first words, or before an answer that comes whole.
                Some("") => leave(request.header("X-Sandbox-Fault", "slow-chunks=40")).await,
                Some(fault) => {
                    Some(wire::send(request.header("X-Sandbox-Fault", fault)).await.ok()?)
                }
                None => Some(wire::send(request).await.expect("an answer")),
            }
        }
    })
    .await;
    let pool = app.state().database.pool().clone();
    let fates = fate::all_ended(&pool, Duration::from_secs(120)).await;
    assert!(fates.len() > rows.len() * 9 / 10, "{} requests", fates.len());
    let by_request: BTreeMap<&str, &Fate> =
        fates.iter().map(|fate| (fate.request.as_str(), fate)).collect();
    for (at, answer) in answers.iter().enumerate() {
        let (Some(got), wrong) = (answer, fault(at)) else { continue };
        match (wrong, by_request.get(got.request())) {
            (None, fate) => {
                assert!(got.is_whole(), "{}: {}", got.status, got.text);
                assert_charged_as_told(&app, rows[at], got, fate.expect("it was sold"));
            }
            (Some(fault), Some(fate)) => assert_told(fault, got, fate),
            (Some(fault), None) => panic!("{fault}: not in the books: {}", got.text),
        }
    }
    // Each was given its end by the request itself, and none by the clock.
    let late = fates.iter().filter(|fate| matches!(fate.end, Some(End::Expired))).count();
    assert_eq!(late, 0, "reservations outlived their time");
    let charged = fate::sum(fates.iter().map(Fate::charge));
    assert_eq!(charged, spent(&app, &people).await);
    assert_waived_is_reported(&app, &fates).await;
    drop(pool);
    Arc::into_inner(app).expect("the replay has ended").audit().await;
}

/// A client that goes away when it has seen something, or has waited for half a second.
async fn leave(request: reqwest::RequestBuilder) -> Option<Got> {
    let seen = async {
        let mut response = request.send().await.ok()?;
        response.chunk().await.ok()?
    };
    let _ = tokio::time::timeout(Duration::from_millis(500), seen).await;
    None
}

/// Whoever was told a cost was charged just that.
#[track_caller]
fn assert_told(fault: &str, got: &Got, fate: &Fate) {
    if let Some(told) = got.cost() {
        assert_eq!(told, fate.charge(), "{fault}: {fate:?}");
    }
    if got.status != 200 && fate.ruling.is_none() {
        assert_eq!(fate.charge(), Money::ZERO, "{fault}: {fate:?}");
    }
}

/// What the policy cost the operator: the sum of its events is the line of the profit report.
async fn assert_waived_is_reported(app: &TestApp, fates: &[Fate]) {
    let waived: Decimal =
        fates.iter().filter_map(|fate| fate.waived).map(|waived| waived.cost.decimal()).sum();
    assert!(waived > Decimal::ZERO);
    let admin = app.admin().await;
    let report = app.get("/v1/admin/profit?group_by=day", &admin.token).await.expect(200);
    let days = report["data"].as_array().expect("days").iter();
    let usd = |text: &serde_json::Value| -> Decimal {
        Decimal::from_str_exact(text.as_str().expect("text")).expect("a decimal")
    };
    assert_eq!(days.map(|day| usd(&day["waived_usd"])).sum::<Decimal>(), waived);
}
