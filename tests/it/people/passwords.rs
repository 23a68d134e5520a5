//! Changing a password, and setting one without the old one.

use serde_json::json;
use tollgate::identity::Origin;

use super::*;

const NEW: &str = "battery staple horse";

#[tokio::test]
async fn a_new_password_needs_the_old_one_and_ends_the_other_sessions() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let other = app.sign_in("ada@example.com", PASSWORD).await;
    ask_reset(&app, "ada@example.com").await.expect(202);
    let link = newest_token(&app, "password_reset").await;
    let change = async |old: &str, new: &str| {
        let body = json!({ "old_password": old, "password": new });
        app.post("/v1/auth/password", &ada.token, &body).await
    };
    let wrong = change("not her password", NEW).await;
    wrong.expect_problem(400, "invalid_request");
    assert_eq!(wrong.body["param"], "old_password");
    let weak = change(PASSWORD, "1234567890").await;
    weak.expect_problem(400, "invalid_request");
    assert_eq!(weak.body["param"], "password");
    me(&app, &other.token).await;

    assert_eq!(change(PASSWORD, NEW).await.status, 204);
    me(&app, &ada.token).await;
    app.get("/v1/auth/me", &other.token).await.expect_problem(401, "session_ended");
    let refresh = json!({ "refresh_token": other.refresh });
    let refused = post(&app, "/v1/auth/refresh", &refresh).await;
    refused.expect_problem(401, "invalid_refresh_token");
    login(&app, "ada@example.com", PASSWORD).await.expect_problem(401, "wrong_password");
    login(&app, "ada@example.com", NEW).await.expect(200);
    // A link that somebody asked for before is worth nothing now.
    reset(&app, &link, "yet another one").await.expect_problem(400, "invalid_request");
    let id = me(&app, &ada.token).await["user_id"].as_str().unwrap().to_owned();
    assert_eq!(trail(&app, &id).await, ["password_changed"]);
    app.audit().await;
}

#[tokio::test]
async fn a_mailed_link_sets_a_password_once_and_ends_every_session() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    ask_reset(&app, "ADA@example.com").await.expect(202);
    ask_reset(&app, "ada@example.com").await.expect(202);
    wait_for_mails(&app, "password_reset", 2).await;
    let token = newest_token(&app, "password_reset").await;
    let weak = reset(&app, &token, "ada@example.com").await;
    weak.expect_problem(400, "invalid_request");
    assert_eq!(weak.body["param"], "password", "the link is not used up");
    // Of two at once one wins.
    let both = tokio::join!(reset(&app, &token, NEW), reset(&app, &token, "another new one"));
    let mut statuses = [both.0.status.as_u16(), both.1.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
    let won = if both.0.status == 200 { (both.0, NEW) } else { (both.1, "another new one") };
    me(&app, won.0.body["access_token"].as_str().unwrap()).await;
    app.get("/v1/auth/me", &ada.token).await.expect_problem(401, "session_ended");
    login(&app, "ada@example.com", PASSWORD).await.expect_problem(401, "wrong_password");
    login(&app, "ada@example.com", won.1).await.expect(200);
    reset(&app, &token, NEW).await.expect_problem(400, "invalid_request");
    app.audit().await;
}

#[tokio::test]
async fn a_link_works_for_an_hour_and_for_its_purpose_only() {
    let app = TestApp::start().await;
    app.customer("ada").await;
    ask_reset(&app, "ada@example.com").await.expect(202);
    let token = newest_token(&app, "password_reset").await;
    let confirm = json!({ "token": token });
    let other = post(&app, "/v1/auth/email-verification/confirm", &confirm).await;
    other.expect_problem(400, "invalid_request");
    let renamed = token.replace("tgp_", "tgv_");
    let confirm = json!({ "token": renamed });
    let other = post(&app, "/v1/auth/email-verification/confirm", &confirm).await;
    other.expect_problem(400, "invalid_request");
    sql(&app, "UPDATE one_time_links SET expires_at = expires_at - interval '61 minutes'").await;
    reset(&app, &token, NEW).await.expect_problem(400, "invalid_request");
    login(&app, "ada@example.com", PASSWORD).await.expect(200);
    app.audit().await;
}

#[tokio::test]
async fn what_the_database_holds_opens_nothing() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    ask_reset(&app, "ada@example.com").await.expect(202);
    let token = newest_token(&app, "password_reset").await;
    let text: String = sqlx::query_scalar(
        "SELECT concat((SELECT json_agg(m) FROM mails AS m), (SELECT json_agg(l) FROM one_time_links AS l),
                       (SELECT json_agg(s) FROM sessions AS s), (SELECT json_agg(t) FROM audit_trail AS t))",
    )
    .fetch_one(app.state().database.pool())
    .await
    .unwrap();
    assert!(text.contains("password_reset"));
    for secret in [&token[4..], &ada.refresh[4..]] {
        assert!(!text.contains(&secret[secret.len() - 30..]));
    }
    assert!(!text.contains("example.com"), "no address outside of its one place");
    app.audit().await;
}

#[tokio::test]
async fn who_takes_an_address_back_by_mail_revokes_what_the_other_has_made() {
    let app = TestApp::start().await;
    // Somebody registers Ada's address, which nobody has verified, and waits for her money.
    let (eve, eves_key) = app.paying_customer("ada").await;
    app.chat(&eves_key, "hello").await.expect(200);
    ask_reset(&app, "ada@example.com").await.expect(202);
    let token = newest_token(&app, "password_reset").await;
    let ada = reset(&app, &token, NEW).await.expect(200);
    let ada = ada["access_token"].as_str().unwrap();
    assert_eq!(me(&app, ada).await["email_verified"], true);
    app.get("/v1/auth/me", &eve.token).await.expect_problem(401, "session_ended");
    app.chat(&eves_key, "hello").await.expect_model_error(401, "api_key_revoked");
    // From now on the address is hers, and a forgotten password costs no key.
    let own = app.post("/v1/auth/api-keys", ada, &json!({ "name": "own" })).await.expect(201);
    ask_reset(&app, "ada@example.com").await.expect(202);
    wait_for_mails(&app, "password_reset", 2).await;
    let token = newest_token(&app, "password_reset").await;
    reset(&app, &token, "once more another").await.expect(200);
    app.chat(own["key"].as_str().unwrap(), "hello").await.expect(200);
    app.audit().await;
}

#[tokio::test]
async fn a_sign_in_that_began_before_the_change_does_not_outlive_it() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let people = &app.state().people;
    // As a sign-in is after it has checked the old password.
    let checked = people.users.find_by_email("ada@example.com").await.unwrap().unwrap();
    let body = json!({ "old_password": PASSWORD, "password": NEW });
    assert_eq!(app.post("/v1/auth/password", &ada.token, &body).await.status, 204);
    let opened = people.sessions.open(&checked, &Origin::default()).await.unwrap();
    assert!(opened.is_none());
    app.audit().await;
}

#[tokio::test]
async fn an_operator_makes_a_link_where_mail_does_not_arrive_and_it_is_recorded() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let id = me(&app, &ada.token).await["user_id"].as_str().unwrap().to_owned();
    let admin = app.admin().await;
    let path = format!("/v1/admin/users/{id}/password-reset");
    let link = app.post(&path, &admin.token, &json!({})).await.expect(201);
    let token = link["token"].as_str().unwrap();
    assert!(link["url"].as_str().unwrap().ends_with(&format!("/reset-password#token={token}")));
    reset(&app, token, NEW).await.expect(200);
    login(&app, "ada@example.com", NEW).await.expect(200);
    assert_eq!(trail(&app, &id).await, ["password_reset", "email_verified", "reset_link_made"]);
    let nobody = "/v1/admin/users/usr_01k2h3j4k5m6n7p8q9r0s1t2v3/password-reset";
    app.post(nobody, &admin.token, &json!({})).await.expect_problem(404, "not_found");
    app.audit().await;
}
