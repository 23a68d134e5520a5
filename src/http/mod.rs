//! What people and programs reach over HTTP.
//!
//! To add an endpoint: a function with `#[utoipa::path]` in a module of [`routes`], its `routes!`
//! line in that module's `router()`, and `tollgate openapi > openapi/openapi.json`. Its arguments
//! are its access rule (see [`extract`]).

mod cors;
mod csv;
mod edge;
pub mod error;
mod explained;
pub mod extract;
pub mod limits;
pub mod listen;
mod openapi;
pub mod people;
pub mod routes;
mod search;
mod stall;
mod state;
mod usage;
pub mod wire;

use axum::{Router, middleware};
use tower::util::option_layer;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::{Config, SwaggerUi};

pub use error::{ApiError, ErrorShape, ModelError, Problem};
pub use state::{App, AppState, Changes};

/// Endpoints that answer at once or not at all.
fn quick() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(routes::auth::router())
        .merge(routes::api_keys::router())
        .merge(routes::client::router())
        .merge(routes::admin::router())
        .merge(routes::ledger::router())
        .merge(routes::health::router())
        .layer(middleware::from_fn(edge::bounded))
}

/// Endpoints that call models and may stream for a long time.
fn models() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(routes::ask::router())
        .merge(routes::models::router())
        .merge(routes::own::router())
}

fn endpoints() -> (Router<AppState>, utoipa::openapi::OpenApi) {
    let all = OpenApiRouter::with_openapi(openapi::Document::openapi());
    let (router, mut document) = all.merge(quick()).merge(models()).split_for_parts();
    openapi::complete(&mut document);
    (router, document)
}

/// The OpenAPI document.
pub fn document() -> utoipa::openapi::OpenApi {
    endpoints().1
}

/// Everything that this server answers.
pub fn router(state: AppState) -> Router {
    let (router, document) = endpoints();
    // The page has no validator badge: it would be fetched from elsewhere.
    let docs = Config::from("/openapi.json").validator_url("none").persist_authorization(false);
    // Clients of OpenRouter change their base URL and nothing else: the same paths, once more.
    Router::new()
        .nest(error::ALIAS, router.clone())
        .merge(router)
        .merge(routes::page::router())
        .merge(SwaggerUi::new("/docs").url("/openapi.json", document).config(docs))
        .fallback(routes::page::fallback)
        .method_not_allowed_fallback(edge::method_not_allowed)
        .layer(middleware::from_fn_with_state(state.clone(), edge::edge))
        .layer(option_layer(cors::layer(&state.config.cors_allowed_origins)))
        .with_state(state)
}
