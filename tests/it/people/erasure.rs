//! Somebody goes for good.

use reqwest::Method;
use serde_json::{Value, json};

use super::*;

async fn erase_me(app: &TestApp, token: &str, query: &str) -> Answer {
    app.send(Method::DELETE, &format!("/v1/auth/me{query}"), Some(token), None).await
}

/// Everything that the database says outside of the books.
async fn everything(app: &TestApp) -> String {
    let tables = [
        "users",
        "sessions",
        "api_keys",
        "remarks",
        "one_time_links",
        "invitations",
        "mails",
        "audit_trail",
    ];
    let mut text = String::new();
    for table in tables {
        let rows: Option<Value> =
            sqlx::query_scalar(&format!("SELECT json_agg(t) FROM {table} AS t"))
                .fetch_one(app.state().database.pool())
                .await
                .unwrap();
        text += &rows.unwrap_or_default().to_string();
    }
    text
}

#[tokio::test]
async fn an_erased_person_leaves_the_books_and_nothing_else() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    let admin = app.admin().await;
    let named = json!({ "name": "Ada Lovelace's laptop" });
    app.post("/v1/auth/api-keys", &ada.token, &named).await.expect(201);
    let path = format!("/v1/admin/clients/{}/top-ups", ada.account);
    let noted = json!({ "amount_usd": "1", "note": "Ada Lovelace, by bank" });
    app.post(&path, &admin.token, &noted).await.expect(201);
    ask_reset(&app, "ada@example.com").await.expect(202);
    wait_for_mails(&app, "password_reset", 1).await;
    app.chat(&key, "hello").await.expect(200);
    let id = me(&app, &ada.token).await["user_id"].as_str().unwrap().to_owned();
    app.settled().await;
    assert!(everything(&app).await.contains("Lovelace"));

    erase_me(&app, &ada.token, "").await.expect_problem(409, "balance_left");
    app.chat(&key, "still here").await.expect(200);
    app.settled().await;
    let gone = erase_me(&app, &ada.token, "?forfeit=true").await.expect(200);
    assert_eq!(gone["account_id"], ada.account);
    app.get("/v1/auth/me", &ada.token).await.expect_problem(401, "session_ended");
    login(&app, "ada@example.com", PASSWORD).await.expect_problem(401, "wrong_password");
    app.chat(&key, "hello").await.expect_model_error(401, "api_key_revoked");
    let left = everything(&app).await;
    assert!(!left.contains("ada@example.com") && !left.contains("Lovelace"), "{left}");
    assert!(
        !left.contains("127.0.0.1")
            || !left.contains(&format!("\"user_id\":\"{id}\",\"address\":\""))
    );

    let at = gone["position"].as_i64().unwrap();
    let clients = format!("/v1/admin/clients?at_least={at}");
    let clients = app.get(&clients, &admin.token).await.expect(200);
    let clients = clients["data"].as_array().unwrap();
    let account = clients.iter().find(|client| client["account_id"] == ada.account).unwrap();
    assert_eq!((&account["email"], &account["status"]), (&Value::Null, &"suspended".into()));
    assert_eq!(account["balance_usd"], gone["forfeited_usd"]);
    assert_eq!(trail(&app, &id).await, ["person_erased"]);
    // The address is free again, for a new account.
    let again = app.customer("ada").await;
    assert_ne!(again.account, ada.account);
    app.audit().await;
}

#[tokio::test]
async fn only_who_signed_in_a_moment_ago_can_erase_themselves() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    sql(&app, "UPDATE sessions SET created_at = created_at - interval '11 minutes'").await;
    erase_me(&app, &ada.token, "").await.expect_problem(403, "sign_in_again");
    let again = app.sign_in("ada@example.com", PASSWORD).await;
    erase_me(&app, &again.token, "").await.expect(200);
    app.audit().await;
}

#[tokio::test]
async fn nobody_goes_while_a_request_runs() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    let id = me(&app, &ada.token).await["user_id"].as_str().unwrap().to_owned();
    let admin = app.admin().await;
    let slow = app
        .request(Method::POST, "/v1/chat/completions")
        .bearer_auth(&key)
        .header("X-Sandbox-Delay", "1500")
        .json(&crate::wire::body("hello", false));
    let erase = async {
        let open = |account: &tollgate_domain::Account| account.open_reservations().count();
        let accounts = &app.state().ledger.accounts;
        while accounts.peek(&ada.account, open).await.unwrap() == 0 {
            tokio::task::yield_now().await;
        }
        let path = format!("/v1/admin/users/{id}?forfeit=true");
        let refused = app.send(Method::DELETE, &path, Some(&admin.token), None).await;
        refused.expect_problem(409, "requests_open");
    };
    let (answer, ()) = tokio::join!(crate::app::read(slow), erase);
    answer.expect(200);
    app.settled().await;
    // A refusal has changed nothing.
    app.chat(&key, "hello").await.expect(200);
    me(&app, &ada.token).await;
    app.settled().await;
    let path = format!("/v1/admin/users/{id}?forfeit=true");
    app.send(Method::DELETE, &path, Some(&admin.token), None).await.expect(200);
    app.send(Method::DELETE, &path, Some(&admin.token), None)
        .await
        .expect_problem(404, "not_found");
    app.audit().await;
}

#[tokio::test]
async fn a_debt_is_given_up_by_operators_only() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let context = tollgate::ledger::CommandContext::by(tollgate::ledger::Actor::System("test"));
    let owed = tollgate_domain::AccountCommand::PostAdjustment {
        adjustment: "adj_01k2h3j4k5m6n7p8q9r0s1t2v3".parse().unwrap(),
        amount: tollgate_domain::Money::parse("-2.5").unwrap(),
        reason: "test".to_owned(),
        reference: String::new(),
    };
    let accounts = &app.state().ledger.accounts;
    accounts.execute(&ada.account, owed, &context, None).await.unwrap();
    erase_me(&app, &ada.token, "?forfeit=true").await.expect_problem(409, "balance_owed");
    let id = me(&app, &ada.token).await["user_id"].as_str().unwrap().to_owned();
    let admin = app.admin().await;
    let path = format!("/v1/admin/users/{id}");
    let delete = async |path: &str| app.send(Method::DELETE, path, Some(&admin.token), None).await;
    delete(&path).await.expect_problem(409, "balance_owed");
    let gone = delete(&format!("{path}?forfeit=true")).await.expect(200);
    assert_eq!(gone["left_usd"], "-2.5");
    app.audit().await;
}
