//! Registration and sessions.

use reqwest::Method;
use serde_json::json;
use tollgate::identity::Origin;
use tollgate::workers;

use crate::app::TestApp;

async fn refresh(app: &TestApp, token: &str) -> crate::app::Answer {
    let body = json!({ "refresh_token": token });
    app.send(Method::POST, "/v1/auth/refresh", None, Some(&body)).await
}

#[tokio::test]
async fn a_customer_registers_signs_in_and_has_an_empty_account() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let me = app.get("/v1/auth/me", &ada.token).await.expect(200);
    assert_eq!((&me["email"], &me["role"]), (&"ada@example.com".into(), &"client".into()));
    app.caught_up().await;
    let balance = app.get("/v1/client/balance", &ada.token).await.expect(200);
    assert_eq!(balance["balance_usd"], "0");
    assert_eq!(balance["account_id"], ada.account);
    app.audit().await;
}

#[tokio::test]
async fn a_weak_password_and_a_wrong_address_are_refused_by_name() {
    let app = TestApp::start().await;
    for (email, password, param) in [
        ("ada@example.com", "short", "password"),
        ("ada@example.com", "ada@example.com", "password"),
        ("ada", "correct horse battery", "email"),
    ] {
        let body = json!({ "email": email, "password": password });
        let answer = app.send(Method::POST, "/v1/auth/register", None, Some(&body)).await;
        answer.expect_problem(400, "invalid_request");
        assert_eq!(answer.body["param"], param);
    }
    app.audit().await;
}

#[tokio::test]
async fn a_refresh_that_is_sent_twice_at_once_gets_the_same_next_token() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let (one, other) = tokio::join!(refresh(&app, &ada.refresh), refresh(&app, &ada.refresh));
    let (one, other) = (one.expect(200), other.expect(200));
    assert_eq!(one["refresh_token"], other["refresh_token"]);
    assert_ne!(one["refresh_token"], ada.refresh);
    // Whichever answer was lost, the session goes on.
    for answer in [&one, &other] {
        app.get("/v1/auth/me", answer["access_token"].as_str().unwrap()).await.expect(200);
    }
    refresh(&app, one["refresh_token"].as_str().unwrap()).await.expect(200);
    app.audit().await;
}

/// As if all sessions had been refreshed a minute earlier than they were.
async fn let_a_minute_pass(app: &TestApp) {
    sqlx::query("UPDATE sessions SET replaced_at = replaced_at - interval '1 minute'")
        .execute(app.state().database.pool())
        .await
        .unwrap();
}

#[tokio::test]
async fn an_old_refresh_token_that_comes_back_later_ends_the_session() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let next = refresh(&app, &ada.refresh).await.expect(200);
    let_a_minute_pass(&app).await;
    refresh(&app, &ada.refresh).await.expect_problem(401, "invalid_refresh_token");
    let newest = next["refresh_token"].as_str().unwrap();
    refresh(&app, newest).await.expect_problem(401, "invalid_refresh_token");
    let access = next["access_token"].as_str().unwrap();
    app.get("/v1/auth/me", access).await.expect_problem(401, "session_ended");
    app.audit().await;
}

#[tokio::test]
async fn a_stolen_refresh_token_is_noticed_however_often_the_thief_has_refreshed() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let mut thief = ada.refresh.clone();
    for _ in 0..3 {
        let next = refresh(&app, &thief).await.expect(200);
        thief = next["refresh_token"].as_str().unwrap().to_owned();
    }
    // Not the token before the newest: within the grace it would be a lost answer.
    refresh(&app, &ada.refresh).await.expect_problem(401, "invalid_refresh_token");
    refresh(&app, &thief).await.expect_problem(401, "invalid_refresh_token");
    app.audit().await;
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one_or_all_others() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let body = json!({ "email": "ada@example.com", "password": "correct horse battery" });
    let login = app.request(Method::POST, "/v1/auth/login").header("User-Agent", "phone/1.0");
    let phone = crate::app::read(login.json(&body)).await.expect(200);
    let phone = phone["access_token"].as_str().unwrap();
    let tablet = app.sign_in("ada@example.com", "correct horse battery").await;
    let bob = app.customer("bob").await;

    let list = app.get("/v1/auth/sessions", &ada.token).await.expect(200);
    let list = list["data"].as_array().unwrap();
    assert_eq!(list.len(), 3);
    let current: Vec<bool> = list.iter().map(|s| s["current"].as_bool().unwrap()).collect();
    assert_eq!(current, [false, false, true], "the one used last comes first");
    assert_eq!(list[1]["user_agent"], "phone/1.0");
    let path = format!("/v1/auth/sessions/{}", list[1]["id"].as_str().unwrap());

    let delete =
        async |path: &str, token: &str| app.send(Method::DELETE, path, Some(token), None).await;
    delete(&path, &bob.token).await.expect_problem(404, "not_found");
    app.get("/v1/auth/me", phone).await.expect(200);
    assert_eq!(delete(&path, &ada.token).await.status, 204);
    app.get("/v1/auth/me", phone).await.expect_problem(401, "session_ended");
    delete(&path, &ada.token).await.expect_problem(404, "not_found");

    let ended = delete("/v1/auth/sessions", &ada.token).await.expect(200);
    assert_eq!(ended["ended"], 1);
    app.get("/v1/auth/me", &tablet.token).await.expect_problem(401, "session_ended");
    refresh(&app, &tablet.refresh).await.expect_problem(401, "invalid_refresh_token");
    app.get("/v1/auth/me", &ada.token).await.expect(200);
    app.get("/v1/auth/me", &bob.token).await.expect(200);
    app.audit().await;
}

#[tokio::test]
async fn another_node_learns_of_a_session_s_end_without_asking_about_each_request() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let people = &app.state().people;
    let claims = people.tokens.verify_access(&ada.token, chrono::Utc::now()).unwrap();
    let session = tollgate_domain::ids::SessionId::from_uuid(claims.sid);
    let other_node = tollgate::identity::SessionStore::new(app.state().database.pool().clone());
    assert!(other_node.is_live(session).await.unwrap());
    let out = app.send(Method::POST, "/v1/auth/logout", Some(&ada.token), None).await;
    assert_eq!(out.status, 204);
    assert!(other_node.is_live(session).await.unwrap(), "it answers from memory");
    other_node.learn_ended().await.unwrap();
    assert!(!other_node.is_live(session).await.unwrap());
    app.audit().await;
}

#[tokio::test]
async fn signing_out_ends_access_and_refresh_at_once() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let out = app.send(Method::POST, "/v1/auth/logout", Some(&ada.token), None).await;
    assert_eq!(out.status, 204);
    app.get("/v1/auth/me", &ada.token).await.expect_problem(401, "session_ended");
    refresh(&app, &ada.refresh).await.expect_problem(401, "invalid_refresh_token");
    app.audit().await;
}

#[tokio::test]
async fn a_restart_keeps_the_admin_and_does_not_make_another() {
    let app = TestApp::start().await;
    let admin = app.state().config.admin.clone().expect("an admin is configured");
    assert!(!app.state().people.ensure_admin(&admin).await.unwrap());
    let clients = app.admin().await;
    app.caught_up().await;
    let clients = app.get("/v1/admin/clients", &clients.token).await.expect(200);
    assert_eq!(clients["data"].as_array().unwrap().len(), 1);
    app.audit().await;
}

#[tokio::test]
async fn a_person_has_a_hundred_sessions_and_a_further_one_ends_the_oldest() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let people = &app.state().people;
    let user = people.users.find_by_email("ada@example.com").await.unwrap().unwrap();
    for _ in 0..99 {
        people.sessions.open(&user, &Origin::default()).await.unwrap().expect("a session");
    }
    app.get("/v1/auth/me", &ada.token).await.expect(200);
    people.sessions.open(&user, &Origin::default()).await.unwrap().expect("a session");
    app.get("/v1/auth/me", &ada.token).await.expect_problem(401, "session_ended");
    assert_eq!(people.sessions.list(user.id).await.unwrap().len(), 100);
    app.audit().await;
}

#[tokio::test]
async fn what_is_of_no_use_any_more_is_removed_and_the_rest_stays() {
    let app = TestApp::start().await;
    app.customer("old").await;
    app.customer("new").await;
    let pool = app.state().database.pool().clone();
    for (email, used) in [("old@example.com", "60 days"), ("new@example.com", "1 day")] {
        let ask = json!({ "email": email });
        let asked = app.send(Method::POST, "/v1/auth/password-reset", None, Some(&ask)).await;
        asked.expect(202);
        let mails = "SELECT count(*) FROM mails JOIN users USING (user_id) WHERE email = $1";
        let written =
            async || sqlx::query_scalar::<_, i64>(mails).bind(email).fetch_one(&pool).await;
        while written().await.unwrap() == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        for (table, columns) in [
            ("sessions", "expires_at = now() - $2::interval"),
            ("one_time_links", "expires_at = now() - $2::interval"),
            ("mails", "created_at = now() - $2::interval"),
        ] {
            let of = "user_id = (SELECT user_id FROM users WHERE email = $1)";
            let statement = format!("UPDATE {table} SET {columns} WHERE {of}");
            sqlx::query(&statement).bind(email).bind(used).execute(&pool).await.unwrap();
        }
    }
    workers::sweep(&app.state().people, &pool).await.unwrap();
    for table in ["sessions", "one_time_links", "mails"] {
        let left =
            format!("SELECT email FROM {table} JOIN users USING (user_id) WHERE role = 'client'");
        let left: Vec<String> = sqlx::query_scalar(&left).fetch_all(&pool).await.unwrap();
        assert_eq!(left, ["new@example.com"], "{table}");
    }
    let states: Vec<String> =
        sqlx::query_scalar("SELECT state FROM mails").fetch_all(&pool).await.unwrap();
    assert_eq!(states, ["failed"], "a link of yesterday need not arrive");
    app.audit().await;
}
