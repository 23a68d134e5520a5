//! Sends what waits in the outbox.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::mail::{Letters, MailError, Mailer, Outbox, Queued};

/// How often it looks for mail whose time has come again.
const LOOK: Duration = Duration::from_secs(5);
/// Mails taken at once: each is sent in a conversation of its own, one after the other.
const AT_ONCE: i64 = 8;
/// For one mail with everything; less than it takes until the mail's next attempt.
const PATIENCE: Duration = Duration::from_secs(60);

/// Until `stop`. A mail that is on its way then is sent again by whoever looks next: twice is
/// better than never.
pub async fn send_mails(
    outbox: Outbox,
    letters: Letters,
    mailer: Arc<dyn Mailer>,
    stop: CancellationToken,
) {
    loop {
        match outbox.take(AT_ONCE).await {
            Ok(mails) if mails.is_empty() => tokio::select! {
                () = stop.cancelled() => return,
                () = outbox.wake.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
            },
            Ok(mails) => {
                for mail in mails {
                    let sending = send(&outbox, &letters, &*mailer, &mail);
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = sending => {}
                    }
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the outbox cannot be read");
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(LOOK) => {}
                }
            }
        }
    }
}

async fn send(outbox: &Outbox, letters: &Letters, mailer: &dyn Mailer, queued: &Queued) {
    let outcome = match letters.write(queued) {
        None => Err(MailError::Never("there is nothing to say".to_owned())),
        Some(mail) => match tokio::time::timeout(PATIENCE, mailer.send(&mail)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(MailError::Later("it took too long".to_owned())),
        },
    };
    let (id, kind) = (queued.id, queued.kind.as_str());
    let noted = match &outcome {
        Ok(()) => {
            tracing::info!(mail.id = %id, mail.kind = kind, "a mail was sent");
            outbox.sent(id).await
        }
        Err(why) => {
            tracing::warn!(mail.id = %id, mail.kind = kind, "a mail was not sent: {why}");
            outbox.not_sent(id, why).await
        }
    };
    if let Err(error) = noted {
        tracing::warn!(mail.id = %id, %error, "what came of a mail could not be noted");
    }
}
