//! Usage broken down for charts, for the customer and for the operator.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::app::TestApp;

fn charged(lines: &Value) -> Decimal {
    let lines = lines["data"].as_array().expect("lines").iter();
    lines.map(|line| Decimal::from_str_exact(line["charge_usd"].as_str().unwrap()).unwrap()).sum()
}

#[tokio::test]
async fn usage_adds_up_however_it_is_broken_down() {
    let app = TestApp::start().await;
    let (ada, first) = app.paying_customer("ada").await;
    let (second_id, second) = app.issue_key(&ada).await;
    app.chat(&first, "hello").await.expect(200);
    app.chat(&second, "hello").await.expect(200);
    let body = json!({
        "model": "openai/gpt-4o", "max_tokens": 16, "messages": [{ "role": "user", "content": "hi" }]
    });
    app.post("/v1/chat/completions", &second, &body).await.expect(200);
    let at = app.settled().await;
    let whole = app.get("/v1/client/usage", &ada.token).await.expect(200);
    let admin = app.admin().await;
    let theirs = format!("/v1/admin/clients/{}/usage", ada.account);
    for (group, count, members) in [
        ("day", 1, vec!["day"]),
        ("model", 2, vec!["model"]),
        ("key", 2, vec!["api_key_id"]),
        ("day_model", 2, vec!["day", "model"]),
        ("day_key", 2, vec!["day", "api_key_id"]),
    ] {
        let query = format!("group_by={group}&at_least={at}");
        let own = format!("/v1/client/usage/breakdown?{query}");
        let lines = app.get(&own, &ada.token).await.expect(200);
        assert_eq!(lines["data"].as_array().unwrap().len(), count, "{group}");
        let whole = Decimal::from_str_exact(whole["charge_usd"].as_str().unwrap()).unwrap();
        assert_eq!(charged(&lines), whole, "{group}");
        for member in ["day", "model", "api_key_id"] {
            let told = !lines["data"][0][member].is_null();
            assert_eq!(told, members.contains(&member), "{group} {member}");
        }
        let same = app.get(&format!("{theirs}?{query}"), &admin.token).await.expect(200);
        assert_eq!(same["data"], lines["data"], "{group}");
    }
    let of = format!("/v1/client/usage/breakdown?group_by=model&key_id={second_id}");
    let lines = app.get(&of, &ada.token).await.expect(200);
    assert_eq!(lines["data"].as_array().unwrap().len(), 2);
    assert_eq!(lines["data"][0]["requests"], 1, "of this key alone");
    for wrong in
        ["group_by=weather", "key_id=x", "from=2030-01-01T00:00:00Z&to=2020-01-01T00:00:00Z"]
    {
        let path = format!("/v1/client/usage/breakdown?{wrong}");
        app.get(&path, &ada.token).await.expect_problem(400, "invalid_request");
    }
    app.audit().await;
}

#[tokio::test]
async fn an_operator_sees_a_customer_s_keys_and_requests_and_an_auditor_no_names() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    let (unused, _) = app.issue_key(&ada).await;
    app.chat(&key, "hello").await.expect(200);
    app.settled().await;
    let (admin, auditor) = (app.admin().await, app.auditor().await);
    let path = |what: &str| format!("/v1/admin/clients/{}/{what}", ada.account);
    let keys = app.get(&path("keys"), &admin.token).await.expect(200);
    assert_eq!((&keys["data"][0]["id"], &keys["data"][0]["requests"]), (&unused.into(), &0.into()));
    let used = &keys["data"][1];
    assert_eq!((&used["name"], &used["requests"]), (&"test".into(), &1.into()));
    let balance = app.get("/v1/client/balance", &ada.token).await.expect(200);
    assert_eq!(used["charge_usd"], balance["lifetime_spent_usd"]);
    let keys = app.get(&path("keys?limit=1"), &auditor.token).await.expect(200);
    assert!(keys["data"][0]["name"].is_null() && keys["next_cursor"].is_string());
    let requests = app.get(&path("requests?search=mini"), &auditor.token).await.expect(200);
    assert_eq!(requests["data"].as_array().unwrap().len(), 1);
    assert_eq!(requests["data"][0]["charge_usd"], balance["lifetime_spent_usd"]);
    assert!(requests["data"][0]["cost_usd"].is_string());
    let nobody = "/v1/admin/clients/acct_01k2h3j4k5m6n7p8q9r0s1t2v3";
    for what in ["keys", "usage", "requests"] {
        let answer = app.get(&format!("{nobody}/{what}"), &admin.token).await;
        answer.expect_problem(404, "not_found");
    }
    app.audit().await;
}

#[tokio::test]
async fn a_master_account_says_how_long_its_credits_last() {
    let app = TestApp::start().await;
    let (_, key) = app.paying_customer("ada").await;
    let admin = app.admin().await;
    let list = "/v1/admin/master-accounts";
    let before = app.get(list, &admin.token).await.expect(200)["data"][0].clone();
    assert_eq!((&before["used_7_days_usd"], &before["runway_days"]), (&"0".into(), &Value::Null));
    app.chat(&key, "hello").await.expect(200);
    let body = json!({ "credits_usd": "10", "paid_usd": "3" });
    let path = format!("{list}/{}/purchases", before["id"].as_str().unwrap());
    app.post(&path, &admin.token, &body).await.expect(201);
    app.settled().await;
    let after = app.get(list, &admin.token).await.expect(200)["data"][0].clone();
    assert_eq!(after["used_7_days_usd"], after["used_usd"], "all of it was used today");
    let decimal = |member: &str| Decimal::from_str_exact(after[member].as_str().unwrap()).unwrap();
    // Registered today: today is the only day to go by.
    let days = (decimal("remaining_usd") / decimal("used_7_days_usd")).floor();
    assert_eq!(Decimal::from(after["runway_days"].as_i64().unwrap()), days);
    app.audit().await;
}
