//! The balance.

use axum::Json;
use axum::extract::State;
use rust_decimal::Decimal;
use serde::Serialize;
use tollgate_projections::queries::{self, Account, AsOf};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::extract::{CustomerSession, Params};
use crate::http::wire::{Amount, ReadParams};
use crate::http::{AppState, Problem};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(balance))
}

/// An account's money. `balance = topped up − refunded + granted − expired + adjusted − spent`,
/// `available = balance − reserved`.
#[derive(Serialize, ToSchema)]
struct BalanceResponse {
    #[schema(examples("acct_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    account_id: String,
    /// `active` or `suspended`.
    #[schema(examples("active"))]
    status: String,
    /// All your money.
    #[schema(examples("9.25"))]
    balance_usd: Amount,
    /// Set aside for requests that run.
    #[schema(examples("0.5"))]
    reserved_usd: Amount,
    /// What the next request may cost.
    #[schema(examples("8.75"))]
    available_usd: Amount,
    /// Everything ever topped up.
    #[schema(examples("10"))]
    lifetime_topped_up_usd: Amount,
    /// Everything ever paid back.
    #[schema(examples("0"))]
    lifetime_refunded_usd: Amount,
    /// Everything ever given.
    #[schema(examples("0"))]
    lifetime_granted_usd: Amount,
    /// Of it taken back unspent when its time was over.
    #[schema(examples("0"))]
    lifetime_expired_usd: Amount,
    /// The operator's corrections, up and down.
    #[schema(examples("0"))]
    lifetime_adjusted_usd: Amount,
    /// Everything ever charged.
    #[schema(examples("0.75"))]
    lifetime_spent_usd: Amount,
    /// The position of the log that the answer reflects.
    #[schema(examples(42))]
    as_of_position: i64,
}

impl BalanceResponse {
    /// An account that is not in the read model yet was opened a moment ago and holds nothing.
    fn new(account_id: String, found: AsOf<Option<Account>>) -> Self {
        let AsOf { as_of_position, data: account } = found;
        let amount =
            |of: fn(&Account) -> Decimal| Amount(account.as_ref().map(of).unwrap_or_default());
        Self {
            account_id,
            status: account.as_ref().map_or("active", |account| &account.status).to_owned(),
            balance_usd: amount(|account| account.balance),
            reserved_usd: amount(|account| account.reserved),
            available_usd: amount(|account| account.available),
            lifetime_topped_up_usd: amount(|account| account.topped_up),
            lifetime_refunded_usd: amount(|account| account.refunded),
            lifetime_granted_usd: amount(|account| account.granted),
            lifetime_expired_usd: amount(|account| account.expired),
            lifetime_adjusted_usd: amount(|account| account.adjusted),
            lifetime_spent_usd: amount(|account| account.spent),
            as_of_position,
        }
    }
}

/// Show the balance
///
/// What you have, what is set aside for requests that run, and the sums over the account's
/// lifetime.
#[utoipa::path(
    get,
    path = "/v1/client/balance",
    operation_id = "show_balance",
    tag = "client",
    params(ReadParams),
    responses((status = 200, description = "The balance", body = BalanceResponse)),
    security(("session" = []))
)]
async fn balance(
    State(app): State<AppState>,
    who: CustomerSession,
    Params(params): Params<ReadParams>,
) -> Result<Json<BalanceResponse>, Problem> {
    app.visible(params.at_least).await?;
    let found = queries::balance(app.database.pool(), who.account).await?;
    Ok(Json(BalanceResponse::new(who.account.to_string(), found)))
}
