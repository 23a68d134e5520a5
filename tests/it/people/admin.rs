//! Roles, and the trail of what was done to people.

use reqwest::Method;
use serde_json::{Value, json};

use super::*;
use crate::app::Person;

async fn id_of(app: &TestApp, person: &Person) -> String {
    me(app, &person.token).await["user_id"].as_str().expect("an id").to_owned()
}

async fn set_role(app: &TestApp, by: &Person, user: &str, role: &str) -> Answer {
    let path = format!("/v1/admin/users/{user}/role");
    app.send(Method::PUT, &path, Some(&by.token), Some(&json!({ "role": role }))).await
}

#[tokio::test]
async fn a_role_counts_at_once_and_is_recorded_with_its_actor() {
    let app = TestApp::start().await;
    let (admin, ada) = (app.admin().await, app.customer("ada").await);
    let (boss, id) = (id_of(&app, &admin).await, id_of(&app, &ada).await);
    app.get("/v1/admin/users", &ada.token).await.expect_problem(403, "forbidden");
    let changed = set_role(&app, &admin, &id, "admin").await.expect(200);
    assert_eq!(changed["role"], "admin");
    // Her token says the old role, so its session has ended.
    app.get("/v1/auth/me", &ada.token).await.expect_problem(401, "session_ended");
    let ada = app.sign_in("ada@example.com", PASSWORD).await;
    app.get("/v1/admin/users", &ada.token).await.expect(200);
    set_role(&app, &admin, &id, "client").await.expect(200);
    app.get("/v1/admin/users", &ada.token).await.expect_problem(401, "session_ended");
    // The same role again is nothing that happened.
    set_role(&app, &admin, &id, "client").await.expect(200);
    set_role(&app, &admin, &id, "root").await.expect_problem(400, "invalid_request");

    let list = app.get(&format!("/v1/admin/audit-trail?subject={id}"), &admin.token).await;
    let entries = list.expect(200)["data"].as_array().unwrap().clone();
    let details: Vec<&Value> = entries.iter().map(|entry| &entry["details"]).collect();
    let [down, up] = [("admin", "client"), ("client", "admin")]
        .map(|(from, to)| json!({ "from": from, "to": to }));
    assert_eq!(details, [&down, &up]);
    for entry in &entries {
        assert_eq!((&entry["actor"], &entry["action"]), (&json!(boss), &json!("role_changed")));
        assert!(entry["request_id"].as_str().unwrap().starts_with("req_"));
    }
    app.audit().await;
}

#[tokio::test]
async fn somebody_is_always_left_who_can_give_roles() {
    let app = TestApp::start().await;
    let (one, other) = (app.admin().await, app.customer("ada").await);
    let (first, second) = (id_of(&app, &one).await, id_of(&app, &other).await);
    set_role(&app, &one, &first, "auditor").await.expect_problem(409, "last_admin");
    let erase = format!("/v1/admin/users/{first}?forfeit=true");
    let erased = app.send(Method::DELETE, &erase, Some(&one.token), None).await;
    erased.expect_problem(409, "last_admin");
    let erased = app.send(Method::DELETE, "/v1/auth/me", Some(&one.token), None).await;
    erased.expect_problem(409, "last_admin");

    set_role(&app, &one, &second, "admin").await.expect(200);
    let other = app.sign_in("ada@example.com", PASSWORD).await;
    // Each takes the role from the other, at once: one of them has to keep it.
    let (a, b) = tokio::join!(
        set_role(&app, &one, &second, "client"),
        set_role(&app, &other, &first, "client")
    );
    let done = [&a, &b].iter().filter(|answer| answer.status == 200).count();
    assert_eq!(done, 1, "{} {}", a.text, b.text);
    let admins: i64 = sqlx::query_scalar("SELECT count(*) FROM users WHERE role = 'admin'")
        .fetch_one(app.state().database.pool())
        .await
        .unwrap();
    assert_eq!(admins, 1);
    app.audit().await;
}

#[tokio::test]
async fn people_are_listed_page_by_page_and_auditors_see_no_names() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for name in ["ada", "bob", "cy"] {
        app.customer(name).await;
    }
    let auditor = app.auditor().await;
    let mut seen = vec![];
    let mut path = "/v1/admin/users?limit=2&role=client".to_owned();
    loop {
        let page = app.get(&path, &admin.token).await.expect(200);
        let users = page["data"].as_array().unwrap();
        seen.extend(users.iter().map(|user| user["email"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/admin/users?limit=2&role=client&cursor={cursor}");
    }
    assert_eq!(seen, ["ada@example.com", "bob@example.com", "cy@example.com"]);
    let seen = app.get("/v1/admin/users", &auditor.token).await;
    assert!(!seen.text.contains("example.com") && !seen.text.contains("\"ada\""), "{}", seen.text);
    assert_eq!(seen.expect(200)["data"].as_array().unwrap().len(), 5);
    app.get("/v1/admin/audit-trail", &auditor.token).await.expect(200);
    app.get("/v1/admin/mails", &auditor.token).await.expect_problem(403, "forbidden");
    app.get("/v1/admin/invitations", &auditor.token).await.expect_problem(403, "forbidden");
    app.get("/v1/admin/users?cursor=x", &admin.token).await.expect_problem(400, "invalid_request");
    app.audit().await;
}

#[tokio::test]
async fn an_operator_signs_somebody_out_everywhere() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    app.sign_in("ada@example.com", PASSWORD).await;
    let (admin, id) = (app.admin().await, id_of(&app, &ada).await);
    let path = format!("/v1/admin/users/{id}/sessions");
    let ended = app.send(Method::DELETE, &path, Some(&admin.token), None).await.expect(200);
    assert_eq!(ended["ended"], 2);
    app.get("/v1/auth/me", &ada.token).await.expect_problem(401, "session_ended");
    app.chat(&key, "keys go on").await.expect(200);
    assert_eq!(trail(&app, &id).await, ["sessions_ended"]);
    app.audit().await;
}

#[tokio::test]
async fn the_trail_cannot_be_rewritten_by_the_role_that_serves_nor_by_its_owner() {
    let app = TestApp::start().await;
    let (admin, ada) = (app.admin().await, app.customer("ada").await);
    let id = id_of(&app, &ada).await;
    set_role(&app, &admin, &id, "auditor").await.expect(200);
    let tries = [
        "UPDATE audit_trail SET actor = 'somebody else'",
        "DELETE FROM audit_trail",
        "TRUNCATE audit_trail",
    ];
    for pool in [app.state().database.pool().clone(), app.owner_pool().await] {
        for statement in tries {
            let refused = sqlx::query(statement).execute(&pool).await.unwrap_err();
            let code = refused.as_database_error().and_then(|error| error.code());
            assert_eq!(code.as_deref(), Some("42501"), "{statement}: {refused}");
        }
    }
    assert_eq!(trail(&app, &id).await, ["role_changed"]);
    app.audit().await;
}

#[tokio::test]
async fn settings_are_changed_one_by_one() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let patch = async |body: Value| {
        app.send(Method::PATCH, "/v1/auth/me", Some(&ada.token), Some(&body)).await
    };
    let changed = patch(json!({ "name": "Ada Lovelace" })).await.expect(200);
    assert_eq!((&changed["name"], &changed["language"]), (&"Ada Lovelace".into(), &"en".into()));
    let changed = patch(json!({ "language": "ru", "low_balance_alert_usd": "2.50" })).await;
    let changed = changed.expect(200);
    assert_eq!(changed["name"], "Ada Lovelace");
    assert_eq!(
        (&changed["language"], &changed["low_balance_alert_usd"]),
        (&"ru".into(), &"2.5".into())
    );
    assert_eq!(patch(json!({})).await.expect(200), changed);
    let changed = patch(json!({ "low_balance_alert_usd": null })).await.expect(200);
    assert_eq!(
        (&changed["language"], &changed["low_balance_alert_usd"]),
        (&"ru".into(), &Value::Null)
    );
    for wrong in [
        json!({ "language": "de" }),
        json!({ "low_balance_alert_usd": "-1" }),
        json!({ "low_balance_alert_usd": 1.5 }),
        json!({ "email": "eve@example.com" }),
        json!({ "role": "admin" }),
        json!({ "name": "x".repeat(201) }),
    ] {
        patch(wrong).await.expect_problem(400, "invalid_request");
    }
    assert_eq!(me(&app, &ada.token).await, changed);
    app.audit().await;
}
