//! `POST /v1/embeddings`: vectors.

use axum::extract::{Request, State};
use axum::response::Response;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answers::EmbeddingList;
use crate::http::extract::ApiKeyAuth;
use crate::http::{AppState, ModelError};
use crate::proxy::Endpoint;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(embed))
}

/// Texts to turn into vectors. Members that are not named here pass through unchanged.
#[derive(ToSchema)]
#[allow(dead_code)]
struct EmbeddingRequest {
    /// A model of `GET /v1/embeddings/models`.
    #[schema(examples("openai/text-embedding-3-small"))]
    model: String,
    /// A text, texts, tokens, or arrays of tokens.
    #[schema(value_type = serde_json::Value, examples("double-entry"))]
    input: serde_json::Value,
    /// `float` or `base64`.
    encoding_format: Option<String>,
    /// The length of the vectors, where the model lets it be chosen.
    dimensions: Option<u64>,
}

/// Make vectors
///
/// The price of the estimated input is set aside, the real one is charged.
#[utoipa::path(
    post,
    path = "/v1/embeddings",
    operation_id = "create_embeddings",
    tag = "models",
    request_body(
        content = EmbeddingRequest,
        example = json!({ "model": "openai/text-embedding-3-small", "input": "double-entry" })
    ),
    responses(
        (status = 200, description = "The vectors", body = EmbeddingList, example = json!({
            "object": "list",
            "data": [{ "object": "embedding", "index": 0, "embedding": [-0.047, -0.004, 0.017] }],
            "model": "text-embedding-3-small",
            "usage": { "prompt_tokens": 3, "total_tokens": 3, "cost": 0.000_000_048 },
            "id": "gen-emb-1787150093-MHw3ComZXMuOz6TNknXt"
        })),
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
async fn embed(
    State(app): State<AppState>,
    caller: ApiKeyAuth,
    request: Request,
) -> Result<Response, ModelError> {
    Ok(super::ask(&app, Endpoint::Embeddings, caller, request).await?)
}
