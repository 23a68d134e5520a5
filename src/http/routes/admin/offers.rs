//! The catalogue as the operator sees it.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tollgate_domain::decimal::Ratio;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::billing::Prices;
use crate::http::extract::{AuditorSession, Params};
use crate::http::wire::{Amount, ReadParams};
use crate::http::{AppState, Problem};
use crate::operations::offers::{self, Offer};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A model with its list price, its sale price and its margin. Prices are for one token.
#[derive(Serialize, ToSchema)]
struct ModelPriceItem {
    #[schema(examples("openai/gpt-4o"))]
    id: String,
    #[schema(examples("OpenAI: GPT-4o"))]
    name: String,
    /// List price of an input token.
    #[schema(value_type = Option<String>, examples("0.0000025"))]
    prompt_usd: Option<Amount>,
    /// List price of an output token.
    #[schema(value_type = Option<String>, examples("0.00001"))]
    completion_usd: Option<Amount>,
    /// Does nothing about it cost anything?
    #[schema(examples(false))]
    free: bool,
    /// Of accounts without a plan or a ratio of their own. Null: nothing is sold yet.
    #[schema(examples("0.8"))]
    sale_ratio: Option<String>,
    /// Is the ratio the model's own and not the default?
    #[schema(examples(false))]
    own_ratio: bool,
    /// Sale price of an input token.
    #[schema(value_type = Option<String>, examples("0.000002"))]
    sale_prompt_usd: Option<Amount>,
    /// Sale price of an output token.
    #[schema(value_type = Option<String>, examples("0.000008"))]
    sale_completion_usd: Option<Amount>,
    /// What is left of each dollar of charge at `cost_rate`, as a decimal: `1 − cost_rate ÷
    /// sale_ratio`. Null for what is free.
    #[schema(examples("0.625"))]
    margin: Option<String>,
}

/// Every model that is priced.
#[derive(Serialize, ToSchema)]
struct ModelPricesResponse {
    data: Vec<ModelPriceItem>,
    /// Charge = list cost × this, where a model has no ratio of its own.
    #[schema(examples("0.8"))]
    default_sale_ratio: Option<String>,
    /// What a dollar of list cost costs at the dearest master account that is enabled: no request
    /// costs more. Null: none is enabled.
    #[schema(examples("0.3"))]
    cost_rate: Option<String>,
    /// The position of the log that the answer reflects at least.
    #[schema(examples(42))]
    as_of_position: i64,
}

impl ModelPriceItem {
    fn new(offer: Offer, prices: &Prices, rate: Option<Ratio>) -> Self {
        Self {
            name: prices.name(&offer.model).unwrap_or_else(|| offer.model.clone()),
            prompt_usd: offer.prompt.map(|price| Amount(price.decimal())),
            completion_usd: offer.completion.map(|price| Amount(price.decimal())),
            free: offer.free,
            sale_ratio: offer.ratio.map(|ratio| ratio.to_string()),
            own_ratio: offer.own,
            sale_prompt_usd: offer.sale(offer.prompt).map(Amount),
            sale_completion_usd: offer.sale(offer.completion).map(Amount),
            margin: offer.margin(rate).map(|margin| margin.normalize().to_string()),
            id: offer.model,
        }
    }
}

/// List prices of models
///
/// The whole catalogue by id, with list price, sale price and margin. It is made of what the
/// gateway has in memory.
#[utoipa::path(
    get,
    path = "/v1/admin/prices/models",
    operation_id = "list_model_prices",
    tag = "admin",
    params(ReadParams),
    responses((status = 200, description = "The catalogue", body = ModelPricesResponse)),
    security(("session" = []))
)]
async fn list(
    State(app): State<AppState>,
    _: AuditorSession,
    Params(params): Params<ReadParams>,
) -> Result<Json<ModelPricesResponse>, Problem> {
    let as_of_position = app.visible(params.at_least).await?;
    let masters = app.gateway.masters().known();
    let rate = offers::dearest_rate(&app.ledger, &masters).await?;
    let prices = app.gateway.prices().current();
    let offers = offers::offers(&app.ledger).await?.into_iter();
    let data = offers.map(|offer| ModelPriceItem::new(offer, &prices, rate)).collect();
    let summary = crate::operations::prices::summary(&app.ledger).await?;
    Ok(Json(ModelPricesResponse {
        data,
        default_sale_ratio: summary.default_ratio.map(|ratio| ratio.to_string()),
        cost_rate: rate.map(|rate| rate.to_string()),
        as_of_position,
    }))
}
