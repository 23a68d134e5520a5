//! Limits of accounts, and their plans.

use tollgate_domain::account::{AccountLimits, SpendLimits};
use tollgate_domain::decimal::Ratio;
use tollgate_domain::ids::AccountId;
use tollgate_domain::price_book::{PRICE_BOOK, Plan, PriceBook, PriceBookCommand};
use tollgate_domain::{Account, AccountCommand, Money, Timestamp};

use super::desk::Desk;
use super::once::{self, Outcome};
use crate::http::ApiError;
use crate::http::error::both;
use crate::ledger::{CommandContext, Ledger, now};

/// The limits of an account, and what is used of them.
#[derive(Debug, Clone)]
pub struct AccountStanding {
    /// Its plan.
    pub plan: Option<String>,
    /// What the operator set for this account alone.
    pub of_account: AccountLimits,
    /// What the operator allows: that, and where it says nothing what the plan says.
    pub allowed: AccountLimits,
    /// What its owner set.
    pub own: SpendLimits,
    /// What counts of them for spending.
    pub spend: SpendLimits,
    /// Spent in this UTC day.
    pub spent_today: Money,
    /// Spent in this UTC month.
    pub spent_this_month: Money,
    /// Set aside for requests that run: it counts against both.
    pub reserved: Money,
}

/// The limits of an account as they are now.
pub async fn standing(ledger: &Ledger, account: AccountId) -> Result<AccountStanding, ApiError> {
    let stream = account.to_string();
    // Another node may have spent or changed something: whoever asks wants to see that.
    ledger.accounts.freshen(&stream).await?;
    let plans = plans(ledger).await?;
    let look = |account: &Account| {
        account.id().map(|_| AccountStanding::of(account, of_plan(&plans, account), now()))
    };
    let standing = ledger.accounts.peek(&stream, look).await?;
    standing.ok_or_else(|| ApiError::NotFound { what: both!("account", "счёт") })
}

impl AccountStanding {
    fn of(account: &Account, plan: AccountLimits, at: Timestamp) -> Self {
        let of_account = *account.limits();
        let SpendLimits { daily, monthly } = of_account.spend().or(plan.spend());
        let rates = of_account.rates.or(plan.rates);
        Self {
            plan: account.plan().map(str::to_owned),
            of_account,
            allowed: AccountLimits { daily, monthly, rates },
            own: account.own_limits(),
            spend: account.spend_limits(plan.spend()),
            spent_today: account.spent_today(at),
            spent_this_month: account.spent_this_month(at),
            reserved: account.reserved(),
        }
    }
}

/// Changes what the operator allows an account.
pub async fn change(
    desk: Desk<'_>,
    account: AccountId,
    change: impl Fn(AccountLimits) -> AccountLimits,
    reason: Option<&str>,
) -> Result<Outcome<()>, ApiError> {
    if let Some(earlier) = once::find(desk.ledger, desk.key).await? {
        return Ok(earlier);
    }
    let reason = desk.maybe_because(reason, Some(account)).await?;
    let make = |account: &Account| AccountCommand::ChangeSpendLimits {
        limits: change(*account.limits()),
        reason: reason.clone(),
    };
    let (Desk { ledger, context, key, .. }, stream) = (desk, account.to_string());
    once::execute_with(ledger, &ledger.accounts, &stream, make, context, key, ()).await
}

/// Changes what an owner allows, and returns the position that holds it.
pub async fn change_own(
    ledger: &Ledger,
    account: AccountId,
    change: impl Fn(SpendLimits) -> SpendLimits,
    context: &CommandContext,
) -> Result<i64, ApiError> {
    let plans = plans(ledger).await?;
    let make = |account: &Account| AccountCommand::ChangeOwnLimits {
        limits: change(account.own_limits()),
        plan: of_plan(&plans, account).spend(),
    };
    Ok(ledger.accounts.execute_with(&account.to_string(), context, None, make).await?.position)
}

/// Puts an account on a plan, or takes its plan away.
pub async fn assign(
    desk: Desk<'_>,
    account: AccountId,
    plan: Option<String>,
    reason: Option<&str>,
) -> Result<Outcome<()>, ApiError> {
    let Desk { ledger, context, key, .. } = desk;
    if let Some(earlier) = once::find(ledger, key).await? {
        return Ok(earlier);
    }
    if let Some(plan) = &plan {
        find_plan(ledger, plan).await?.ok_or_else(|| {
            let message = both!("There is no such plan.", "Такого тарифа нет.");
            ApiError::invalid("plan", message)
        })?;
    }
    let reason = desk.maybe_because(reason, Some(account)).await?;
    let command = match plan {
        None => AccountCommand::RemovePlan { reason },
        Some(plan) => AccountCommand::AssignPlan { plan, reason },
    };
    let stream = account.to_string();
    once::execute(ledger, &ledger.accounts, &stream, command, context, key, ()).await
}

/// A plan by its name.
pub async fn find_plan(ledger: &Ledger, name: &str) -> Result<Option<Plan>, ApiError> {
    ledger.prices.freshen(PRICE_BOOK).await?;
    Ok(ledger.prices.peek(PRICE_BOOK, |book| book.find_plan(name)).await?)
}

/// All plans by name.
pub async fn plans(ledger: &Ledger) -> Result<Vec<(String, Plan)>, ApiError> {
    let all = |book: &PriceBook| {
        let named = |name: &str| Some((name.to_owned(), book.find_plan(name)?));
        book.plans().filter_map(named).collect()
    };
    ledger.prices.freshen(PRICE_BOOK).await?;
    Ok(ledger.prices.peek(PRICE_BOOK, all).await?)
}

/// Defines a plan, or defines it anew.
pub async fn define_plan(
    desk: Desk<'_>,
    plan: String,
    ratio: Ratio,
    limits: AccountLimits,
    reason: Option<&str>,
) -> Result<Outcome<()>, ApiError> {
    if let Some(earlier) = once::find(desk.ledger, desk.key).await? {
        return Ok(earlier);
    }
    let reason = desk.maybe_because(reason, None).await?;
    let command = PriceBookCommand::DefinePlan { plan, ratio, limits, reason };
    let Desk { ledger, context, key, .. } = desk;
    once::execute(ledger, &ledger.prices, PRICE_BOOK, command, context, key, ()).await
}

fn of_plan(plans: &[(String, Plan)], account: &Account) -> AccountLimits {
    let mut named = plans.iter().filter(|(name, _)| Some(name.as_str()) == account.plan());
    named.next().map(|(_, plan)| plan.limits).unwrap_or_default()
}
