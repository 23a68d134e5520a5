//! Upstream accounts and sale ratios.

use clap::Args;
use rust_decimal::Decimal;
use serde::Serialize;
use tollgate_domain::Money;
use tollgate_domain::decimal::Ratio;
use tollgate_domain::ids::{AccountId, MasterAccountId};
use tollgate_domain::price_book::RatioScope;
use tollgate_projections::queries::{self, PageRequest};

use super::AdminError;
use super::output::{Output, table};
use super::shell::{Shell, secret_from_input};
use crate::http::ApiError;
use crate::identity::sealed;
use crate::operations::master_accounts::{self, NewMasterAccount, Registered};
use crate::operations::prices;

/// An upstream account to be registered.
#[derive(Debug, Args)]
pub(super) struct AddMasterAccount {
    /// Your name for it
    #[arg(long)]
    label: String,
    /// Who runs it
    #[arg(long, default_value = "openrouter")]
    provider: String,
    /// Where requests go
    #[arg(long, default_value = "https://openrouter.ai/api/v1")]
    base_url: reqwest::Url,
}

/// Credits that were bought.
#[derive(Debug, Args)]
pub(super) struct Purchase {
    /// For which upstream account
    master_account: MasterAccountId,
    /// Face value in US dollars
    #[arg(value_parser = Money::parse)]
    credits: Money,
    /// What was paid for them
    #[arg(value_parser = Money::parse)]
    paid: Money,
    /// The fee on top
    #[arg(long, value_parser = Money::parse, default_value = "0")]
    fee: Money,
    /// Your reference; part of the books for ever, so it names nobody
    #[arg(long, default_value = "")]
    reference: String,
    /// The same command with the same key is carried out once
    #[arg(long)]
    idempotency_key: Option<String>,
}

/// A sale ratio.
#[derive(Debug, Args)]
pub(super) struct SetRatio {
    /// Charge = list cost × this; absent: the override is taken away
    #[arg(value_parser = Ratio::parse)]
    ratio: Option<Ratio>,
    /// For this model; without it and --account the default is set
    #[arg(long, conflicts_with = "account")]
    model: Option<String>,
    /// For this account
    #[arg(long)]
    account: Option<AccountId>,
    /// Why; beside the books, where it can be erased
    #[arg(long)]
    reason: Option<String>,
    /// The same command with the same key is carried out once
    #[arg(long)]
    idempotency_key: Option<String>,
}

#[derive(Serialize)]
struct MasterLine {
    id: String,
    label: Option<String>,
    provider: Option<String>,
    status: Option<String>,
    remaining_usd: Decimal,
}

pub(super) async fn list(shell: &Shell) -> Result<Output, AdminError> {
    shell.caught_up().await?;
    let all = PageRequest::new(None, Some(PageRequest::MOST)).map_err(ApiError::from)?;
    let page = queries::master_accounts(shell.pool(), &all).await.map_err(ApiError::from)?;
    let masters: Vec<MasterLine> = page
        .items
        .into_iter()
        .map(|master| MasterLine {
            id: master.master_account_id,
            label: master.label,
            provider: master.provider,
            status: master.status,
            remaining_usd: master.remaining,
        })
        .collect();
    let rows: Vec<[String; 4]> = masters
        .iter()
        .map(|master| {
            let text = |part: &Option<String>| part.clone().unwrap_or_default();
            let left = master.remaining_usd.to_string();
            [master.id.clone(), text(&master.label), text(&master.status), left]
        })
        .collect();
    Ok(Output::new(table(["id", "label", "status", "remaining"], &rows), &masters)?)
}

#[derive(Serialize)]
struct Added {
    id: MasterAccountId,
    label: String,
    masked_key: String,
    position: i64,
}

pub(super) async fn add(shell: &Shell, args: AddMasterAccount) -> Result<Output, AdminError> {
    let key = secret_from_input("the upstream's key")?;
    // It travels in a header; a line break or a space inside is a slip of the clipboard.
    if !key.expose().chars().all(|c| c.is_ascii_graphic()) {
        let problem = "a key has visible ASCII characters only".to_owned();
        return Err(AdminError::Argument { name: "standard input", problem });
    }
    let masked_key = sealed::mask(&key);
    let base_url = args.base_url.as_str().trim_end_matches('/').to_owned();
    let label = args.label.clone();
    let new = NewMasterAccount { label: args.label, provider: args.provider, base_url, key };
    let keys = &shell.upstream_keys;
    match master_accounts::register(shell.desk(None), keys, &new, None).await? {
        Registered::New(done) => {
            let (id, position) = (done.answer, done.position);
            let lines = vec![
                format!("{id} is registered as `{label}` (position {position})"),
                format!("book what you bought: tollgate admin purchase {id} CREDITS PAID"),
            ];
            Ok(Output::new(lines, &Added { id, label, masked_key, position })?)
        }
        Registered::Before(id) => {
            let problem = format!("this key belongs to {id} already");
            Err(AdminError::Argument { name: "standard input", problem })
        }
    }
}

pub(super) async fn purchase(shell: &Shell, args: Purchase) -> Result<Output, AdminError> {
    let Purchase { master_account, credits, paid, fee, reference, idempotency_key } = args;
    let content = (master_account, credits, paid, fee, &reference);
    let key = Shell::key("cli:purchase", idempotency_key, &content)?;
    let id = master_accounts::new_purchase_id();
    let new = master_accounts::Purchase { id, master_account, credits, paid, fee, reference };
    let done = master_accounts::purchase(&shell.ledger, new, &shell.context, key.as_ref()).await?;
    let line = format!("${credits} of credits for ${paid}: {}", done.answer.id);
    Ok(Output::done(line, &done)?)
}

pub(super) async fn set_ratio(shell: &Shell, args: SetRatio) -> Result<Output, AdminError> {
    let SetRatio { ratio, model, account, reason, idempotency_key } = args;
    let scope = match (model, account) {
        (Some(model), _) => RatioScope::Model(model),
        (None, Some(account)) => RatioScope::Account(account),
        (None, None) => RatioScope::Default,
    };
    let content = (&scope, ratio, &reason);
    let key = Shell::key("cli:set_ratio", idempotency_key, &content)?;
    let desk = shell.desk(key.as_ref());
    let done = prices::set_ratio(desk, scope, ratio, reason.as_deref()).await?;
    let what = match &done.answer.scope {
        RatioScope::Default => "the default".to_owned(),
        RatioScope::Plan(plan) => format!("plan {plan}"),
        RatioScope::Model(model) => model.clone(),
        RatioScope::Account(account) => account.to_string(),
    };
    let line = match done.answer.ratio {
        Some(ratio) => format!("{what} is sold at {ratio}"),
        None => format!("{what} has no sale ratio of its own any more"),
    };
    Ok(Output::done(line, &done)?)
}
