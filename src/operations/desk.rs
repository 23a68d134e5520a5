//! Who does something to the books, with what, and under which key.

use sqlx::PgPool;
use tollgate_domain::ids::{AccountId, NoteId};
use uuid::Uuid;

use super::once::RequestKey;
use crate::http::ApiError;
use crate::identity::remarks;
use crate::ledger::{CommandContext, Ledger};

/// What every operation of an operator needs, over HTTP and from the shell alike.
#[derive(Debug, Clone, Copy)]
pub struct Desk<'a> {
    /// The books.
    pub ledger: &'a Ledger,
    /// For what stands beside them.
    pub pool: &'a PgPool,
    /// Who, with which request.
    pub context: &'a CommandContext,
    /// The `Idempotency-Key`, where one was sent.
    pub key: Option<&'a RequestKey>,
}

impl Desk<'_> {
    /// Writes down why something is done, to an account where it is done to one, and returns what
    /// its event says instead: free text may name people, and an event cannot be erased.
    pub async fn because(
        &self,
        reason: &str,
        account: Option<AccountId>,
    ) -> Result<String, ApiError> {
        let id = NoteId::from_uuid(Uuid::now_v7()).to_string();
        remarks::note(self.pool, &id, reason, account, self.context.actor).await?;
        Ok(id)
    }

    /// The same where no reason need be given.
    pub async fn maybe_because(
        &self,
        reason: Option<&str>,
        account: Option<AccountId>,
    ) -> Result<Option<String>, ApiError> {
        match reason {
            Some(reason) => Ok(Some(self.because(reason, account).await?)),
            None => Ok(None),
        }
    }
}
