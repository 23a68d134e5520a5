//! The books as an auditor reads them: events, histories, the trial balance, and whether all of it
//! is right. Events hold ids and no names: what was noted about people is not here.

mod events;
mod export;
mod history;
mod verification;

use utoipa_axum::router::OpenApiRouter;

use crate::http::AppState;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(events::router())
        .merge(export::router())
        .merge(history::router())
        .merge(verification::router())
}
