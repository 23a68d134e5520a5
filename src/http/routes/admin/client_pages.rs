//! What stands on one customer's page: keys, usage and requests.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tollgate_domain::ids::{AccountId, KeyId};
use tollgate_projections::queries::{self, Key};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::logs::LogItem;
use crate::http::error::both;
use crate::http::extract::{AuditorSession, Params, PathId};
use crate::http::search::RequestParams;
use crate::http::usage::{BreakdownParams, UsageLineItem};
use crate::http::wire::{Amount, Page, PageParams, Usd};
use crate::http::{ApiError, AppState, Problem};
use crate::identity::Role;
use crate::identity::keys::ListedKey;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(keys)).routes(routes!(usage)).routes(routes!(requests))
}

/// A key of a customer.
#[derive(Serialize, ToSchema)]
struct ClientKeyItem {
    #[schema(examples("key_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    id: String,
    /// The customer's name for it. Null for auditors.
    #[schema(examples("laptop"))]
    name: Option<String>,
    /// Enough to recognise it.
    #[schema(examples("sk-tg-…x7Qa"))]
    masked: String,
    created_at: DateTime<Utc>,
    /// Null while it works.
    revoked_at: Option<DateTime<Utc>>,
    /// The most it may spend in one period; null: as much as the account has.
    limit_usd: Option<Usd>,
    /// Charged requests.
    requests: i64,
    /// Input and output tokens of them.
    tokens: i64,
    /// Everything ever charged to it.
    #[schema(examples("21.5"))]
    charge_usd: Amount,
    /// Set aside by its open reservations.
    #[schema(examples("0"))]
    reserved_usd: Amount,
    last_used_at: Option<DateTime<Utc>>,
}

impl ClientKeyItem {
    fn new(key: ListedKey, used: Option<&Key>, role: Role) -> Self {
        Self {
            id: key.id.to_string(),
            name: match role {
                Role::Admin => Some(key.name),
                Role::Client | Role::Auditor => None,
            },
            masked: key.masked,
            created_at: key.created_at,
            revoked_at: key.revoked_at,
            limit_usd: used.and_then(|used| used.limits.limit).map(Usd),
            requests: used.map_or(0, |used| used.requests),
            tokens: used.map_or(0, |used| used.tokens),
            charge_usd: Amount(used.map(|used| used.charge).unwrap_or_default()),
            reserved_usd: Amount(used.map(|used| used.reserved).unwrap_or_default()),
            last_used_at: used.and_then(|used| used.last_used_at),
        }
    }
}

/// Refuses an account that does not exist.
async fn known(app: &AppState, id: AccountId) -> Result<(), ApiError> {
    let found = queries::account(app.database.pool(), id).await?;
    let missing = || ApiError::NotFound { what: both!("account", "счёт") };
    found.data.map(|_| ()).ok_or_else(missing)
}

/// List a customer's keys
///
/// The newest first, revoked ones included, with what was charged to each.
#[utoipa::path(
    get,
    path = "/v1/admin/clients/{account_id}/keys",
    operation_id = "list_client_keys",
    tag = "admin",
    params(
        ("account_id" = String, Path, description = "Whose", example = "acct_01k2h3j4k5m6n7p8q9r0s1t2v3"),
        PageParams
    ),
    responses(
        (status = 200, description = "A page of keys", body = Page<ClientKeyItem>),
        (status = 404, description = "No such account"),
    ),
    security(("session" = []))
)]
async fn keys(
    State(app): State<AppState>,
    AuditorSession(who): AuditorSession,
    PathId(account): PathId<AccountId>,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<ClientKeyItem>>, Problem> {
    app.visible(params.at_least).await?;
    known(&app, account).await?;
    let before: Option<KeyId> = params.cursor()?;
    let rows = app.keys.page(account, before, params.fetch()).await?;
    let ids: Vec<KeyId> = rows.iter().map(|key| key.id).collect();
    let used = queries::keys_by_id(app.database.pool(), account, &ids).await?;
    let by_id: HashMap<_, _> = used.data.iter().map(|key| (key.key_id.as_str(), key)).collect();
    let page = Page::cut(rows, &params, used.as_of_position, |key| key.id.to_string());
    Ok(Json(page.map(|key| {
        let used = by_id.get(key.id.to_string().as_str()).copied();
        ClientKeyItem::new(key, used, who.role)
    })))
}

/// Break a customer's usage down
///
/// By day, model or key, or by day and one of them: the oldest day first, then the dearest. One
/// page of at most 5,000 lines.
#[utoipa::path(
    get,
    path = "/v1/admin/clients/{account_id}/usage",
    operation_id = "show_client_usage",
    tag = "admin",
    params(
        ("account_id" = String, Path, description = "Whose", example = "acct_01k2h3j4k5m6n7p8q9r0s1t2v3"),
        BreakdownParams
    ),
    responses(
        (status = 200, description = "The lines", body = Page<UsageLineItem>),
        (status = 400, description = "A filter makes no sense, or there are too many lines"),
        (status = 404, description = "No such account"),
    ),
    security(("session" = []))
)]
async fn usage(
    State(app): State<AppState>,
    _: AuditorSession,
    PathId(account): PathId<AccountId>,
    Params(params): Params<BreakdownParams>,
) -> Result<Json<Page<UsageLineItem>>, Problem> {
    app.visible(params.at_least).await?;
    known(&app, account).await?;
    Ok(Json(params.lines(app.database.pool(), account).await?))
}

/// Search a customer's requests
///
/// The newest first, one entry each, with cost: a request that was corrected later shows the
/// newest figures in its place.
#[utoipa::path(
    get,
    path = "/v1/admin/clients/{account_id}/requests",
    operation_id = "list_client_requests",
    tag = "admin",
    params(
        ("account_id" = String, Path, description = "Whose", example = "acct_01k2h3j4k5m6n7p8q9r0s1t2v3"),
        RequestParams
    ),
    responses(
        (status = 200, description = "A page of requests", body = Page<LogItem>),
        (status = 404, description = "No such account"),
    ),
    security(("session" = []))
)]
async fn requests(
    State(app): State<AppState>,
    _: AuditorSession,
    PathId(account): PathId<AccountId>,
    Params(params): Params<RequestParams>,
) -> Result<Json<Page<LogItem>>, Problem> {
    let (search, params) = params.split()?;
    app.visible(params.at_least).await?;
    known(&app, account).await?;
    let page = params.request()?;
    let found = queries::search_requests(app.database.pool(), account, &search, &page).await?;
    Ok(Json(Page::of(found)))
}
