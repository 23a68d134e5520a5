//! The sale ratio.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tollgate_domain::decimal::Ratio;
use tollgate_domain::price_book::RatioScope;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use crate::http::error::both;
use crate::http::extract::{AdminSession, AuditorSession, IdempotencyKey, JsonBody, Params};
use crate::http::wire::{ReadParams, Written};
use crate::http::{ApiError, AppState, Problem};
use crate::operations::prices::{self, PriceSummary};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(show, change))
}

/// The price book in short.
#[derive(Serialize, ToSchema)]
struct PricesResponse {
    /// Charge = list cost × this, unless something more specific is set. Null before it was first
    /// set: then nothing is sold.
    #[schema(examples("0.8"))]
    default_sale_ratio: Option<String>,
    /// How often the list was published.
    #[schema(examples(3))]
    price_version: u64,
    /// Models with a price.
    #[schema(examples(400))]
    models: usize,
    /// How many ratios are more specific than the default.
    overrides: OverridesItem,
    /// The position of the log that the answer reflects at least.
    as_of_position: i64,
}

/// Counts of more specific ratios.
#[derive(Serialize, ToSchema)]
struct OverridesItem {
    plans: usize,
    models: usize,
    accounts: usize,
}

/// Another default sale ratio.
#[derive(Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct PricesRequest {
    /// Above 0 and up to 100, as a decimal string.
    #[schema(examples("0.80"))]
    default_sale_ratio: String,
    /// Why. It stands beside the books, where it can be erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 2000))]
    #[schema(examples("autumn prices"))]
    reason: Option<String>,
}

impl PricesResponse {
    fn new(summary: PriceSummary, as_of_position: i64) -> Self {
        let PriceSummary { default_ratio, version, models, overrides } = summary;
        Self {
            default_sale_ratio: default_ratio.map(|ratio| ratio.to_string()),
            price_version: version,
            models,
            overrides: OverridesItem {
                plans: overrides.plans,
                models: overrides.models,
                accounts: overrides.accounts,
            },
            as_of_position,
        }
    }
}

/// Show the price book
///
/// The default sale ratio, the version of the price list, and how many overrides there are.
#[utoipa::path(
    get,
    path = "/v1/admin/prices",
    operation_id = "show_prices",
    tag = "admin",
    params(ReadParams),
    responses((status = 200, description = "The price book", body = PricesResponse)),
    security(("session" = []))
)]
async fn show(
    State(app): State<AppState>,
    _: AuditorSession,
    Params(params): Params<ReadParams>,
) -> Result<Json<PricesResponse>, Problem> {
    let as_of = app.visible(params.at_least).await?;
    Ok(Json(PricesResponse::new(prices::summary(&app.ledger).await?, as_of)))
}

/// Change the default sale ratio
///
/// It counts for requests that begin from now on; a request that runs keeps the ratio it was
/// reserved with.
#[utoipa::path(
    put,
    path = "/v1/admin/prices",
    operation_id = "change_prices",
    tag = "admin",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, made by you for this one change"),
    ),
    request_body = PricesRequest,
    responses(
        (status = 200, description = "Changed", body = Written),
        (status = 409, description = "The Idempotency-Key was used for another request"),
    ),
    security(("session" = []))
)]
async fn change(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    key: IdempotencyKey,
    JsonBody(body): JsonBody<PricesRequest>,
) -> Result<Json<Written>, Problem> {
    let key = key.on("admin:prices", &body)?;
    let ratio = Ratio::parse(&body.default_sale_ratio).map_err(|error| {
        let message = both!("{error}", "Коэффициент не подходит: {error}");
        ApiError::invalid("default_sale_ratio", message)
    })?;
    let context = admin.context();
    let (desk, reason) = (app.desk(&context, key.as_ref()), body.reason.as_deref());
    let done = prices::set_ratio(desk, RatioScope::Default, Some(ratio), reason).await?;
    app.changes.prices.notify_one();
    Ok(Json(Written { position: done.position }))
}
