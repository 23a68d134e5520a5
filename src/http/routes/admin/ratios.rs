//! Sale ratios that are more specific than the default, and what prices ever were.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_domain::decimal::Ratio;
use tollgate_domain::price_book::RatioScope;
use tollgate_projections::queries::{self, PageRequest, PriceChange, PriceChangeFilter};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use super::notes::{Names, Notes};
use crate::http::error::both;
use crate::http::extract::{AdminSession, AuditorSession, IdempotencyKey, JsonBody, Params};
use crate::http::wire::{Amount, Page};
use crate::http::{ApiError, AppState, Problem};
use crate::operations::prices;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, change)).routes(routes!(history))
}

/// What a sale ratio is for; a plan's is part of the plan.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ScopeName {
    /// A requested model id.
    Model,
    /// One account.
    Account,
}

/// A sale ratio to be set or taken away.
#[derive(Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct RatioRequest {
    /// What it is for.
    scope: ScopeName,
    /// The model's or the account's id.
    #[validate(length(min = 1, max = 200))]
    #[schema(examples("openai/gpt-4o"))]
    subject: String,
    /// Above 0 and up to 100, as a decimal string; null takes the override away.
    #[schema(examples("0.95"))]
    ratio: Option<String>,
    /// Why. It stands beside the books, where it can be erased.
    #[validate(length(min = 1, max = 2000))]
    #[schema(examples("the model sells at a loss"))]
    reason: String,
}

/// A sale ratio that was set or taken away.
#[derive(Debug, Serialize, ToSchema)]
struct RatioResponse {
    scope: ScopeName,
    #[schema(examples("openai/gpt-4o"))]
    subject: String,
    #[schema(examples("0.95"))]
    ratio: Option<String>,
    /// A position of the log that holds it. A repeated answer may name a later one.
    #[schema(examples(12))]
    position: i64,
    /// Was it done by an earlier request with this Idempotency-Key?
    replayed: bool,
}

/// A sale ratio that is more specific than the default.
#[derive(Debug, Serialize, ToSchema)]
struct RatioItem {
    /// `account`, `model` or `plan`.
    #[schema(examples("model"))]
    scope: &'static str,
    /// The account's or the model's id, or the plan's name.
    #[schema(examples("openai/gpt-4o"))]
    subject: String,
    /// What the customer is called, where it is an account's. Null for auditors, and where the
    /// person was erased.
    #[schema(examples("Ada"))]
    customer: Option<String>,
    #[schema(examples("0.95"))]
    ratio: String,
}

/// Which overrides.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
struct RatioParams {
    /// Only those of this kind: `account`, `model` or `plan`.
    #[validate(length(min = 1, max = 20))]
    scope: Option<String>,
    /// How many at most.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(default = 50, minimum = 1, maximum = 200)]
    limit: u16,
    /// `next_cursor` of the page before; absent for the first page.
    cursor: Option<String>,
}

const fn default_limit() -> u16 {
    50
}

impl From<(RatioScope, Ratio)> for RatioItem {
    fn from((scope, ratio): (RatioScope, Ratio)) -> Self {
        let (scope, subject) = match scope {
            RatioScope::Default => ("default", String::new()),
            RatioScope::Plan(plan) => ("plan", plan),
            RatioScope::Model(model) => ("model", model),
            RatioScope::Account(account) => ("account", account.to_string()),
        };
        Self { scope, subject, customer: None, ratio: ratio.to_string() }
    }
}

/// List sale ratios
///
/// Those that are more specific than the default. Of several that apply to a request, the
/// account's counts before the model's, and the model's before the plan's.
#[utoipa::path(
    get,
    path = "/v1/admin/prices/ratios",
    operation_id = "list_sale_ratios",
    tag = "admin",
    params(RatioParams),
    responses((status = 200, description = "A page of sale ratios", body = Page<RatioItem>)),
    security(("session" = []))
)]
async fn list(
    State(app): State<AppState>,
    AuditorSession(who): AuditorSession,
    Params(params): Params<RatioParams>,
) -> Result<Json<Page<RatioItem>>, Problem> {
    let as_of_position = app.visible(None).await?;
    let all = prices::overrides(&app.ledger).await?.into_iter().map(RatioItem::from);
    let cursor = |item: &RatioItem| format!("{}:{}", item.scope, item.subject);
    let mut items: Vec<RatioItem> = all
        .filter(|item| params.scope.as_deref().is_none_or(|scope| scope == item.scope))
        .filter(|item| params.cursor.as_deref().is_none_or(|after| cursor(item).as_str() > after))
        .collect();
    items.sort_unstable_by_key(cursor);
    let more = items.len() > usize::from(params.limit);
    items.truncate(params.limit.into());
    let next_cursor = items.last().filter(|_| more).map(cursor);
    let accounts = items.iter().filter(|item| item.scope == "account");
    let accounts = accounts.map(|item| item.subject.clone());
    let names = Names::of_holders(&app, who.role, accounts).await?;
    items.iter_mut().for_each(|item| item.customer = names.of(&item.subject));
    Ok(Json(Page { data: items, next_cursor, as_of_position }))
}

fn ratio_of(text: &str) -> Result<Ratio, ApiError> {
    Ratio::parse(text).map_err(|error| {
        let message = both!("{error}", "Коэффициент не подходит: {error}");
        ApiError::invalid("ratio", message)
    })
}

/// Set a sale ratio
///
/// For a model or an account; null takes it away. It counts for requests that begin from now on: at
/// once on this node, within about two seconds on others.
#[utoipa::path(
    put,
    path = "/v1/admin/prices/ratios",
    operation_id = "set_sale_ratio",
    tag = "admin",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, made by you for this one change"),
    ),
    request_body = RatioRequest,
    responses(
        (status = 200, description = "Set", body = RatioResponse),
        (status = 404, description = "No such model or account"),
        (status = 409, description = "The Idempotency-Key was used for another request"),
    ),
    security(("session" = []))
)]
async fn change(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    key: IdempotencyKey,
    JsonBody(body): JsonBody<RatioRequest>,
) -> Result<Json<RatioResponse>, Problem> {
    let key = key.on("admin:ratios", &body)?;
    let scope = match body.scope {
        ScopeName::Model => RatioScope::Model(body.subject.clone()),
        ScopeName::Account => RatioScope::Account(
            body.subject
                .parse()
                .map_err(|_| ApiError::NotFound { what: both!("account", "счёт") })?,
        ),
    };
    let ratio = body.ratio.as_deref().map(ratio_of).transpose()?;
    let context = admin.context();
    let desk = app.desk(&context, key.as_ref());
    let done = prices::set_ratio(desk, scope, ratio, Some(&body.reason)).await?;
    app.changes.prices.notify_one();
    Ok(Json(RatioResponse {
        scope: body.scope,
        subject: body.subject,
        ratio: done.answer.ratio.map(|ratio| ratio.to_string()),
        position: done.position,
        replayed: done.replayed,
    }))
}

/// Which changes.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
struct HistoryParams {
    /// Only `ratio_set`, `plan_defined`, `prices_published`, `model_priced` or `model_retired`.
    #[validate(length(min = 1, max = 40))]
    #[param(example = "ratio_set")]
    kind: Option<String>,
    /// Only of this model, account or plan.
    #[validate(length(min = 1, max = 200))]
    #[param(example = "openai/gpt-4o")]
    subject: Option<String>,
    /// How many at most.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(default = 50, minimum = 1, maximum = 200)]
    limit: u16,
    /// `next_cursor` of the page before; absent for the first page.
    cursor: Option<String>,
    /// Wait until the answer reflects at least this position of the log.
    at_least: Option<i64>,
}

/// A change of the price book.
#[derive(Serialize, ToSchema)]
struct PriceChangeItem {
    /// The position of its event.
    #[schema(examples(42))]
    position: i64,
    /// `ratio_set`, `plan_defined`, `prices_published`, `model_priced` or `model_retired`.
    #[schema(examples("ratio_set"))]
    kind: String,
    /// `default`, `plan`, `model` or `account`.
    #[schema(examples("model"))]
    scope: Option<String>,
    /// The plan, model or account; the source of a list that was published.
    #[schema(examples("openai/gpt-4o"))]
    subject: Option<String>,
    /// The sale ratio; null in a `ratio_set`: the override was taken away.
    #[schema(value_type = Option<String>, examples("0.95"))]
    ratio: Option<Amount>,
    /// List price of an input token.
    #[schema(value_type = Option<String>, examples("0.0000025"))]
    prompt_usd: Option<Amount>,
    /// List price of an output token.
    #[schema(value_type = Option<String>, examples("0.00001"))]
    completion_usd: Option<Amount>,
    /// The version of a list that was published.
    price_version: Option<i64>,
    /// How many models it has.
    models: Option<i64>,
    /// Why, as the operator noted it. Null for auditors, and where it was erased.
    reason: Option<String>,
    at: DateTime<Utc>,
    /// Who did it.
    #[schema(examples("usr_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    actor: String,
}

/// List changes of prices
///
/// Sale ratios, plans and list prices, the newest first.
#[utoipa::path(
    get,
    path = "/v1/admin/prices/history",
    operation_id = "list_price_changes",
    tag = "admin",
    params(HistoryParams),
    responses((status = 200, description = "A page of changes", body = Page<PriceChangeItem>)),
    security(("session" = []))
)]
async fn history(
    State(app): State<AppState>,
    AuditorSession(who): AuditorSession,
    Params(params): Params<HistoryParams>,
) -> Result<Json<Page<PriceChangeItem>>, Problem> {
    app.visible(params.at_least).await?;
    let request = PageRequest::new(params.cursor, Some(params.limit.into()))?;
    let filter = PriceChangeFilter { kind: params.kind, subject: params.subject };
    let page = queries::price_changes(app.database.pool(), &filter, &request).await?;
    let page: Page<PriceChange> = Page::of(page);
    let subjects = page.data.iter().filter_map(|change| change.reason.clone());
    let notes = Notes::read(&app, who.role, subjects).await?;
    Ok(Json(page.map(|change| PriceChangeItem {
        reason: notes.about(change.reason.as_deref()),
        position: change.position,
        kind: change.kind,
        scope: change.scope,
        subject: change.subject,
        ratio: change.ratio.map(Amount),
        prompt_usd: change.prompt.map(Amount),
        completion_usd: change.completion.map(Amount),
        price_version: change.price_version,
        models: change.models,
        at: change.at,
        actor: change.actor,
    })))
}
