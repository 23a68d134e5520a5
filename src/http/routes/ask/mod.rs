//! Endpoints that models answer.

mod answers;
mod chat;
mod completions;
mod embeddings;

use axum::extract::Request;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;

use crate::http::error::Language;
use crate::http::extract::{ApiKeyAuth, IdempotencyKey, read_json};
use crate::http::{ApiError, AppState};
use crate::limits;
use crate::proxy::{Ask, Caller, Endpoint};
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
    let admitted = match app.gate.enter(caller.account, caller.key, caller.rules) {
        Ok(admitted) => admitted,
        Err(refusal) => {
            return Err(limits::refused(&app.ledger.accounts, caller.account, refusal).await);
        }
    };
    let passed_on = PassedOn::of(request.headers());
    let language = Language::of(request.headers());
    let key = IdempotencyKey::of(request.headers())?.into_client_key();
    let body = read_json(request, &app.config).await?;
    let ApiKeyAuth { account, key: key_id, request, .. } = caller;
    let caller = Caller { account, key: key_id, request: request.0, language };
    let ask = Ask { endpoint, caller, admitted, passed_on, body: &body };
    match key {
        None => app.gateway.ask(ask).await,
        Some(key) => app.gateway.ask_once(ask, &key).await,
    }
}
