//! Mail: what goes out, in which words, and what happens when it does not.

use reqwest::Method;
use serde_json::json;
use tollgate::config::{MailConfig, Secret};
use tollgate::identity::alerts;

use super::sink::Sink;
use super::*;

async fn with_mail(sink: &Sink) -> TestApp {
    let mail = MailConfig {
        smtp_url: Secret::new(sink.url()),
        from: "Tollgate <gate@example.com>".parse().expect("an address"),
        certificates: None,
    };
    TestApp::start_with(|config| {
        config.people.mail = Some(mail);
        config.people.public_url = "https://gate.example.com".to_owned();
    })
    .await
}

/// As if it were time for every mail's next attempt.
async fn let_time_pass(app: &TestApp) {
    sql(app, "UPDATE mails SET next_attempt_at = now()").await;
    app.state().people.outbox.wake.notify_one();
}

#[tokio::test]
async fn a_link_comes_by_mail_in_the_reader_s_language_and_works() {
    let sink = Sink::start().await;
    let app = with_mail(&sink).await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD, "name": "Ада" });
    let request = app.request(Method::POST, "/v1/auth/register");
    let request = request.header("Accept-Language", "ru-RU,ru;q=0.9,en;q=0.5").json(&body);
    crate::app::read(request).await.expect(201);
    let verification = sink.wait_for(1).await.remove(0);
    assert_eq!(verification.to, "RCPT TO:<ada@example.com>");
    assert!(verification.text.starts_with("Здравствуйте, Ада!"), "{}", verification.text);
    assert!(verification.text.contains("https://gate.example.com/verify-email#token=tgv_"));
    for header in ["From: Tollgate <gate@example.com>", "Auto-Submitted: auto-generated", "Date: "]
    {
        assert!(verification.headers.contains(header), "{}", verification.headers);
    }
    let confirm = json!({ "token": token_in(&verification.text) });
    let confirmed = post(&app, "/v1/auth/email-verification/confirm", &confirm).await;
    assert_eq!(confirmed.status, 204);

    let ada = app.sign_in("ada@example.com", PASSWORD).await;
    let english = json!({ "language": "en" });
    app.send(Method::PATCH, "/v1/auth/me", Some(&ada.token), Some(&english)).await.expect(200);
    ask_reset(&app, "ada@example.com").await.expect(202);
    let mail = sink.wait_for(2).await.remove(1);
    assert!(mail.headers.contains("Subject: Set a new password"), "{}", mail.headers);
    reset(&app, &token_in(&mail.text), "battery staple horse").await.expect(200);
    let notice = sink.wait_for(3).await.remove(2);
    assert!(notice.headers.contains("Subject: Your password was changed"), "{}", notice.headers);
    // What was sent is its reader's alone.
    let sent = mails(&app, "password_reset").await.remove(0);
    assert_eq!(sent["state"], "sent");
    let admin = app.admin().await;
    let path = format!("/v1/admin/mails/{}/open", sent["id"].as_str().unwrap());
    let opened = app.send(Method::POST, &path, Some(&admin.token), None).await;
    opened.expect_problem(409, "mail_sent");
    app.audit().await;
}

#[tokio::test]
async fn the_owner_of_a_taken_address_is_told_and_not_flooded() {
    let sink = Sink::start().await;
    let app = with_mail(&sink).await;
    app.customer("ada").await;
    for _ in 0..3 {
        register(&app, "ada@example.com").await.expect(201);
    }
    for _ in 0..5 {
        ask_reset(&app, "ada@example.com").await.expect(202);
    }
    // The verification, one notice, and three links within an hour.
    let received = sink.wait_for(5).await;
    let subjects = |subject: &str| received.iter().filter(|m| m.headers.contains(subject)).count();
    assert_eq!(subjects("You have an account already"), 1);
    assert_eq!(subjects("Set a new password"), 3);
    app.audit().await;
    assert_eq!(sink.received().len(), 5);
}

#[tokio::test]
async fn a_mail_that_is_not_taken_is_sent_again_and_one_that_never_will_be_is_not() {
    let sink = Sink::start().await;
    let app = with_mail(&sink).await;
    sink.refuse_next("451 4.2.1 <ada@example.com>: come again");
    register(&app, "ada@example.com").await.expect(201);
    let failed = async |kind: &str, error: &str| {
        for _ in 0..400 {
            let mail = mails(&app, kind).await.remove(0);
            if mail["last_error"] == error {
                return mail;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("no mail failed so: {:?}", mails(&app, kind).await);
    };
    let mail = failed("email_verification", "the mail server answered 451").await;
    assert_eq!((&mail["state"], &mail["attempts"]), (&"queued".into(), &1.into()));
    assert!(sink.received().is_empty());
    let_time_pass(&app).await;
    sink.wait_for(1).await;
    for _ in 0..400 {
        if mails(&app, "email_verification").await[0]["state"] == "sent" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    assert_eq!(mails(&app, "email_verification").await[0]["attempts"], 2);

    sink.refuse_next("550 5.1.1 <ada@example.com>: no such user");
    ask_reset(&app, "ada@example.com").await.expect(202);
    wait_for_mails(&app, "password_reset", 1).await;
    let mail = failed("password_reset", "the mail server answered 550").await;
    assert_eq!(mail["state"], "failed");
    let_time_pass(&app).await;
    ask_reset(&app, "ada@example.com").await.expect(202);
    assert_eq!(sink.wait_for(2).await.len(), 2, "the one that was refused for good stays away");
    app.audit().await;
}

#[tokio::test]
async fn mail_whose_link_does_not_work_any_more_is_not_sent() {
    let sink = Sink::start().await;
    let app = with_mail(&sink).await;
    sink.refuse_next("421 4.3.2 down");
    register(&app, "ada@example.com").await.expect(201);
    wait_for_mails(&app, "email_verification", 1).await;
    sql(&app, "UPDATE one_time_links SET expires_at = now()").await;
    let_time_pass(&app).await;
    ask_reset(&app, "ada@example.com").await.expect(202);
    let received = sink.wait_for(1).await;
    assert!(received[0].headers.contains("Set a new password"), "{}", received[0].headers);
    let old = mails(&app, "email_verification").await.remove(0);
    assert_eq!(old["state"], "failed");
    app.audit().await;
}

#[tokio::test]
async fn two_nodes_do_not_send_the_same_mail() {
    let app = TestApp::start().await;
    app.customer("ada").await;
    for _ in 0..3 {
        ask_reset(&app, "ada@example.com").await.expect(202);
    }
    wait_for_mails(&app, "password_reset", 3).await;
    let outbox = &app.state().people.outbox;
    let (one, other) = tokio::join!(outbox.take(8), outbox.take(8));
    let mut taken: Vec<String> =
        one.unwrap().iter().chain(&other.unwrap()).map(|mail| mail.id.to_string()).collect();
    taken.sort();
    taken.dedup();
    assert_eq!(taken.len(), 3);
    assert!(outbox.take(8).await.unwrap().is_empty(), "their time comes later");
    app.audit().await;
}

#[tokio::test]
async fn a_low_balance_is_told_once_each_time_that_it_falls() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    let pool = app.state().database.pool().clone();
    let tell = async || {
        app.settled().await;
        alerts::tell(&pool).await.unwrap()
    };
    let want = async |usd: &str| {
        let body = json!({ "low_balance_alert_usd": usd });
        app.send(Method::PATCH, "/v1/auth/me", Some(&ada.token), Some(&body)).await.expect(200);
    };
    // The worker looks by itself too, so mails are counted and not what `tell` returns.
    want("9.99").await;
    tell().await;
    assert_eq!(mails(&app, "low_balance").await.len(), 0);
    want("10").await;
    tell().await;
    assert_eq!(mails(&app, "low_balance").await.len(), 0, "ten are not below ten");
    app.chat(&key, "hello").await.expect(200);
    tell().await;
    tell().await;
    let told = mails(&app, "low_balance").await;
    assert_eq!(told.len(), 1);
    let text = newest_mail(&app, "low_balance").await["text"].as_str().unwrap().to_owned();
    assert!(text.contains("$9.9") && text.contains("$10 "), "{text}");
    app.chat(&key, "hello").await.expect(200);
    tell().await;
    assert_eq!(mails(&app, "low_balance").await.len(), 1, "it had fallen before");
    app.top_up(&ada, "1").await;
    tell().await;
    want("11").await;
    app.chat(&key, "hello").await.expect(200);
    tell().await;
    assert_eq!(mails(&app, "low_balance").await.len(), 2);
    app.audit().await;
}
