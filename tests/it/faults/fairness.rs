//! Each way in which a request goes wrong under each treatment of the fairness policy.

use rust_decimal::Decimal;
use serde_json::{Value, json};
use tollgate_domain::Money;
use tollgate_domain::account::{CostSource, ReleaseReason};
use tollgate_domain::fairness::{Mishap, Ruling, Treatment};

use super::{Desk, LONG};
use crate::app::{Person, TestApp};
use crate::fate::{self, End, Fate};
use crate::wire;

/// A fault of the upstream, whether the answer is streamed, and what the policy calls it. All of
/// them are billed by the upstream.
const MISHAPS: [(&str, bool, Mishap); 10] = [
    ("midstream-error-billed", true, Mishap::ErrorWithUsage),
    ("midstream-error-billed", false, Mishap::ErrorWithUsage),
    ("midstream-error-nousage", true, Mishap::ErrorWithoutUsage),
    ("missing-usage", true, Mishap::UsageMissing),
    ("missing-usage", false, Mishap::UsageMissing),
    ("garbled-usage", true, Mishap::MalformedStream),
    ("drop", true, Mishap::StreamBroke),
    ("drop", false, Mishap::AnswerBroke),
    ("malformed-sse", false, Mishap::AnswerBroke),
    ("billed-error", true, Mishap::ErrorUnder200),
];

impl Desk {
    async fn policy(&self, policy: &Value) -> u64 {
        set_policy(&self.app, &self.app.admin().await, policy).await
    }

    /// What became of each mishap, the client that leaves among them.
    async fn everything_goes_wrong(&self) -> Vec<(Mishap, Fate)> {
        let mut fates = Vec::new();
        for (fault, stream, mishap) in MISHAPS {
            let got = self.ask(fault, stream).await;
            let fate = self.fate_of(&got).await;
            if let (Some(shown), false) = (got.cost(), got.error().is_none()) {
                assert_eq!(shown, fate.charge(), "{fault}: the client was told another charge");
            }
            fates.push((mishap, fate));
        }
        wire::leave_after_a_word(self.request("slow-chunks=40", true)).await;
        let left = fate::all_ended(self.pool(), LONG).await.pop().expect("the last one");
        fates.push((Mishap::ClientLeft, left));
        fates
    }
}

/// Sets a policy and waits until requests begin with it. Returns its version.
async fn set_policy(app: &TestApp, admin: &Person, policy: &Value) -> u64 {
    let path = "/v1/admin/fairness-policy";
    app.send(reqwest::Method::PUT, path, Some(&admin.token), Some(policy)).await.expect(200);
    let shown = app.get(path, &admin.token).await.expect(200);
    let version = shown["version"].as_u64().expect("a version");
    let current = || app.state().gateway.prices().current().book.fairness().version;
    let deadline = std::time::Instant::now() + LONG;
    while current() < version {
        assert!(std::time::Instant::now() < deadline, "the policy is not taken up");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    version
}

fn usd(value: &Value) -> Decimal {
    Decimal::from_str_exact(value.as_str().expect("text")).expect("a decimal")
}

/// The profit report and the master account show what the events say, to the last digit.
async fn assert_reported(desk: &Desk, fates: &[Fate]) {
    let waived: Decimal = fates.iter().filter_map(|f| f.waived).map(|w| w.cost.decimal()).sum();
    let list: Decimal = fates.iter().filter_map(|f| f.waived).map(|w| w.list_cost.decimal()).sum();
    desk.app.settled().await;
    let admin = desk.app.admin().await;
    for group in ["day", "model", "account", "master_account"] {
        let path = format!("/v1/admin/profit?group_by={group}");
        let report = desk.app.get(&path, &admin.token).await.expect(200);
        let sum = |name: &str| -> Decimal {
            let lines = report["data"].as_array().expect("lines").iter();
            lines.map(|line| usd(&line[name])).sum()
        };
        assert_eq!(sum("waived_usd"), waived, "by {group}");
        assert_eq!(sum("waived_list_cost_usd"), list.round_dp(12), "by {group}");
        let margin = sum("charge_usd") - sum("cost_usd") - waived;
        assert_eq!(sum("margin_usd"), margin, "by {group}");
    }
    let credits = desk.app.get("/v1/admin/master-accounts", &admin.token).await.expect(200);
    let accounts = credits["data"].as_array().expect("accounts").iter();
    assert_eq!(accounts.map(|account| usd(&account["waived_usd"])).sum::<Decimal>(), waived);
}

async fn all(desk: &Desk) -> Vec<Fate> {
    fate::all_ended(desk.pool(), LONG).await
}

#[tokio::test]
async fn by_default_the_customer_pays_what_the_upstream_billed() {
    let desk = Desk::open().await;
    for (mishap, fate) in desk.everything_goes_wrong().await {
        let (treatment, policy_version) = (Treatment::ChargeBilled, 0);
        assert_eq!(fate.ruling, Some(Ruling { mishap, treatment, policy_version }), "{fate:?}");
        assert!(fate.charge().is_positive(), "{mishap:?}: {fate:?}");
        assert_eq!(fate.waived, None, "{mishap:?}");
    }
    let fates = all(&desk).await;
    assert_reported(&desk, &fates).await;
    desk.close().await;
}

#[tokio::test]
async fn what_is_waived_costs_the_customer_nothing_and_is_the_operators_cost() {
    let desk = Desk::open().await;
    let version = desk.policy(&json!({ "everything": "waive" })).await;
    assert_eq!(version, 1);
    for (mishap, fate) in desk.everything_goes_wrong().await {
        let treatment = Treatment::Waive;
        assert_eq!(fate.ruling, Some(Ruling { mishap, treatment, policy_version: 1 }));
        assert_eq!(fate.end, Some(End::Released(ReleaseReason::Waived)), "{mishap:?}");
        let waived = fate.waived.unwrap_or_else(|| panic!("{mishap:?}: nothing is booked"));
        assert!(waived.cost.is_positive(), "{mishap:?}");
    }
    // What does not go wrong is charged as ever.
    let well = desk.ask("", true).await;
    let fate = desk.fate_of(&well).await;
    assert_eq!((fate.ruling, Some(fate.charge())), (None, well.cost()));
    let fates = all(&desk).await;
    assert_reported(&desk, &fates).await;
    desk.close().await;
}

#[tokio::test]
async fn delivered_tokens_are_charged_and_the_rest_of_the_bill_is_the_operators() {
    let desk = Desk::open().await;
    desk.policy(&json!({ "everything": "charge_delivered" })).await;
    for (mishap, fate) in desk.everything_goes_wrong().await {
        assert_eq!(fate.ruling.map(|ruling| ruling.mishap), Some(mishap));
        let waived = fate.waived.map(|waived| waived.list_cost);
        match mishap {
            // The client has got an error and no answer.
            Mishap::AnswerBroke | Mishap::ErrorUnder200 => {
                assert_eq!(fate.end, Some(End::Released(ReleaseReason::Waived)), "{mishap:?}");
                assert!(waived.is_some(), "{mishap:?}");
            }
            // Half the answer came, and all of it was billed.
            Mishap::ErrorWithUsage if fate.settled().streamed => {
                assert!(fate.charge().is_positive() && waived.is_some(), "{fate:?}");
            }
            _ => assert!(fate.charge().is_positive(), "{mishap:?}: {fate:?}"),
        }
    }
    let fates = all(&desk).await;
    assert_reported(&desk, &fates).await;
    desk.close().await;
}

#[tokio::test]
async fn each_case_may_be_treated_on_its_own_and_the_record_names_the_version() {
    let desk = Desk::open().await;
    let waived = json!({ "everything": "charge_billed", "cases": { "stream_broke": "waive" } });
    let version = desk.policy(&waived).await;
    let broke = desk.ask("drop", true).await;
    let broke = desk.fate_of(&broke).await;
    assert_eq!(broke.end, Some(End::Released(ReleaseReason::Waived)));
    assert_eq!(broke.ruling.map(|ruling| ruling.policy_version), Some(version));
    let missing = desk.ask("missing-usage", true).await;
    assert!(desk.fate_of(&missing).await.charge().is_positive());

    desk.app.settled().await;
    let rows = desk.app.get("/v1/client/recent-requests", &desk.customer.token).await.expect(200);
    let row = &rows["data"][1];
    assert_eq!((&row["mishap"], &row["treatment"]), (&"stream_broke".into(), &"waive".into()));
    let admin = desk.app.admin().await;
    let rows = desk.app.get("/v1/admin/logs", &admin.token).await.expect(200);
    let row = &rows["data"][1];
    assert_eq!(row["policy_version"].as_u64(), Some(version));
    let waived = broke.waived.expect("a bill");
    assert_eq!(usd(&row["waived_usd"]), waived.cost.decimal());
    desk.close().await;
}

#[tokio::test]
async fn the_policy_is_the_admins_and_makes_sense() {
    let app = TestApp::start().await;
    let (admin, auditor) = (app.admin().await, app.auditor().await);
    let path = "/v1/admin/fairness-policy";
    let shown = app.get(path, &auditor.token).await.expect(200);
    assert_eq!((&shown["version"], &shown["everything"]), (&0.into(), &"charge_billed".into()));
    assert_eq!(shown["cases"].as_object().expect("cases").len(), Mishap::ALL.len());
    let put = async |who: &Person, body: &Value| {
        app.send(reqwest::Method::PUT, path, Some(&who.token), Some(body)).await
    };
    let policy = json!({ "everything": "charge_billed", "cases": { "client_left": "waive" } });
    put(&auditor, &policy).await.expect_problem(403, "forbidden");
    let first = put(&admin, &policy).await.expect(200)["position"].clone();
    let again = put(&admin, &policy).await.expect(200)["position"].clone();
    assert!(first.is_i64() && again.is_i64());
    assert_eq!(app.get(path, &admin.token).await.expect(200)["version"], 1, "set twice, one event");
    for wrong in [
        json!({}),
        json!({ "everything": "give_away" }),
        json!({ "everything": "waive", "cases": { "bad_weather": "waive" } }),
        json!({ "everything": "waive", "cases": [] }),
        json!({ "everything": "waive", "more": 1 }),
    ] {
        let refused = put(&admin, &wrong).await;
        assert!((400..=422).contains(&refused.status.as_u16()), "{wrong}: {}", refused.text);
    }
    assert_eq!(app.get(path, &admin.token).await.expect(200)["version"], 1);
    app.audit().await;
}

#[tokio::test]
async fn an_estimate_is_bounded_marked_and_corrected_when_the_truth_comes() {
    let desk = Desk::open_with(|config| {
        config.recovery.patience = std::time::Duration::from_secs(1);
        config.recovery.look = std::time::Duration::from_secs(1);
    })
    .await;
    let healthy = desk.ask("", true).await.cost().expect("a cost");
    let got = desk.ask("missing-usage,generation-late=4000", true).await;
    let estimated = desk.fate_of(&got).await;
    let settled = estimated.settled();
    assert_eq!(settled.source, CostSource::Estimate);
    assert!(settled.usage.output <= 400, "more than max_tokens: {settled:?}");
    desk.app.caught_up().await;
    let shown = desk.app.get("/v1/client/recent-requests", &desk.customer.token).await.expect(200);
    assert_eq!(shown["data"][0]["estimated"], true);

    let id = got.request().to_owned();
    let fate = desk.fate(|fate| fate.request == id && fate.corrected.is_some()).await;
    let corrected = fate.corrected.as_ref().expect("the truth");
    assert_eq!((corrected.source, corrected.to.charge), (CostSource::GenerationRecord, healthy));
    assert_eq!(corrected.from.charge, settled.charge);
    desk.app.caught_up().await;
    let shown = desk.app.get("/v1/client/recent-requests", &desk.customer.token).await.expect(200);
    let row = &shown["data"][0];
    assert_eq!((&row["state"], &row["request_id"]), (&"corrected".into(), &id.into()));
    assert_eq!(usd(&row["charge_usd"]), healthy.decimal());
    assert_eq!(usd(&row["charge_before_usd"]), settled.charge.decimal());
    desk.close().await;
}

#[tokio::test]
async fn a_bill_that_comes_after_a_release_is_the_operators_and_not_the_customers() {
    let desk = Desk::open_with(|config| {
        config.recovery.patience = std::time::Duration::from_secs(1);
        config.recovery.look = std::time::Duration::from_secs(1);
    })
    .await;
    let got = desk.ask("drop,generation-late=4000", false).await;
    assert_eq!(got.status, 502, "{}", got.text);
    let fate = desk.fate_of(&got).await;
    assert!(matches!(fate.end, Some(End::Released(_))), "{fate:?}");
    let id = got.request().to_owned();
    let fate = desk.fate(|fate| fate.request == id && fate.late.is_some()).await;
    assert_eq!(fate.charge(), Money::ZERO);
    assert!(fate.waived.is_some_and(|waived| waived.cost.is_positive()), "{fate:?}");
    let fates = all(&desk).await;
    assert_reported(&desk, &fates).await;
    desk.close().await;
}
