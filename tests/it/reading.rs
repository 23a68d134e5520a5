//! Read your writes, pages, health.

use reqwest::Method;
use serde_json::json;

use crate::app::TestApp;

#[tokio::test]
async fn a_reader_sees_what_it_wrote_when_it_asks_for_the_position() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    for round in 1..=5 {
        let position = app.top_up(&ada, "1.00").await;
        let path = format!("/v1/client/balance?at_least={position}");
        let balance = app.get(&path, &ada.token).await.expect(200);
        assert_eq!(balance["balance_usd"], round.to_string());
        assert!(balance["as_of_position"].as_i64().unwrap() >= position);
    }
    app.audit().await;
}

#[tokio::test]
async fn a_position_that_does_not_exist_is_not_waited_for_for_ever() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let answer = app.get("/v1/client/balance?at_least=1000000", &ada.token).await;
    answer.expect_problem(503, "not_yet_visible");
    assert_eq!(answer.headers["retry-after"], "1");
    let answer = app.get("/v1/client/balance?at_least=soon", &ada.token).await;
    answer.expect_problem(400, "invalid_request");
    app.audit().await;
}

#[tokio::test]
async fn pages_follow_one_another_without_gaps_and_end() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let mut issued = vec![];
    for _ in 0..5 {
        issued.push(app.issue_key(&ada).await.0);
    }
    issued.reverse();
    let mut seen = vec![];
    let mut path = "/v1/auth/api-keys?limit=2".to_owned();
    loop {
        let page = app.get(&path, &ada.token).await.expect(200);
        let ids = page["data"].as_array().unwrap().iter();
        seen.extend(ids.map(|key| key["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/auth/api-keys?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, issued);
    for wrong in ["limit=0", "limit=201", "limit=many", "cursor=x"] {
        let answer = app.get(&format!("/v1/auth/api-keys?{wrong}"), &ada.token).await;
        answer.expect_problem(400, "invalid_request");
    }
    app.audit().await;
}

#[tokio::test]
async fn clients_and_logs_are_paged_too() {
    let app = TestApp::start().await;
    let (_, key) = app.paying_customer("ada").await;
    app.customer("bob").await;
    for _ in 0..3 {
        app.chat(&key, "hello").await.expect(200);
    }
    let admin = app.admin().await;
    app.settled().await;
    for (path, whole) in [("/v1/admin/clients", 3), ("/v1/admin/logs", 3)] {
        let mut count = 0;
        let mut next = format!("{path}?limit=2");
        loop {
            let page = app.get(&next, &admin.token).await.expect(200);
            count += page["data"].as_array().unwrap().len();
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            next = format!("{path}?limit=2&cursor={cursor}");
        }
        assert_eq!(count, whole, "{path}");
    }
    app.audit().await;
}

#[tokio::test]
async fn health_says_that_the_log_is_durable_and_protected() {
    let app = TestApp::start().await;
    app.caught_up().await;
    for path in ["/health", "/v1/health"] {
        let health = app.send(Method::GET, path, None, None).await.expect(200);
        assert_eq!(health["status"], "ok", "{health}");
        assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
        let database = &health["database"];
        for member in
            ["reachable", "fsync", "full_page_writes", "append_only_trigger", "append_only_rights"]
        {
            assert_eq!(database[member], true, "{member}");
        }
        assert_eq!(health["projections"]["behind"], 0);
        assert!(health["ledger_head"].as_i64().unwrap() > 0);
    }
    app.audit().await;
}

#[tokio::test]
async fn usage_and_profit_add_up_to_the_charges() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    for _ in 0..2 {
        app.chat(&key, "hello").await.expect(200);
    }
    let admin = app.admin().await;
    app.settled().await;
    let usage = app.get("/v1/client/usage", &ada.token).await.expect(200);
    let balance = app.get("/v1/client/balance", &ada.token).await.expect(200);
    assert_eq!(usage["requests"], 2);
    assert_eq!(usage["charge_usd"], balance["lifetime_spent_usd"]);
    for path in ["/v1/client/usage/daily", "/v1/client/models/usage"] {
        let list = app.get(path, &ada.token).await.expect(200);
        assert_eq!(list["data"].as_array().unwrap().len(), 1, "{path}");
        assert_eq!(list["data"][0]["charge_usd"], usage["charge_usd"], "{path}");
    }
    let stats = app.get("/v1/admin/stats", &admin.token).await.expect(200);
    for group in ["day", "model", "account", "master_account"] {
        let path = format!("/v1/admin/profit?group_by={group}");
        let report = app.get(&path, &admin.token).await.expect(200);
        let line = &report["data"][0];
        assert_eq!(line["charge_usd"], stats["charge_usd"], "{group}");
        assert_eq!(line["margin_usd"], stats["margin_usd"], "{group}");
    }
    let wrong = "/v1/admin/profit?group_by=weather";
    app.get(wrong, &admin.token).await.expect_problem(400, "invalid_request");
    let body = json!({ "default_sale_ratio": "0.9" });
    let put = app.send(Method::PUT, "/v1/admin/prices", Some(&admin.token), Some(&body)).await;
    put.expect(200);
    app.audit().await;
}
