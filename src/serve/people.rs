//! People, and the loops that look after them.

use std::sync::Arc;

use sqlx::PgPool;

use super::{Scopes, ServeError};
use crate::config::Config;
use crate::identity::{ApiKeys, People};
use crate::ledger::Ledger;
use crate::mail::Smtp;
use crate::workers;

/// Creates the first admin where there is none, and starts the loops.
pub(super) async fn start(
    config: &Config,
    pool: &PgPool,
    ledger: &Ledger,
    keys: &ApiKeys,
    scopes: &Scopes,
) -> Result<People, ServeError> {
    let people = People::new(pool.clone(), &config.secret_key, &config.people, ledger.clone())
        .believing_also(config.secret_key_previous.as_ref());
    if let Some(admin) = &config.admin {
        people.ensure_admin(admin).await?;
    }
    let stop = || scopes.loops.clone();
    let sessions = people.sessions.clone();
    scopes.workers.spawn(workers::learn_revocations(keys.clone(), sessions, stop()));
    scopes.workers.spawn(workers::do_chores(people.clone(), pool.clone(), stop()));
    match &config.people.mail {
        Some(mail) => {
            let mailer = Arc::new(Smtp::new(mail)?);
            let (outbox, letters) = (people.outbox.clone(), people.letters.clone());
            scopes.workers.spawn(workers::send_mails(outbox, letters, mailer, stop()));
        }
        None => tracing::info!("without SMTP_URL, mails wait at /v1/admin/mails for an admin"),
    }
    Ok(people)
}
