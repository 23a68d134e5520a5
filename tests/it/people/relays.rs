//! Mail servers that want encryption and a password, and those that cannot be trusted.

use serde_json::Value;
use tollgate::config::{MailConfig, Secret};

use super::sink::{Encryption, Sink};
use super::*;

const ENCRYPTED: [Encryption; 2] = [Encryption::Implicit, Encryption::StartTls];
const RIGHT: &str = "a-long-password";

/// Mail goes to `url`; the authority of the tests is trusted, or not.
async fn with_relay(url: String, trusted: bool) -> TestApp {
    let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/smtp/ca.pem");
    let mail = MailConfig {
        smtp_url: Secret::new(url),
        from: "Tollgate <gate@example.com>".parse().expect("an address"),
        certificates: trusted.then(|| std::fs::read(authority).expect("a file")),
    };
    TestApp::start_with(|config| config.people.mail = Some(mail)).await
}

/// The mail about ada's address, once an attempt with it has failed or it was sent.
async fn attempted(app: &TestApp) -> Value {
    for _ in 0..800 {
        let mail = mails(app, "email_verification").await.remove(0);
        if mail["last_error"].is_string() || mail["state"] == "sent" {
            return mail;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("nothing came of it: {:?}", mails(app, "email_verification").await);
}

/// Not sent for this reason, and waiting for its next attempt.
#[track_caller]
fn assert_waits(mail: &Value, reason: &str) {
    assert_eq!((&mail["state"], &mail["attempts"]), (&"queued".into(), &1.into()), "{mail}");
    let error = mail["last_error"].as_str().expect("a reason");
    assert!(error.starts_with(reason), "{error}");
    assert!(!error.contains("ada") && !error.contains(RIGHT), "{error}");
}

#[tokio::test]
async fn mail_is_sent_over_an_encrypted_connection_with_a_password() {
    for encryption in ENCRYPTED {
        let sink = Sink::start_with(encryption, Some(RIGHT)).await;
        let app = with_relay(sink.url_with(RIGHT), true).await;
        register(&app, "ada@example.com").await.expect(201);
        let mail = sink.wait_for(1).await.remove(0);
        assert_eq!(mail.to, "RCPT TO:<ada@example.com>", "{encryption:?}");
        assert_eq!((sink.calls(), sink.tried()), (1, 1), "{encryption:?}");
        app.audit().await;
    }
}

#[tokio::test]
async fn a_wrong_password_loses_no_mail() {
    for encryption in ENCRYPTED {
        let sink = Sink::start_with(encryption, Some("another-password")).await;
        let app = with_relay(sink.url_with(RIGHT), true).await;
        register(&app, "ada@example.com").await.expect(201);
        assert_waits(&attempted(&app).await, "the mail server answered 535");
        assert!(sink.received().is_empty() && sink.tried() > 0);
        // Somebody mends it.
        sink.set_password(RIGHT);
        sql(&app, "UPDATE mails SET next_attempt_at = now()").await;
        app.state().people.outbox.wake.notify_one();
        assert_eq!(sink.wait_for(1).await.len(), 1, "{encryption:?}");
        app.audit().await;
    }
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_gets_neither_password_nor_mail() {
    for encryption in ENCRYPTED {
        let sink = Sink::start_with(encryption, Some(RIGHT)).await;
        let app = with_relay(sink.url_with(RIGHT), false).await;
        register(&app, "ada@example.com").await.expect(201);
        let mail = attempted(&app).await;
        assert_waits(&mail, "no conversation with the mail server: ");
        let error = mail["last_error"].as_str().expect("a reason");
        assert!(error.contains("certificate"), "{error}");
        assert!(sink.calls() > 0 && sink.tried() == 0 && sink.received().is_empty());
        app.audit().await;
    }
}

#[tokio::test]
async fn a_server_that_cannot_encrypt_gets_neither_password_nor_mail() {
    let sink = Sink::start_with(Encryption::None, Some(RIGHT)).await;
    let app = with_relay(sink.url_with(RIGHT), true).await;
    register(&app, "ada@example.com").await.expect(201);
    assert_waits(&attempted(&app).await, "the mail server does not offer what SMTP_URL needs");
    assert!(sink.calls() > 0 && sink.tried() == 0 && sink.received().is_empty());
    app.audit().await;
}
