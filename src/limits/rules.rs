//! What a key may do, from its account's state in memory.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use tollgate_domain::account::KeyLimits;
use tollgate_domain::ids::{AccountId, KeyId};
use tollgate_domain::{Account, Timestamp};

use super::Rates;
use crate::billing::Prices;
use crate::http::error::ApiError;
use crate::ledger::{Streams, now};

/// A refusal on a state that was compared with the log within this time stands.
const FRESH: Duration = Duration::from_secs(1);

/// What one request with a key may do.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// How often and how much at once.
    pub rates: Rates,
    /// The models that it may ask for; empty: every model.
    pub models: Vec<String>,
}

impl Rules {
    /// Whether the request may ask for these models.
    ///
    /// # Errors
    /// [`ApiError::ModelNotAllowed`].
    pub fn allow<'m>(&self, models: impl IntoIterator<Item = &'m str>) -> Result<(), ApiError> {
        if self.models.is_empty() {
            return Ok(());
        }
        let mut models = models.into_iter();
        match models.find(|model| !KeyLimits::allow(&self.models, model)) {
            Some(model) => Err(ApiError::ModelNotAllowed { model: model.to_owned() }),
            None => Ok(()),
        }
    }
}

/// The rules for a request with this key from this address.
///
/// The state in memory may be behind what another node has changed. A request that it lets through
/// finds that out when it reserves, so one of them can slip past an older rule; a refusal looks for
/// itself.
///
/// # Errors
/// [`ApiError::KeyRevoked`], [`ApiError::KeyExpired`], [`ApiError::AddressNotAllowed`], and what
/// keeps the account from being loaded.
pub async fn find(
    accounts: &Streams<Account>,
    prices: &Prices,
    account: AccountId,
    key: KeyId,
    address: IpAddr,
) -> Result<Rules, ApiError> {
    let stream = account.to_string();
    let look = || accounts.peek(&stream, |account| rules(account, prices, key, address, now()));
    let refusal = match look().await? {
        Ok(rules) => return Ok(rules),
        Err(refusal) => refusal,
    };
    let age = match refusal {
        // Its row is there, so its event is: this node has only not seen it yet.
        ApiError::InvalidApiKey => Duration::ZERO,
        _ => FRESH,
    };
    match accounts.freshen_after(&stream, age).await? {
        true => look().await?,
        false => Err(refusal),
    }
}

/// A refusal by a rule or a rate, which may be old: the next request is decided on what another
/// node has changed. This one stays refused.
pub async fn refused(
    accounts: &Streams<Account>,
    account: AccountId,
    refusal: ApiError,
) -> ApiError {
    if let Err(error) = accounts.freshen_after(&account.to_string(), FRESH).await {
        tracing::debug!(account.id = %account, %error, "a refusal could not be compared");
    }
    refusal
}

fn rules(
    account: &Account,
    prices: &Prices,
    key: KeyId,
    address: IpAddr,
    at: Timestamp,
) -> Result<Rules, ApiError> {
    let Some(key) = account.find_key(key) else { return Err(ApiError::InvalidApiKey) };
    let limits = key.limits();
    if key.is_revoked() {
        return Err(ApiError::KeyRevoked);
    }
    if limits.expires_at.is_some_and(|end| at >= end) {
        return Err(ApiError::KeyExpired);
    }
    let contains =
        |range: &String| range.parse().is_ok_and(|range: IpNet| range.contains(&address));
    if !limits.addresses.is_empty() && !limits.addresses.iter().any(contains) {
        return Err(ApiError::AddressNotAllowed { address });
    }
    let plan = account.plan().and_then(|plan| prices.book.find_plan(plan));
    let of_plan = plan.map(|plan| plan.limits.rates).unwrap_or_default();
    Ok(Rules {
        rates: Rates { key: limits.rates, account: account.limits().rates.or(of_plan) },
        models: limits.models.clone(),
    })
}
