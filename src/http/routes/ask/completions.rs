//! `POST /v1/completions`: the text that follows a text.

use axum::extract::{Request, State};
use axum::response::Response;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answers::TextCompletion;
use crate::http::extract::ApiKeyAuth;
use crate::http::{AppState, ModelError};
use crate::proxy::Endpoint;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(complete))
}

/// A text completion. Members that are not named here pass through to the model unchanged.
#[derive(ToSchema)]
#[allow(dead_code)]
struct CompletionRequest {
    /// A model of `GET /v1/models`.
    #[schema(examples("openai/gpt-4o-mini"))]
    model: String,
    /// What comes before: a text, texts, or tokens.
    #[schema(value_type = serde_json::Value, examples("Every entry has two"))]
    prompt: serde_json::Value,
    /// Send the answer as server-sent events.
    stream: Option<bool>,
    /// The answer's longest length in tokens; as for chat completions.
    #[schema(minimum = 1)]
    max_tokens: Option<u64>,
    /// Models to try where the first cannot answer.
    models: Option<Vec<String>>,
}

/// Continue a text
///
/// Charged like a chat completion.
#[utoipa::path(
    post,
    path = "/v1/completions",
    operation_id = "create_completion",
    tag = "models",
    request_body(
        content = CompletionRequest,
        example = json!({
            "model": "openai/gpt-4o-mini", "prompt": "Every entry has two", "max_tokens": 20
        })
    ),
    responses(
        (status = 200, description = "The answer", content(
            (TextCompletion = "application/json", example = json!({
                "id": "gen-1780944464-aVi4x8Mw2aEBGnCL6z99",
                "object": "text_completion",
                "created": 1_780_944_464,
                "model": "openai/gpt-4o-mini",
                "choices": [{ "index": 0, "finish_reason": "stop", "text": " sides." }],
                "usage": { "prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6,
                    "cost": 0.000_001_44 }
            })),
            (String = "text/event-stream")
        )),
        (status = 400, description = "The request makes no sense"),
        (status = 401, description = "No valid API key"),
        (status = 402, description = "Not enough money"),
        (status = 403, description = "Suspended, or a limit of the key"),
        (status = 404, description = "No such model for sale"),
        (status = 413, description = "The body is too large"),
        (status = 429, description = "Too many requests"),
        (status = 502, description = "The provider failed"),
        (status = 503, description = "Nobody can serve it now"),
    ),
    security(("api_key" = []))
)]
async fn complete(
    State(app): State<AppState>,
    caller: ApiKeyAuth,
    request: Request,
) -> Result<Response, ModelError> {
    Ok(super::ask(&app, Endpoint::Completions, caller, request).await?)
}
