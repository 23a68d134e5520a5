//! A customer's API keys.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_domain::Timestamp;
use tollgate_domain::account::KeyLimits;
use tollgate_domain::ids::KeyId;
use tollgate_domain::time::Period;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use crate::http::extract::{CustomerSession, JsonBody, Params, PathId};
use crate::http::wire::{Page, PageParams, Usd, Written};
use crate::http::{AppState, Problem};
use crate::identity::KeyOwner;
use crate::identity::keys::ListedKey;
use crate::operations::keys;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, issue)).routes(routes!(revoke))
}

/// A key as it is shown after its first moment.
#[derive(Serialize, ToSchema)]
struct ApiKeyItem {
    #[schema(examples("key_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    id: String,
    #[schema(examples("my laptop"))]
    name: String,
    /// Enough to recognise the key.
    #[schema(examples("sk-tg-…x7Qa"))]
    masked: String,
    created_at: DateTime<Utc>,
    /// Null while it works.
    revoked_at: Option<DateTime<Utc>>,
}

/// How long a spending limit counts before it starts anew; UTC, weeks from Monday.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum LimitPeriod {
    Day,
    Week,
    Month,
    Total,
}

/// A key to be issued.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct IssueKeyRequest {
    /// Your name for it.
    #[validate(length(min = 1, max = 200))]
    #[schema(examples("my laptop"))]
    name: String,
    /// The most it may spend in one period; absent: as much as the account has.
    #[serde(default)]
    limit_usd: Option<Usd>,
    /// The period that the limit counts in; absent: for ever.
    #[serde(default)]
    period: Option<LimitPeriod>,
    /// From then on it is refused.
    #[serde(default)]
    expires_at: Option<DateTime<Utc>>,
}

/// A key that was just issued.
#[derive(Serialize, ToSchema)]
struct IssuedKeyResponse {
    #[schema(examples("key_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    id: String,
    /// The key itself. It is shown now and never again.
    #[schema(examples("sk-tg-3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))]
    key: String,
    #[schema(examples("my laptop"))]
    name: String,
    #[schema(examples("sk-tg-…AAAA"))]
    masked: String,
    created_at: DateTime<Utc>,
    /// The position of the log that holds it.
    #[schema(examples(7))]
    position: i64,
}

impl From<ListedKey> for ApiKeyItem {
    fn from(key: ListedKey) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name,
            masked: key.masked,
            created_at: key.created_at,
            revoked_at: key.revoked_at,
        }
    }
}

impl IssueKeyRequest {
    fn limits(&self) -> KeyLimits {
        KeyLimits {
            limit: self.limit_usd.map(|usd| usd.0),
            period: self.period.map(|period| match period {
                LimitPeriod::Day => Period::Day,
                LimitPeriod::Week => Period::Week,
                LimitPeriod::Month => Period::Month,
                LimitPeriod::Total => Period::Total,
            }),
            expires_at: self.expires_at.map(|at| Timestamp(at.timestamp_micros())),
            ..KeyLimits::default()
        }
    }
}

/// List API keys
///
/// The newest first, revoked ones included. Keys are masked.
#[utoipa::path(
    get,
    path = "/v1/auth/api-keys",
    operation_id = "list_api_keys",
    tag = "api keys",
    params(PageParams),
    responses((status = 200, description = "A page of keys", body = Page<ApiKeyItem>)),
    security(("session" = []))
)]
async fn list(
    State(app): State<AppState>,
    who: CustomerSession,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<ApiKeyItem>>, Problem> {
    let as_of = app.visible(params.at_least).await?;
    let before: Option<KeyId> = params.cursor()?;
    let rows = app.keys.page(who.account, before, params.fetch()).await?;
    let page = Page::cut(rows, &params, as_of, |key| key.id.to_string());
    Ok(Json(page.map(ApiKeyItem::from)))
}

/// Issue an API key
///
/// The answer holds the key, which is never shown again.
#[utoipa::path(
    post,
    path = "/v1/auth/api-keys",
    operation_id = "issue_api_key",
    tag = "api keys",
    request_body = IssueKeyRequest,
    responses(
        (status = 201, description = "The key works", body = IssuedKeyResponse),
        (status = 409, description = "The account has as many keys as it may have"),
    ),
    security(("session" = []))
)]
async fn issue(
    State(app): State<AppState>,
    who: CustomerSession,
    JsonBody(body): JsonBody<IssueKeyRequest>,
) -> Result<(StatusCode, Json<IssuedKeyResponse>), Problem> {
    let (limits, context) = (body.limits(), who.context());
    let issued =
        keys::issue(&app.ledger, &app.keys, who.account, &body.name, limits, &context).await?;
    let answer = IssuedKeyResponse {
        id: issued.id.to_string(),
        key: issued.key.expose().to_owned(),
        name: body.name,
        masked: issued.key.mask(),
        created_at: issued.created_at,
        position: issued.position,
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Revoke an API key
///
/// It is refused from now on. Revoking it again changes nothing.
#[utoipa::path(
    delete,
    path = "/v1/auth/api-keys/{id}",
    operation_id = "revoke_api_key",
    tag = "api keys",
    params(("id" = String, Path, description = "The key's id", example = "key_01k2h3j4k5m6n7p8q9r0s1t2v3")),
    responses(
        (status = 200, description = "Revoked", body = Written),
        (status = 404, description = "No such key on your account"),
    ),
    security(("session" = []))
)]
async fn revoke(
    State(app): State<AppState>,
    who: CustomerSession,
    PathId(key): PathId<KeyId>,
) -> Result<Json<Written>, Problem> {
    let owner = KeyOwner { key, account: who.account };
    let position = keys::revoke(&app.ledger, &app.keys, owner, &who.context()).await?;
    Ok(Json(Written { position }))
}
