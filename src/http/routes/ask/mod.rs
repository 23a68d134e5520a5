//! Endpoints that models answer.

mod chat;
mod completions;
mod embeddings;

use axum::extract::Request;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;

use crate::http::extract::{ApiKeyAuth, read_json};
use crate::http::{ApiError, AppState};
use crate::proxy::{Caller, Endpoint};
use crate::upstream::PassedOn;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(chat::router())
        .merge(completions::router())
        .merge(embeddings::router())
}

async fn ask(
    app: &AppState,
    endpoint: Endpoint,
    caller: ApiKeyAuth,
    request: Request,
) -> Result<Response, ApiError> {
    // Before the body is read: a place is taken by whoever is slow, too.
    let admitted = app.gate.enter(caller.account, caller.key, caller.rules)?;
    let passed_on = PassedOn::of(request.headers());
    let body = read_json(request, app.config.body_limit_bytes).await?;
    let caller = Caller { account: caller.account, key: caller.key, request: caller.request.0 };
    app.gateway.ask(endpoint, caller, admitted, passed_on, &body).await
}
