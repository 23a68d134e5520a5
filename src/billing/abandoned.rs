//! Calls of the upstream whose reservation was refused after they had begun.

use std::time::Duration;

use tollgate_domain::account::{AbandonCall, AccountCommand};
use tollgate_domain::ids::AccountId;

use super::reservation::Books;
use crate::ledger::CommandContext;

/// Takes note of such a call, so that its bill is asked for and stands in the books: tried until it
/// is durable or the process ends.
pub async fn abandon(
    books: &Books,
    account: AccountId,
    context: &CommandContext,
    call: AbandonCall,
) {
    let (stream, reservation) = (account.to_string(), call.reservation);
    let command = AccountCommand::AbandonCall(Box::new(call));
    let mut pause = Duration::from_millis(50);
    loop {
        match books.ledger.accounts.execute(&stream, command.clone(), context, None).await {
            Ok(committed) => return books.count(&committed.events),
            Err(error) if error.is_transient() && !books.stop.is_cancelled() => {
                tracing::warn!(%reservation, %error, "the note of its call is tried again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(5));
            }
            Err(error) => {
                tracing::error!(%reservation, %error, "what its call cost stays unknown");
                return;
            }
        }
    }
}
