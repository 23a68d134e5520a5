//! Customers and their money.

use chrono::{DateTime, Utc};
use clap::Args;
use rust_decimal::Decimal;
use serde::Serialize;
use tollgate_domain::ids::{AccountId, TopUpId};
use tollgate_domain::{Account, Money};
use tollgate_projections::queries::{self, PageRequest};

use super::AdminError;
use super::output::{Output, table};
use super::shell::Shell;
use crate::operations::{clients, top_ups};

/// A page of customers.
#[derive(Debug, Args)]
pub(super) struct ListClients {
    /// How many at most
    #[arg(long, default_value_t = 50)]
    limit: u16,
    /// The cursor that an earlier page ended with
    #[arg(long)]
    cursor: Option<String>,
}

/// A customer.
#[derive(Debug, Args)]
pub(super) struct Client {
    /// Account id or e-mail address
    client: String,
}

/// Money that came in.
#[derive(Debug, Args)]
pub(super) struct TopUp {
    /// Account id or e-mail address
    client: String,
    /// US dollars
    #[arg(value_parser = Money::parse)]
    amount: Money,
    /// Such as an invoice's number; part of the books for ever, so it names nobody
    #[arg(long, default_value = "")]
    reference: String,
    /// A remark beside the books, which can be erased
    #[arg(long)]
    note: Option<String>,
    /// The same command with the same key is carried out once
    #[arg(long)]
    idempotency_key: Option<String>,
}

/// Money that was paid back.
#[derive(Debug, Args)]
pub(super) struct Refund {
    /// Account id or e-mail address
    client: String,
    /// Of which top-up
    top_up: TopUpId,
    /// US dollars
    #[arg(value_parser = Money::parse)]
    amount: Money,
    /// Why; beside the books, where it can be erased
    #[arg(long)]
    reason: String,
    /// The same command with the same key is carried out once
    #[arg(long)]
    idempotency_key: Option<String>,
}

/// Money that is given.
#[derive(Debug, Args)]
pub(super) struct Grant {
    /// Account id or e-mail address
    client: String,
    /// US dollars
    #[arg(value_parser = Money::parse)]
    amount: Money,
    /// Why; beside the books, where it can be erased
    #[arg(long)]
    reason: String,
    /// From then on what is unspent goes back, as in 2026-12-31T23:59:59Z
    #[arg(long)]
    expires_at: Option<DateTime<Utc>>,
    /// The same command with the same key is carried out once
    #[arg(long)]
    idempotency_key: Option<String>,
}

/// A correction.
#[derive(Debug, Args)]
pub(super) struct Adjust {
    /// Account id or e-mail address
    client: String,
    /// US dollars, up or down
    #[arg(value_parser = Money::parse, allow_hyphen_values = true)]
    amount: Money,
    /// Why; beside the books, where it can be erased
    #[arg(long)]
    reason: String,
    /// What it refers to; part of the books for ever, so it names nobody
    #[arg(long)]
    reference: String,
    /// The same command with the same key is carried out once
    #[arg(long)]
    idempotency_key: Option<String>,
}

/// Stopping or letting go on.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Account id or e-mail address
    client: String,
    /// Why; beside the books, where it can be erased
    #[arg(long)]
    reason: String,
    /// The same command with the same key is carried out once
    #[arg(long)]
    idempotency_key: Option<String>,
}

#[derive(Serialize)]
struct ClientLine {
    account_id: String,
    email: Option<String>,
    status: String,
    plan: Option<String>,
    balance_usd: Decimal,
    reserved_usd: Decimal,
    spent_usd: Decimal,
    requests: i64,
}

#[derive(Serialize)]
struct ClientPage {
    data: Vec<ClientLine>,
    next_cursor: Option<String>,
}

pub(super) async fn list(shell: &Shell, args: ListClients) -> Result<Output, AdminError> {
    shell.caught_up().await?;
    let page = PageRequest::new(args.cursor, Some(args.limit.into())).map_err(refused)?;
    let page = queries::accounts(shell.pool(), &page).await.map_err(refused)?;
    let ids: Vec<String> = page.items.iter().map(|account| account.account_id.clone()).collect();
    let holders = shell.people.users.holders(&ids).await?;
    let data: Vec<ClientLine> = page
        .items
        .into_iter()
        .map(|account| {
            let holder = holders.iter().find(|user| user.account.to_string() == account.account_id);
            ClientLine {
                email: holder.map(|user| user.email.clone()),
                account_id: account.account_id,
                status: account.status,
                plan: account.plan,
                balance_usd: account.balance,
                reserved_usd: account.reserved,
                spent_usd: account.spent,
                requests: account.requests,
            }
        })
        .collect();
    let rows: Vec<[String; 5]> = data
        .iter()
        .map(|client| {
            [
                client.account_id.clone(),
                client.email.clone().unwrap_or_default(),
                client.status.clone(),
                client.balance_usd.to_string(),
                client.spent_usd.to_string(),
            ]
        })
        .collect();
    let mut lines = table(["account", "e-mail", "status", "balance", "spent"], &rows);
    lines.extend(page.next_cursor.iter().map(|cursor| format!("more: --cursor {cursor}")));
    Ok(Output::new(lines, &ClientPage { data, next_cursor: page.next_cursor })?)
}

#[derive(Serialize)]
struct ClientDetail {
    account_id: AccountId,
    status: tollgate_domain::account::Status,
    plan: Option<String>,
    balance_usd: Money,
    reserved_usd: Money,
    available_usd: Money,
    open_grants: Vec<tollgate_domain::account::OpenGrant>,
    top_ups: Vec<TopUpLine>,
}

#[derive(Serialize)]
struct TopUpLine {
    id: TopUpId,
    amount_usd: Money,
    refunded_usd: Money,
    refundable_usd: Money,
}

pub(super) async fn show(shell: &Shell, args: Client) -> Result<Output, AdminError> {
    let account_id = shell.client(&args.client).await?;
    let money = clients::open_money(&shell.ledger, account_id, 100).await?;
    let money = money.ok_or_else(|| AdminError::NoClient(args.client.clone()))?;
    let stream = account_id.to_string();
    let account = shell.ledger.accounts.peek(&stream, Account::clone).await;
    let account = account.map_err(|error| AdminError::Refused(error.into()))?;
    let detail = ClientDetail {
        account_id,
        status: account.status(),
        plan: account.plan().map(str::to_owned),
        balance_usd: account.balance(),
        reserved_usd: account.reserved(),
        available_usd: account.available(),
        open_grants: money.grants,
        top_ups: money
            .top_ups
            .into_iter()
            .map(|(id, amount_usd, refunded_usd, refundable_usd)| TopUpLine {
                id,
                amount_usd,
                refunded_usd,
                refundable_usd,
            })
            .collect(),
    };
    let mut lines = vec![
        format!("account    {account_id}, {}", status_word(detail.status)),
        format!("balance    ${}, of it ${} reserved", detail.balance_usd, detail.reserved_usd),
    ];
    for grant in &detail.open_grants {
        let end = grant.expires_at.and_then(|end| DateTime::from_timestamp_micros(end.micros()));
        let end = end.map_or("for ever".to_owned(), |end| format!("until {}", end.to_rfc3339()));
        lines.push(format!("grant      {}, ${} left {end}", grant.grant, grant.left));
    }
    for top_up in &detail.top_ups {
        let TopUpLine { id, amount_usd, refundable_usd, .. } = top_up;
        lines.push(format!("top-up     {id}, ${amount_usd}, ${refundable_usd} refundable"));
    }
    Ok(Output::new(lines, &detail)?)
}

const fn status_word(status: tollgate_domain::account::Status) -> &'static str {
    match status {
        tollgate_domain::account::Status::Active => "active",
        tollgate_domain::account::Status::Suspended => "suspended",
    }
}

fn refused(error: queries::QueryError) -> AdminError {
    AdminError::Refused(error.into())
}

pub(super) async fn top_up(shell: &Shell, args: TopUp) -> Result<Output, AdminError> {
    let account = shell.client(&args.client).await?;
    let content = (account, args.amount, &args.reference, &args.note);
    let key = Shell::key("cli:top_up", args.idempotency_key, &content)?;
    let (id, amount) = (top_ups::new_id(), args.amount);
    let new = top_ups::TopUp { id, account, amount, reference: args.reference, note: args.note };
    let (pool, context) = (shell.pool(), &shell.context);
    let done = top_ups::top_up(&shell.ledger, pool, new, context, key.as_ref()).await?;
    let line = format!("${} on {account}: {}", done.answer.amount, done.answer.id);
    Ok(Output::done(line, &done)?)
}

pub(super) async fn refund(shell: &Shell, args: Refund) -> Result<Output, AdminError> {
    let account = shell.client(&args.client).await?;
    let content = (account, args.top_up, args.amount, &args.reason);
    let key = Shell::key("cli:refund", args.idempotency_key, &content)?;
    let desk = shell.desk(key.as_ref());
    let done = clients::refund(desk, account, args.top_up, args.amount, &args.reason).await?;
    let line = format!("${} of {} paid back: {}", args.amount, args.top_up, done.answer.id);
    Ok(Output::done(line, &done)?)
}

pub(super) async fn grant(shell: &Shell, args: Grant) -> Result<Output, AdminError> {
    let account = shell.client(&args.client).await?;
    let content = (account, args.amount, args.expires_at, &args.reason);
    let key = Shell::key("cli:grant", args.idempotency_key, &content)?;
    let desk = shell.desk(key.as_ref());
    let done = clients::grant(desk, account, args.amount, args.expires_at, &args.reason).await?;
    let line = format!("${} given to {account}: {}", args.amount, done.answer.id);
    Ok(Output::done(line, &done)?)
}

pub(super) async fn adjust(shell: &Shell, args: Adjust) -> Result<Output, AdminError> {
    let account = shell.client(&args.client).await?;
    let content = (account, args.amount, &args.reference, &args.reason);
    let key = Shell::key("cli:adjust", args.idempotency_key, &content)?;
    let desk = shell.desk(key.as_ref());
    let done = clients::adjust(desk, account, args.amount, args.reference, &args.reason).await?;
    let line = format!("{account} corrected by ${}: {}", args.amount, done.answer.id);
    Ok(Output::done(line, &done)?)
}

pub(super) async fn suspend(shell: &Shell, args: Status) -> Result<Output, AdminError> {
    let account = shell.client(&args.client).await?;
    let key = Shell::key("cli:suspend", args.idempotency_key, &(account, &args.reason))?;
    let done = clients::suspend(shell.desk(key.as_ref()), account, &args.reason).await?;
    Ok(Output::done(format!("{account} is suspended"), &done)?)
}

pub(super) async fn reinstate(shell: &Shell, args: Status) -> Result<Output, AdminError> {
    let account = shell.client(&args.client).await?;
    let key = Shell::key("cli:reinstate", args.idempotency_key, &(account, &args.reason))?;
    let done = clients::reinstate(shell.desk(key.as_ref()), account, &args.reason).await?;
    Ok(Output::done(format!("{account} is active"), &done)?)
}
