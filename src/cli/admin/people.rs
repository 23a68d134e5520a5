//! People and keys.

use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;
use tollgate_domain::account::KeyLimits;
use tollgate_domain::ids::{AccountId, KeyId};
use tollgate_domain::time::Period;
use tollgate_domain::{Money, Timestamp};

use super::AdminError;
use super::output::Output;
use super::shell::{Shell, secret_from_input};
use crate::config::{Secret, kept};
use crate::identity::people::NewUser;
use crate::identity::{KeyOwner, Role};
use crate::operations::keys;

/// Somebody who administrates.
#[derive(Debug, Args)]
pub(super) struct CreateAdmin {
    /// The address to sign in with
    email: String,
    /// How to address them
    #[arg(long, default_value = "Admin")]
    name: String,
    /// Take the password from standard input instead of making one
    #[arg(long)]
    password_stdin: bool,
}

/// A key to be issued.
#[derive(Debug, Args)]
pub(super) struct IssueKey {
    /// Account id or e-mail address
    client: String,
    /// The key's name
    #[arg(long)]
    name: String,
    /// US dollars that it may spend
    #[arg(long, value_parser = Money::parse)]
    limit_usd: Option<Money>,
    /// The period that the limit counts in
    #[arg(long, value_enum, requires = "limit_usd")]
    period: Option<PeriodName>,
    /// From then on it is refused, as in 2026-12-31T23:59:59Z
    #[arg(long)]
    expires_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum PeriodName {
    Day,
    Week,
    Month,
    Total,
}

impl From<PeriodName> for Period {
    fn from(name: PeriodName) -> Self {
        match name {
            PeriodName::Day => Self::Day,
            PeriodName::Week => Self::Week,
            PeriodName::Month => Self::Month,
            PeriodName::Total => Self::Total,
        }
    }
}

/// A key to be revoked.
#[derive(Debug, Args)]
pub(super) struct RevokeKey {
    /// Account id or e-mail address
    client: String,
    /// The key's id, as in key_01k2h3j4k5m6n7p8q9r0s1t2v3
    key: KeyId,
}

#[derive(Serialize)]
struct Created {
    user_id: String,
    account_id: AccountId,
    email: String,
    password: Option<String>,
    position: i64,
}

pub(super) async fn create_admin(shell: &Shell, args: CreateAdmin) -> Result<Output, AdminError> {
    let (password, made) = match args.password_stdin {
        true => (secret_from_input("the password")?, None),
        false => {
            let text = kept::random_text(18).map_err(AdminError::Input)?;
            (Secret::new(text.clone()), Some(text))
        }
    };
    let email = args.email.trim().to_owned();
    if !email.contains('@') || email.contains(char::is_whitespace) {
        let problem = format!("`{email}` is not an e-mail address");
        return Err(AdminError::Argument { name: "EMAIL", problem });
    }
    let new = NewUser { email: email.clone(), password, name: args.name, role: Role::Admin };
    let (user, position) = shell.people.register(new, &shell.context).await?;
    let mut lines = vec![format!("{} administrates now ({})", email, user.id)];
    lines.extend(made.iter().map(|password| format!("password: {password}")));
    let (user_id, account_id) = (user.id.to_string(), user.account);
    Ok(Output::new(lines, &Created { user_id, account_id, email, password: made, position })?)
}

#[derive(Serialize)]
struct Issued {
    id: KeyId,
    account_id: AccountId,
    key: String,
    position: i64,
}

pub(super) async fn issue_key(shell: &Shell, args: IssueKey) -> Result<Output, AdminError> {
    let account = shell.client(&args.client).await?;
    if !(1..=100).contains(&args.name.chars().count()) {
        let problem = "use 1 to 100 characters".to_owned();
        return Err(AdminError::Argument { name: "--name", problem });
    }
    let limits = KeyLimits {
        limit: args.limit_usd,
        period: args.period.map(Into::into),
        expires_at: args.expires_at.map(|end| Timestamp(end.timestamp_micros())),
        ..KeyLimits::default()
    };
    let (ledger, keys) = (&shell.ledger, &shell.keys);
    let issued = keys::issue(ledger, keys, account, &args.name, limits, &shell.context).await?;
    let key = issued.key.expose().to_owned();
    let lines = vec![format!("{} for {account}; it is shown once:", issued.id), key.clone()];
    let position = issued.position;
    Ok(Output::new(lines, &Issued { id: issued.id, account_id: account, key, position })?)
}

#[derive(Serialize)]
struct Revoked {
    id: KeyId,
    account_id: AccountId,
    position: i64,
}

pub(super) async fn revoke_key(shell: &Shell, args: RevokeKey) -> Result<Output, AdminError> {
    let account = shell.client(&args.client).await?;
    let owner = KeyOwner { key: args.key, account };
    let position = keys::revoke(&shell.ledger, &shell.keys, owner, &shell.context).await?;
    let lines = vec![format!("{} is revoked (position {position})", args.key)];
    Ok(Output::new(lines, &Revoked { id: args.key, account_id: account, position })?)
}
