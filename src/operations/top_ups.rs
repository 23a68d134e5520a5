//! Money in.

use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use tollgate_domain::ids::{AccountId, TopUpId};
use tollgate_domain::{AccountCommand, Money};
use uuid::Uuid;

use super::once::{self, Outcome, RequestKey};
use crate::http::ApiError;
use crate::identity::remarks;
use crate::ledger::{CommandContext, Ledger};

/// Money that an operator has received outside.
const PROCESSOR: &str = "manual";

/// A top-up as it was booked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TopUp {
    /// Its id.
    pub id: TopUpId,
    /// Whose money.
    pub account: AccountId,
    /// How much.
    pub amount: Money,
    /// The operator's reference; part of the books.
    pub reference: String,
    /// A remark that can be erased, so it is not part of the books, nor of what is kept for a
    /// repeated request: that one brings it along.
    #[serde(skip)]
    pub note: Option<String>,
}

/// Books a top-up once per key.
pub async fn top_up(
    ledger: &Ledger,
    pool: &PgPool,
    new: TopUp,
    context: &CommandContext,
    key: Option<&RequestKey>,
) -> Result<Outcome<TopUp>, ApiError> {
    let note = new.note.clone();
    if let Some(earlier) = once::find(ledger, key).await? {
        return Ok(with_note(earlier, note));
    }
    if let Some(note) = &note {
        remarks::note(pool, &new.id.to_string(), note, Some(new.account), context.actor).await?;
    }
    let command = AccountCommand::TopUpFunds {
        top_up: new.id,
        amount: new.amount,
        processor: PROCESSOR.to_owned(),
        reference: new.reference.clone(),
    };
    let stream = new.account.to_string();
    let done = once::execute(ledger, &ledger.accounts, &stream, command, context, key, new).await?;
    Ok(with_note(done, note))
}

fn with_note(mut done: Outcome<TopUp>, note: Option<String>) -> Outcome<TopUp> {
    done.answer.note = note;
    done
}

/// A fresh id.
pub fn new_id() -> TopUpId {
    TopUpId::from_uuid(Uuid::now_v7())
}
