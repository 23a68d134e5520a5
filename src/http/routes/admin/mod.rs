//! What the operator does and sees. Auditors see it too and change nothing.

mod master_accounts;
mod prices;
mod top_ups;

use utoipa_axum::router::OpenApiRouter;

use crate::http::AppState;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(master_accounts::router())
        .merge(prices::router())
        .merge(top_ups::router())
}
