//! `GET /v1/models`: what is for sale, in the upstream's shape, at our prices.

use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tollgate_domain::Account;
use tollgate_domain::account::KeyLimits;
use tollgate_domain::decimal::Ratio;
use tollgate_domain::ids::AccountId;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::billing::{Prices, for_sale};
use crate::http::extract::{ApiKeyAuth, CustomerSession};
use crate::http::{ApiError, AppState, ModelError, Problem};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(models))
        .routes(routes!(embedding_models))
        .routes(routes!(model))
        .routes(routes!(model_by_author))
        .routes(routes!(own_models))
}

/// The models, as OpenRouter lists them. Members that are not named here may come too.
#[derive(ToSchema)]
#[allow(dead_code)]
struct ModelList {
    #[schema(examples("list"))]
    object: String,
    data: Vec<ModelItem>,
    #[schema(required = false, examples(400))]
    total_count: i64,
}

/// A model that is for sale.
#[derive(ToSchema)]
#[allow(dead_code)]
struct ModelItem {
    /// What a request names.
    #[schema(examples("openai/gpt-4o-mini"))]
    id: String,
    #[schema(examples("model"))]
    object: String,
    /// Who made it: what its id begins with.
    #[schema(examples("openai"))]
    owned_by: String,
    /// When it appeared, in seconds since 1970.
    #[schema(required = false, examples(1_721_260_800))]
    created: i64,
    #[schema(examples("OpenAI: GPT-4o-mini"))]
    name: String,
    /// Tokens of prompt and answer together.
    #[schema(examples(128_000))]
    context_length: Option<i64>,
    /// Decimal strings in US dollars per token (`request`, `web_search`: each), and `overrides`
    /// with other prices for long prompts.
    #[schema(value_type = Object, example = json!({ "prompt": "0.00000012", "completion": "0.00000048" }))]
    pricing: serde_json::Value,
    /// Parameters that the model understands.
    #[schema(required = false, example = json!(["max_tokens", "temperature", "tools"]))]
    supported_parameters: Vec<String>,
}

fn json_text(text: impl Into<Bytes>) -> Response {
    ([(CONTENT_TYPE, "application/json")], text.into()).into_response()
}

/// The account's plan: with a key the prices are those of its account.
async fn plan(app: &AppState, account: AccountId) -> Result<Option<String>, ApiError> {
    let stream = account.to_string();
    let look = |account: &Account| account.plan().map(str::to_owned);
    Ok(app.ledger.accounts.peek(&stream, look).await?)
}

/// The ratio of each model that may be asked for: with a key, of those that the key allows, as its
/// account pays for them.
async fn ratios<'p>(
    app: &AppState,
    account: Option<AccountId>,
    allowed: Vec<String>,
    prices: &'p Prices,
) -> Result<impl Fn(&str) -> Option<Ratio> + use<'p>, ApiError> {
    let plan = match account {
        Some(account) => plan(app, account).await?,
        None => None,
    };
    let account = account.unwrap_or(AccountId::from_uuid(uuid::Uuid::nil()));
    Ok(move |model: &str| {
        let ratio = || prices.book.sale_ratio(account, plan.as_deref(), model);
        KeyLimits::allow(&allowed, model).then(ratio).flatten()
    })
}

/// The same for who may come with a key.
async fn ratios_of<'p>(
    app: &AppState,
    caller: Option<ApiKeyAuth>,
    prices: &'p Prices,
) -> Result<impl Fn(&str) -> Option<Ratio> + use<'p>, ApiError> {
    let (account, allowed) = caller.map(|caller| (caller.account, caller.rules.models)).unzip();
    ratios(app, account, allowed.unwrap_or_default(), prices).await
}

/// List the models
///
/// Every model that is for sale, with its prices in US dollars per token. With an API key the
/// models are those that the key may ask for, and the prices are those of its account.
#[utoipa::path(
    get,
    path = "/v1/models",
    operation_id = "list_models",
    tag = "models",
    responses(
        (status = 200, description = "The models", body = ModelList, example = json!({
            "object": "list",
            "data": [{ "id": "openai/gpt-4o-mini", "object": "model", "owned_by": "openai",
                "name": "OpenAI: GPT-4o-mini", "context_length": 128_000,
                "pricing": { "prompt": "0.00000012", "completion": "0.00000048" } }],
            "total_count": 1
        })),
        (status = 401, description = "The API key is not valid"),
    ),
    security((), ("api_key" = []))
)]
async fn models(
    State(app): State<AppState>,
    caller: Option<ApiKeyAuth>,
) -> Result<Response, ModelError> {
    let prices = app.gateway.prices().current();
    if caller.is_none() {
        return Ok(json_text(prices.catalogue.clone()));
    }
    let ratio = ratios_of(&app, caller, &prices).await?;
    Ok(json_text(prices.catalogue(ratio)))
}

/// List the models at your prices
///
/// Those of `GET /v1/models`, for who is signed in and has no key at hand: at the prices of the
/// own account.
#[utoipa::path(
    get,
    path = "/v1/client/models",
    operation_id = "list_own_models",
    tag = "client",
    responses(
        (status = 200, description = "The models", body = ModelList, example = json!({
            "object": "list",
            "data": [{ "id": "openai/gpt-4o-mini", "object": "model", "owned_by": "openai",
                "name": "OpenAI: GPT-4o-mini", "context_length": 128_000,
                "pricing": { "prompt": "0.00000012", "completion": "0.00000048" } }],
            "total_count": 1
        })),
    ),
    security(("session" = []))
)]
async fn own_models(
    State(app): State<AppState>,
    who: CustomerSession,
) -> Result<Response, Problem> {
    let prices = app.gateway.prices().current();
    let ratio = ratios(&app, Some(who.account), Vec::new(), &prices).await?;
    Ok(json_text(prices.catalogue(ratio)))
}

/// List the models that make vectors
///
/// Those of `GET /v1/models` that `POST /v1/embeddings` takes.
#[utoipa::path(
    get,
    path = "/v1/embeddings/models",
    operation_id = "list_embedding_models",
    tag = "models",
    responses(
        (status = 200, description = "The models", body = ModelList, example = json!({
            "object": "list",
            "data": [{ "id": "openai/text-embedding-3-small", "object": "model",
                "owned_by": "openai", "name": "OpenAI: text-embedding-3-small", "context_length": 8_192,
                "pricing": { "prompt": "0.000000016", "completion": "0" } }],
            "total_count": 1
        })),
        (status = 401, description = "The API key is not valid"),
    ),
    security((), ("api_key" = []))
)]
async fn embedding_models(
    State(app): State<AppState>,
    caller: Option<ApiKeyAuth>,
) -> Result<Response, ModelError> {
    let prices = app.gateway.prices().current();
    let ratio = ratios_of(&app, caller, &prices).await?;
    Ok(json_text(prices.embeddings_catalogue(ratio)))
}

/// Show a model
///
/// Its listing with its prices. With an API key the prices are those of its account, and a model
/// that the key may not ask for is not found.
#[utoipa::path(
    get,
    path = "/v1/models/{model}",
    operation_id = "show_model",
    tag = "models",
    params(("model" = String, Path, description = "Its id, whose slash is sent as %2F",
        example = "openai/gpt-4o-mini")),
    responses(
        (status = 200, description = "The model", body = ModelItem, example = json!({
            "id": "openai/gpt-4o-mini", "object": "model", "owned_by": "openai",
            "name": "OpenAI: GPT-4o-mini", "context_length": 128_000,
            "pricing": { "prompt": "0.00000012", "completion": "0.00000048" }
        })),
        (status = 401, description = "The API key is not valid"),
        (status = 404, description = "No such model for sale"),
    ),
    security((), ("api_key" = []))
)]
async fn model(
    State(app): State<AppState>,
    caller: Option<ApiKeyAuth>,
    Path(model): Path<String>,
) -> Result<Response, ModelError> {
    show(&app, caller, model).await
}

/// Show a model by author and name
///
/// The same as with the whole id in one segment: model ids contain a slash.
#[utoipa::path(
    get,
    path = "/v1/models/{author}/{slug}",
    operation_id = "show_model_by_author",
    tag = "models",
    params(
        ("author" = String, Path, description = "What stands before the slash of its id",
            example = "openai"),
        ("slug" = String, Path, description = "What stands behind it", example = "gpt-4o-mini"),
    ),
    responses(
        (status = 200, description = "The model", body = ModelItem, example = json!({
            "id": "openai/gpt-4o-mini", "object": "model", "owned_by": "openai",
            "name": "OpenAI: GPT-4o-mini", "context_length": 128_000,
            "pricing": { "prompt": "0.00000012", "completion": "0.00000048" }
        })),
        (status = 401, description = "The API key is not valid"),
        (status = 404, description = "No such model for sale"),
    ),
    security((), ("api_key" = []))
)]
async fn model_by_author(
    State(app): State<AppState>,
    caller: Option<ApiKeyAuth>,
    Path((author, slug)): Path<(String, String)>,
) -> Result<Response, ModelError> {
    show(&app, caller, format!("{author}/{slug}")).await
}

async fn show(
    app: &AppState,
    caller: Option<ApiKeyAuth>,
    model: String,
) -> Result<Response, ModelError> {
    let prices = app.gateway.prices().current();
    let ratio = ratios_of(app, caller, &prices).await?;
    let listing = prices.listings.get(&model);
    match listing.and_then(|listing| for_sale(listing, ratio(&model)?)) {
        Some(listing) => Ok(json_text(listing)),
        None => Err(ApiError::ModelNotFound { model }.into()),
    }
}
