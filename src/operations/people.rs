//! What operators do to people, and what people do to themselves for good. Each change stands in
//! the audit trail with its actor.

use tollgate_domain::account::Status;
use tollgate_domain::ids::{AccountId, SessionId, UserId};
use tollgate_domain::{Account, AccountCommand, AccountError, Money};

use crate::config::Secret;
use crate::http::ApiError;
use crate::http::error::both;
use crate::identity::links::{self, Purpose};
use crate::identity::people::SignedIn;
use crate::identity::trail::{self, Action};
use crate::identity::{
    ApiKeys, KeyOwner, Origin, People, Role, SessionStore, User, Users, erasure,
};
use crate::ledger::{Actor, CommandContext, CommandError, Ledger};
use crate::mail::Page;

/// A link that sets a new password, for whoever hands it to its owner.
#[derive(Debug)]
pub struct ResetLink {
    /// The page that asks for the password.
    pub url: Secret,
    /// What the page sends with it.
    pub token: Secret,
    /// How long it works, in seconds.
    pub expires_in: i64,
}

/// What happens to the money of somebody who is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftMoney {
    /// There must be none.
    Refuse,
    /// The owner gives it up; it stays on the account in the books.
    Forfeit,
    /// As [`LeftMoney::Forfeit`], and a debt stays too: only operators may decide that.
    Abandon,
}

/// What was left of somebody who is erased.
#[derive(Debug, Clone, Copy)]
pub struct Erased {
    /// Their account, which nobody can use any more.
    pub account: AccountId,
    /// What is on it.
    pub balance: Money,
    /// A position of the log that holds its end.
    pub position: i64,
}

fn no_such_user() -> ApiError {
    ApiError::NotFound { what: both!("user", "пользователь") }
}

/// The person with this id.
///
/// # Errors
/// There is none.
pub async fn find(people: &People, user: UserId) -> Result<User, ApiError> {
    people.users.find(user).await?.ok_or_else(no_such_user)
}

/// Gives somebody another role. All their sessions end, because access tokens say the role.
///
/// # Errors
/// There is no such person; it is the last admin.
pub async fn set_role(
    people: &People,
    user: UserId,
    role: Role,
    context: &CommandContext,
) -> Result<User, ApiError> {
    let mut transaction = people.pool().begin().await?;
    let admins = Users::lock_admins(&mut transaction).await?;
    let found = people.users.find(user).await?.ok_or_else(no_such_user)?;
    if found.role == role {
        return Ok(found);
    }
    if role != Role::Admin {
        not_the_last(&admins, user)?;
    }
    Users::set_role(&mut *transaction, user, role).await?;
    let ended = SessionStore::end_all(&mut *transaction, user, None).await?;
    let action = Action::RoleChanged { from: found.role, to: role };
    trail::record(&mut *transaction, context, action, &user).await?;
    transaction.commit().await?;
    people.sessions.forget(&ended);
    Ok(User { role, ..found })
}

/// Somebody has to be able to give roles back.
fn not_the_last(admins: &[UserId], user: UserId) -> Result<(), ApiError> {
    if admins != [user] {
        return Ok(());
    }
    let message = both!(
        "This is the last admin: make somebody else an admin first.",
        "Это последний администратор: сначала назначьте другого."
    );
    Err(ApiError::Conflict { code: "last_admin", message })
}

/// Ends all sessions of somebody and returns how many.
///
/// # Errors
/// There is no such person.
pub async fn end_sessions(
    people: &People,
    user: UserId,
    context: &CommandContext,
) -> Result<usize, ApiError> {
    find(people, user).await?;
    let mut transaction = people.pool().begin().await?;
    let ended: Vec<SessionId> = SessionStore::end_all(&mut *transaction, user, None).await?;
    let action = Action::SessionsEnded { sessions: ended.len() };
    trail::record(&mut *transaction, context, action, &user).await?;
    transaction.commit().await?;
    people.sessions.forget(&ended);
    Ok(ended.len())
}

/// A link that sets a new password, where mail does not reach its owner. What it gives away is
/// a secret: show it to whoever asked, and never log it.
///
/// # Errors
/// There is no such person.
pub async fn make_reset_link(
    people: &People,
    user: UserId,
    context: &CommandContext,
) -> Result<ResetLink, ApiError> {
    find(people, user).await?;
    let purpose = Purpose::PasswordReset;
    let mut transaction = people.pool().begin().await?;
    let link = links::make(&mut transaction, user, purpose).await?;
    trail::record(&mut *transaction, context, Action::ResetLinkMade, &user).await?;
    transaction.commit().await?;
    let token = people.letters.token(purpose.token_use(), link.uuid());
    let url = people.letters.url(Page::ResetPassword, Some(&token));
    Ok(ResetLink { url, token, expires_in: purpose.lasts().num_seconds() })
}

/// Sets a new password with a mailed token and signs in.
///
/// Where the address had not been verified before, somebody else may have registered it: keys that
/// were issued meanwhile could spend what its owner is going to pay in, so they are revoked.
///
/// # Errors
/// The token does not work (any more); the password breaks a rule.
pub async fn reset_password(
    people: &People,
    ledger: &Ledger,
    keys: &ApiKeys,
    token: &str,
    new: Secret,
    origin: &Origin,
    context: &CommandContext,
) -> Result<SignedIn, ApiError> {
    let reset = people.find_reset(token, &new).await?;
    let context = &CommandContext { actor: Actor::User(reset.user.id), ..context.clone() };
    if reset.user.email_verified_at.is_none() {
        revoke_keys(ledger, keys, reset.user.account, context).await?;
    }
    Ok(people.reset_password(reset, new, origin, context).await?)
}

/// Erases a person: what says who they were goes, the books stay. Their keys are revoked and the
/// account is suspended by events first, so that after a stop in between the same call goes on.
///
/// # Errors
/// There is no such person; it is the last admin; requests are running; money or a debt is left.
pub async fn erase(
    people: &People,
    ledger: &Ledger,
    keys: &ApiKeys,
    user: UserId,
    left: LeftMoney,
    context: &CommandContext,
) -> Result<Erased, ApiError> {
    let mut transaction = people.pool().begin().await?;
    let admins = Users::lock_admins(&mut transaction).await?;
    let found = people.users.find(user).await?.ok_or_else(no_such_user)?;
    not_the_last(&admins, user)?;
    let stream = found.account.to_string();
    ledger.accounts.freshen(&stream).await?;
    let look = |account: &Account| {
        (account.balance(), account.open_reservations().count(), account.status())
    };
    let (balance, open, status) = ledger.accounts.peek(&stream, look).await?;
    may_go(balance, open, left)?;
    let mut position = revoke_keys(ledger, keys, found.account, context).await?;
    if status == Status::Active {
        let suspend = AccountCommand::SuspendAccount { reason: "erased".to_owned() };
        position = ledger.accounts.execute(&stream, suspend, context, None).await?.position;
    }
    let ended = erasure::erase(&mut transaction, &found).await?;
    trail::record(&mut *transaction, context, Action::PersonErased, &user).await?;
    transaction.commit().await?;
    people.sessions.forget(&ended);
    Ok(Erased { account: found.account, balance, position })
}

/// Whether an account may lose its owner.
fn may_go(balance: Money, open: usize, left: LeftMoney) -> Result<(), ApiError> {
    let refuse = |code, message| Err(ApiError::Conflict { code, message });
    if open > 0 {
        let message = both!(
            "{open} requests are running: wait for their end.",
            "Выполняются запросы ({open}): дождитесь их завершения."
        );
        return refuse("requests_open", message);
    }
    if balance.is_negative() && left != LeftMoney::Abandon {
        let message = both!(
            "The account owes ${owed}: it has to be settled first.",
            "За счётом долг ${owed}: сначала его нужно погасить.",
            owed = balance.negated()
        );
        return refuse("balance_owed", message);
    }
    if balance.is_positive() && left == LeftMoney::Refuse {
        let message = both!(
            "${balance} is left on the account: ask the operator for a refund, or give it up \
             with `forfeit=true`.",
            "На счёте осталось ${balance}: запросите возврат у оператора или откажитесь от \
             остатка через `forfeit=true`."
        );
        return refuse("balance_left", message);
    }
    Ok(())
}

/// Revokes every key of an account and returns a position that holds it.
async fn revoke_keys(
    ledger: &Ledger,
    keys: &ApiKeys,
    account: AccountId,
    context: &CommandContext,
) -> Result<i64, ApiError> {
    let stream = account.to_string();
    let live = |account: &Account| {
        let keys = account.keys().filter(|(_, revoked)| !revoked);
        keys.map(|(key, _)| key).collect::<Vec<_>>()
    };
    let mut position = *ledger.engine().head().borrow();
    for key in ledger.accounts.peek(&stream, live).await? {
        let command = AccountCommand::RevokeKey { key };
        match ledger.accounts.execute(&stream, command, context, None).await {
            Ok(done) => position = done.position,
            Err(CommandError::Refused(AccountError::KeyNotFound(_))) => {}
            Err(error) => return Err(error.into()),
        }
        keys.revoke(KeyOwner { key, account }, chrono::Utc::now()).await?;
    }
    Ok(position)
}
