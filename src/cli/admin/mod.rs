//! `tollgate admin`: what the admin endpoints do, from the shell, for the first hour of an
//! installation and for whoever has no token. The same operations against the same database, by the
//! actor `system:cli`; servers may be running.

mod accounts;
mod output;
mod people;
mod rotation;
mod shell;
mod upstream;

use clap::{Args, Subcommand};

use super::CliError;
use crate::http::ApiError;
use crate::identity::people::PeopleError;
use crate::operations::rotation::RotationError;
use output::Output;
use shell::Shell;

/// What to administrate.
#[derive(Debug, Args)]
pub struct AdminArgs {
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Create somebody who administrates
    CreateAdmin(people::CreateAdmin),
    /// List customers
    ListClients(accounts::ListClients),
    /// Show a customer's account
    ShowClient(accounts::Client),
    /// Book money that came in
    TopUp(accounts::TopUp),
    /// Book money that was paid back
    Refund(accounts::Refund),
    /// Give money
    Grant(accounts::Grant),
    /// Correct a balance
    Adjust(accounts::Adjust),
    /// Stop an account
    Suspend(accounts::Status),
    /// Let an account go on
    Reinstate(accounts::Status),
    /// Issue an API key
    IssueKey(people::IssueKey),
    /// Revoke an API key
    RevokeKey(people::RevokeKey),
    /// List upstream accounts
    ListMasterAccounts,
    /// Register an upstream account; its key comes from standard input
    AddMasterAccount(upstream::AddMasterAccount),
    /// Book credits that were bought
    Purchase(upstream::Purchase),
    /// Set a sale ratio
    SetRatio(upstream::SetRatio),
    /// Seal every stored secret again under the new ENCRYPTION_KEY
    RotateEncryptionKey(rotation::Rotate),
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The operation refuses.
    #[error("{}", .0.with_causes())]
    Refused(#[from] ApiError),
    /// A person.
    #[error(transparent)]
    People(#[from] PeopleError),
    /// The rotation of a key.
    #[error(transparent)]
    Rotation(#[from] RotationError),
    /// No such customer.
    #[error("there is no customer `{0}`: write an account's id or an e-mail address")]
    NoClient(String),
    /// An argument that can't be understood.
    #[error("{name}: {problem}")]
    Argument {
        /// Which.
        name: &'static str,
        /// Why.
        problem: String,
    },
    /// Standard input.
    #[error("standard input can't be read: {0}")]
    Input(std::io::Error),
    /// The answer.
    #[error("the answer can't be written: {0}")]
    Json(#[from] serde_json::Error),
}

impl From<sqlx::Error> for AdminError {
    fn from(error: sqlx::Error) -> Self {
        Self::Refused(error.into())
    }
}

pub(super) async fn run(args: AdminArgs) -> Result<(), CliError> {
    let shell = Shell::open().await?;
    let done = perform(&shell, args.what).await;
    shell.close().await?;
    done?.print(args.json).map_err(AdminError::from)?;
    Ok(())
}

async fn perform(shell: &Shell, what: What) -> Result<Output, AdminError> {
    match what {
        What::CreateAdmin(args) => people::create_admin(shell, args).await,
        What::ListClients(args) => accounts::list(shell, args).await,
        What::ShowClient(args) => accounts::show(shell, args).await,
        What::TopUp(args) => accounts::top_up(shell, args).await,
        What::Refund(args) => accounts::refund(shell, args).await,
        What::Grant(args) => accounts::grant(shell, args).await,
        What::Adjust(args) => accounts::adjust(shell, args).await,
        What::Suspend(args) => accounts::suspend(shell, args).await,
        What::Reinstate(args) => accounts::reinstate(shell, args).await,
        What::IssueKey(args) => people::issue_key(shell, args).await,
        What::RevokeKey(args) => people::revoke_key(shell, args).await,
        What::ListMasterAccounts => upstream::list(shell).await,
        What::AddMasterAccount(args) => upstream::add(shell, args).await,
        What::Purchase(args) => upstream::purchase(shell, args).await,
        What::SetRatio(args) => upstream::set_ratio(shell, args).await,
        What::RotateEncryptionKey(args) => rotation::rotate(shell, args).await,
    }
}
