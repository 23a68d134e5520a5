//! A customer to try things with: money on the account, and a key that is kept in the data
//! directory so that the next start shows it again. Only for a private run.

use std::path::Path;

use tollgate_domain::Money;
use tollgate_domain::account::KeyLimits;

use super::ServeError;
use crate::config::{Secret, kept};
use crate::http::{ApiError, AppState};
use crate::identity::people::{NewUser, PeopleError};
use crate::identity::{KeyHash, KeyStatus, Role};
use crate::ledger::{Actor, CommandContext};
use crate::operations::{keys, top_ups};

/// The demo customer's address.
pub const EMAIL: &str = "demo@tollgate.local";

/// What the newcomer is shown.
#[derive(Debug)]
pub struct Demo {
    /// The demo customer's password.
    pub password: Secret,
    /// The demo customer's API key.
    pub key: Secret,
}

/// Creates the demo customer where there is none.
///
/// # Errors
/// The books or the data directory refuse.
pub async fn prepare(app: &AppState, data_dir: &Path) -> Result<Demo, ServeError> {
    let password = kept::keep(data_dir, "demo-password", || kept::random_text(12))
        .map(Secret::new)
        .map_err(ApiError::internal)?;
    let by = CommandContext::by(Actor::System("demo"));
    let new = NewUser {
        email: EMAIL.to_owned(),
        password: password.clone(),
        name: "Demo".to_owned(),
        role: Role::Client,
    };
    match app.people.register(new, &by).await {
        Ok(_) | Err(PeopleError::EmailTaken) => {}
        Err(error) => return Err(error.into()),
    }
    let user = app.people.users.find_by_email(EMAIL).await.map_err(ApiError::from)?;
    let user = user.ok_or_else(|| ApiError::internal("the demo customer is gone"))?;
    if let Some(key) = live_key(app, data_dir).await? {
        return Ok(Demo { password, key });
    }
    let amount = Money::dollars(25);
    let top_up = top_ups::TopUp {
        id: top_ups::new_id(),
        account: user.account,
        amount,
        reference: "demo".to_owned(),
        note: None,
    };
    top_ups::top_up(&app.ledger, app.database.pool(), top_up, &by, None).await?;
    let limits = KeyLimits::default();
    let issued = keys::issue(&app.ledger, &app.keys, user.account, "demo", limits, &by).await?;
    let key = Secret::new(issued.key.expose());
    kept::replace(data_dir, "demo-key", key.expose()).map_err(ApiError::internal)?;
    Ok(Demo { password, key })
}

/// The kept key, if its account still honours it.
async fn live_key(app: &AppState, data_dir: &Path) -> Result<Option<Secret>, ServeError> {
    let Some(text) = kept::find(data_dir, "demo-key").map_err(ApiError::internal)? else {
        return Ok(None);
    };
    let Some(hash) = KeyHash::of(&text) else { return Ok(None) };
    match app.keys.status(hash).await.map_err(ApiError::from)? {
        KeyStatus::Live(_) => Ok(Some(Secret::new(text))),
        KeyStatus::Revoked | KeyStatus::Unknown => Ok(None),
    }
}
