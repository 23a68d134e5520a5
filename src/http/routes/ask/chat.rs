//! `POST /v1/chat/completions`.

use axum::extract::{Request, State};
use axum::response::Response;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answers::ChatCompletion;
use crate::http::extract::ApiKeyAuth;
use crate::http::{AppState, ModelError};
use crate::proxy::Endpoint;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(chat))
}

/// A chat completion. Members that are not named here pass through to the model unchanged.
#[derive(ToSchema)]
#[allow(dead_code)]
struct ChatCompletionRequest {
    /// A model of `GET /v1/models`.
    #[schema(examples("openai/gpt-4o-mini"))]
    model: String,
    /// The conversation.
    #[schema(value_type = Vec<Object>, min_items = 1)]
    messages: Vec<serde_json::Value>,
    /// Send the answer as server-sent events.
    stream: Option<bool>,
    /// The answer's longest length in tokens. Absent, it is the model's maximum or what the
    /// account can pay, whichever is less; `x-tollgate-max-tokens` tells where it was lowered.
    #[schema(minimum = 1)]
    max_tokens: Option<u64>,
    /// The newer name of `max_tokens`.
    #[schema(minimum = 1)]
    max_completion_tokens: Option<u64>,
    /// Functions that the model may call.
    #[schema(value_type = Option<Vec<Object>>)]
    tools: Option<Vec<serde_json::Value>>,
    /// Models to try where the first cannot answer. The dearest of them is set aside, the one that
    /// answers is charged.
    models: Option<Vec<String>>,
}

/// Ask a model
///
/// The largest possible charge is set aside before the request is forwarded; when the answer
/// ends, the real charge is settled and the rest is free again. `usage.cost` is the charge in US
/// dollars; the headers `x-tollgate-charge` and `x-tollgate-balance` tell it, and what the account
/// has after it. With `stream: true` the answer is a stream of server-sent events that ends with
/// `data: [DONE]`; the chunk with `usage` tells both in its member `tollgate` then
/// (`charge_usd`, `balance_after_usd`).
#[utoipa::path(
    post,
    path = "/v1/chat/completions",
    operation_id = "create_chat_completion",
    tag = "models",
    request_body(
        content = ChatCompletionRequest,
        example = json!({
            "model": "openai/gpt-4o-mini",
            "messages": [{ "role": "user", "content": "What is double-entry bookkeeping?" }],
            "max_tokens": 200
        })
    ),
    responses(
        (status = 200, description = "The answer", content(
            (ChatCompletion = "application/json", example = json!({
                "id": "gen-1780944464-aVi4x8Mw2aEBGnCL6z99",
                "object": "chat.completion",
                "created": 1_780_944_464,
                "model": "openai/gpt-4o-mini",
                "choices": [{ "index": 0, "finish_reason": "stop",
                    "message": { "role": "assistant", "content": "Every entry has two sides." } }],
                "usage": { "prompt_tokens": 16, "completion_tokens": 6, "total_tokens": 22,
                    "cost": 0.000_004_8 }
            })),
            ("text/event-stream", example = json!(
                "data: {\"id\":\"gen-1780944464-aVi4x8Mw2aEBGnCL6z99\",…}\n\ndata: [DONE]\n\n"
            ))
        )),
        (status = 400, description = "The request makes no sense"),
        (status = 401, description = "No valid API key"),
        (status = 402, description = "Not enough money"),
        (status = 403, description = "Suspended, a spending limit, or not what the key may be used for"),
        (status = 404, description = "No such model for sale"),
        (status = 413, description = "The body is too large"),
        (status = 429, description = "A limit of the key or of the account: `Retry-After` and `x-ratelimit-*` tell more"),
        (status = 502, description = "The provider failed"),
        (status = 503, description = "Nobody can serve it now"),
    ),
    security(("api_key" = []))
)]
async fn chat(
    State(app): State<AppState>,
    caller: ApiKeyAuth,
    request: Request,
) -> Result<Response, ModelError> {
    Ok(super::ask(&app, Endpoint::Chat, caller, request).await?)
}
