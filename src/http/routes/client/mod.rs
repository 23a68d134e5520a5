//! What customers see of their own account.

mod balance;
mod exports;
mod limits;
mod request_log;
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
        .merge(request_log::router())
        .merge(exports::router())
        .merge(statements::router())
}
