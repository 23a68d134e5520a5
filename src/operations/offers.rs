//! What every model costs and is sold for.

use rust_decimal::Decimal;
use tollgate_domain::decimal::{Price, Ratio};
use tollgate_domain::ids::{AccountId, MasterAccountId};
use tollgate_domain::price_book::{PRICE_BOOK, PriceBook, RatioScope};
use tollgate_domain::{MasterAccount, Money};
use uuid::Uuid;

use crate::http::ApiError;
use crate::ledger::Ledger;

/// A model with its prices for a token.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The requested model id.
    pub model: String,
    /// The list price of an input token.
    pub prompt: Option<Price>,
    /// The list price of an output token.
    pub completion: Option<Price>,
    /// Whether nothing on its price card costs anything.
    pub free: bool,
    /// Charge = list cost × this, for accounts without a ratio or a plan of their own.
    pub ratio: Option<Ratio>,
    /// Whether that is the model's own ratio and not the default.
    pub own: bool,
}

impl Offer {
    /// What a token is sold for at this list price; none: it is not sold.
    pub fn sale(&self, list: Option<Price>) -> Option<Decimal> {
        list?.decimal().checked_mul(self.ratio?.decimal())
    }

    /// What is left of each dollar of charge when a dollar of list cost costs us `rate`:
    /// `1 − rate ÷ ratio`.
    pub fn margin(&self, rate: Option<Ratio>) -> Option<Decimal> {
        let part = rate?.decimal().checked_div(self.ratio?.decimal())?;
        let margin = Decimal::ONE.checked_sub(part)?.round_dp(Money::DECIMALS);
        (!self.free).then_some(margin)
    }
}

/// Every priced model, by id, as the price book has it now.
pub async fn offers(ledger: &Ledger) -> Result<Vec<Offer>, ApiError> {
    ledger.prices.freshen(PRICE_BOOK).await?;
    let nobody = AccountId::from_uuid(Uuid::nil());
    let look = |book: &PriceBook| {
        let own: Vec<String> = book
            .overrides()
            .filter_map(|(scope, _)| match scope {
                RatioScope::Model(model) => Some(model),
                RatioScope::Default | RatioScope::Plan(_) | RatioScope::Account(_) => None,
            })
            .collect();
        let offer = |(model, card): (&str, &tollgate_domain::pricing::PriceCard)| Offer {
            prompt: card.rates.prompt,
            completion: card.rates.completion,
            free: card.is_free(),
            ratio: book.sale_ratio(nobody, None, model),
            own: own.iter().any(|known| known == model),
            model: model.to_owned(),
        };
        book.models().map(offer).collect()
    };
    Ok(ledger.prices.peek(PRICE_BOOK, look).await?)
}

/// What a dollar of list cost costs at the dearest of these master accounts that is enabled: no
/// request costs more.
pub async fn dearest_rate(
    ledger: &Ledger,
    masters: &[MasterAccountId],
) -> Result<Option<Ratio>, ApiError> {
    let mut dearest = None;
    for id in masters {
        let rate = |account: &MasterAccount| {
            (account.id().is_some() && account.is_enabled()).then(|| account.cost_rate())
        };
        dearest = dearest.max(ledger.master_accounts.peek(&id.to_string(), rate).await?);
    }
    Ok(dearest)
}
