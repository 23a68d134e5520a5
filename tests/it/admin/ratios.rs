//! Sale ratios of models and accounts.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tollgate::ledger::{Actor, CommandContext};
use tollgate_domain::decimal::Ratio;
use tollgate_domain::price_book::{PRICE_BOOK, PriceBookCommand, RatioScope};

use super::{keyed, spend};
use crate::app::TestApp;

async fn set(app: &TestApp, scope: &str, subject: &str, ratio: Value) -> i64 {
    let admin = app.admin().await.token;
    let body = json!({ "scope": scope, "subject": subject, "ratio": ratio, "reason": "a test" });
    let path = "/v1/admin/prices/ratios";
    let set = app.send(Method::PUT, path, Some(&admin), Some(&body)).await.expect(200);
    set["position"].as_i64().unwrap()
}

/// What a request costs whose list cost is $0.01, once the price list in memory has the change.
async fn charge(app: &TestApp, key: &str, expected: &str) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let answer = spend(app, key, 1).await;
        let charge = answer.headers["x-tollgate-charge"].to_str().unwrap().to_owned();
        answer.expect(200);
        if charge == expected {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{charge} instead of {expected}");
    }
}

#[tokio::test]
async fn the_account_s_ratio_counts_before_the_model_s_and_that_before_the_default() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    let (_, other) = app.paying_customer("bob").await;
    charge(&app, &key, "0.008").await;
    set(&app, "model", "openai/gpt-4o", json!("0.9")).await;
    charge(&app, &key, "0.009").await;
    set(&app, "account", &ada.account, json!("0.5")).await;
    charge(&app, &key, "0.005").await;
    charge(&app, &other, "0.009").await;
    // Another model has no ratio of its own.
    let listed = app.get("/v1/models/openai/gpt-4o-mini", &other).await.expect(200);
    assert_eq!(listed["pricing"]["prompt"], "0.00000012");
    set(&app, "account", &ada.account, Value::Null).await;
    charge(&app, &key, "0.009").await;
    set(&app, "model", "openai/gpt-4o", Value::Null).await;
    charge(&app, &key, "0.008").await;
    app.audit().await;
}

#[tokio::test]
async fn ratios_are_listed_and_their_history_says_who_and_why() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let (admin, auditor) = (app.admin().await.token, app.auditor().await.token);
    set(&app, "model", "openai/gpt-4o", json!("0.90")).await;
    set(&app, "account", &ada.account, json!("0.5")).await;
    let position = set(&app, "model", "openai/gpt-4o", Value::Null).await;
    let listed = app.get("/v1/admin/prices/ratios?limit=1", &admin).await.expect(200);
    let only =
        json!([{ "scope": "account", "subject": ada.account, "customer": "ada", "ratio": "0.5" }]);
    assert_eq!((&listed["data"], &listed["next_cursor"]), (&only, &Value::Null));

    let path = format!("/v1/admin/prices/history?kind=ratio_set&at_least={position}");
    let history = app.get(&path, &admin).await.expect(200);
    let told: Vec<_> = history["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| {
            (change["scope"].as_str().unwrap(), change["ratio"].as_str(), change["reason"].as_str())
        })
        .collect();
    let expected = [
        ("model", None, Some("a test")),
        ("account", Some("0.5"), Some("a test")),
        ("model", Some("0.9"), Some("a test")),
        ("default", Some("0.8"), None),
    ];
    assert_eq!(told, expected);
    let path = "/v1/admin/prices/history?subject=openai/gpt-4o&kind=model_priced";
    let priced = app.get(path, &auditor).await.expect(200);
    assert_eq!(priced["data"][0]["prompt_usd"], "0.0000025");
    app.audit().await;
}

#[tokio::test]
async fn a_ratio_for_nothing_or_of_nothing_is_refused() {
    let app = TestApp::start().await;
    let admin = app.admin().await.token;
    let path = "/v1/admin/prices/ratios";
    let body = |scope: &str, subject: &str, ratio: &str| json!({ "scope": scope, "subject": subject, "ratio": ratio, "reason": "x" });
    let send = async |body: &Value| app.send(Method::PUT, path, Some(&admin), Some(body)).await;
    send(&body("model", "openai/gpt-40", "0.9")).await.expect_problem(404, "model_not_found");
    let nobody = "acct_01k2h3j4k5m6n7p8q9r0s1t2v3";
    send(&body("account", nobody, "0.9")).await.expect_problem(404, "not_found");
    for ratio in ["0", "-1", "101", "free"] {
        let refused = send(&body("model", "openai/gpt-4o", ratio)).await;
        refused.expect_problem(400, "invalid_request");
    }
    send(&body("everything", "x", "1")).await.expect_problem(400, "invalid_request");
    let good = body("model", "openai/gpt-4o", "0.9");
    keyed(&app, Method::PUT, path, &admin, "p1", &good).await.expect(200);
    let again = keyed(&app, Method::PUT, path, &admin, "p1", &good).await.expect(200);
    assert_eq!(again["replayed"], true);
    app.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_read_the_prices_earlier_does_not_put_old_ones_back() {
    let app = TestApp::start().await;
    let state = app.state();
    let owner = app.owner_pool().await;
    let mini = "openai/gpt-4o-mini";
    for round in 1..=20 {
        // What is read of the price book is old by the time the catalogue can be read.
        let mut held = owner.begin().await.expect("a transaction");
        let lock = "LOCK TABLE catalogue IN ACCESS EXCLUSIVE MODE";
        sqlx::query(lock).execute(&mut *held).await.expect("the lock");
        let read = || {
            let (prices, ledger) = (state.gateway.prices().clone(), state.ledger.clone());
            let pool = state.database.pool().clone();
            tokio::spawn(async move { prices.refresh(&ledger, &pool).await })
        };
        let early = read();
        let waits = "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
                     WHERE c.relname = 'catalogue' AND NOT l.granted";
        while sqlx::query_scalar::<_, i64>(waits).fetch_one(&owner).await.expect("a count") == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let ratio = format!("0.{}", 100 + round);
        let scope = RatioScope::Model(mini.to_owned());
        let command = PriceBookCommand::SetSaleRatio {
            scope,
            ratio: Ratio::parse(&ratio).ok(),
            reason: None,
        };
        let by = CommandContext::by(Actor::System("test"));
        state.ledger.prices.execute(PRICE_BOOK, command, &by, None).await.expect("a ratio");
        let late = read();
        held.rollback().await.expect("the end of the lock");
        for reading in [early, late] {
            reading.await.expect("no panic").expect("prices");
        }
        let nobody = tollgate_domain::ids::AccountId::from_uuid(uuid::Uuid::nil());
        let known = state.gateway.prices().current().book.sale_ratio(nobody, None, mini);
        assert_eq!(known, Ratio::parse(&ratio).ok());
    }
    app.audit().await;
}
