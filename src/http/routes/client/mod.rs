//! What customers see of their own account.

mod balance;
mod limits;
mod requests;
mod statements;
mod usage;

use utoipa_axum::router::OpenApiRouter;

use crate::http::AppState;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(balance::router())
        .merge(limits::router())
        .merge(usage::router())
        .merge(requests::router())
        .merge(statements::router())
}
