//! What the operator does and sees. Auditors see it too and change nothing.

mod clients;
mod credits;
mod fairness;
mod logs;
mod master_accounts;
mod prices;
mod profit;
mod stats;
mod top_ups;

use utoipa_axum::router::OpenApiRouter;

use crate::http::AppState;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(stats::router())
        .merge(clients::router())
        .merge(top_ups::router())
        .merge(credits::router())
        .merge(master_accounts::router())
        .merge(prices::router())
        .merge(fairness::router())
        .merge(logs::router())
        .merge(profit::router())
}
