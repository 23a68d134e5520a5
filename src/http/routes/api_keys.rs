//! A customer's API keys.

mod shape;

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tollgate_domain::ids::KeyId;
use tollgate_projections::queries;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::shape::{ApiKeyItem, ChangeKeyRequest, IssueKeyRequest};
use crate::http::extract::{CustomerSession, JsonBody, Params, PathId};
use crate::http::wire::{Page, PageParams, Written};
use crate::http::{AppState, Problem};
use crate::identity::KeyOwner;
use crate::operations::keys;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, issue)).routes(routes!(change, revoke))
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

/// List API keys
///
/// The newest first, revoked ones included, with their limits and what is used of them. Keys are
/// masked.
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
    let ids: Vec<KeyId> = rows.iter().map(|key| key.id).collect();
    let mut standings = keys::standings(&app.ledger, who.account, &ids).await?;
    let used = queries::keys_by_id(app.database.pool(), who.account, &ids).await?.data;
    let mut used: HashMap<_, _> = used.into_iter().map(|key| (key.key_id.clone(), key)).collect();
    let page = Page::cut(rows, &params, as_of, |key| key.id.to_string());
    Ok(Json(page.map(|key| {
        let (standing, used) = (standings.remove(&key.id), used.remove(&key.id.to_string()));
        ApiKeyItem::new(key, standing, used)
    })))
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
    let ((name, limits), context) = (body.limits()?, who.context());
    let issued = keys::issue(&app.ledger, &app.keys, who.account, &name, limits, &context).await?;
    let answer = IssuedKeyResponse {
        id: issued.id.to_string(),
        key: issued.key.expose().to_owned(),
        name,
        masked: issued.key.mask(),
        created_at: issued.created_at,
        position: issued.position,
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Change an API key
///
/// Its name and what it may do, from the next request on. What is absent stays as it is; null takes
/// a limit away.
#[utoipa::path(
    patch,
    path = "/v1/auth/api-keys/{id}",
    operation_id = "change_api_key",
    tag = "api keys",
    params(("id" = String, Path, description = "The key's id", example = "key_01k2h3j4k5m6n7p8q9r0s1t2v3")),
    request_body(
        content = ChangeKeyRequest,
        example = json!({
            "name": "my old laptop", "limit_usd": "20", "period": "month", "allowed_models": null
        })
    ),
    responses(
        (status = 200, description = "Changed", body = Written),
        (status = 404, description = "No such key on your account"),
        (status = 409, description = "The key was revoked"),
    ),
    security(("session" = []))
)]
async fn change(
    State(app): State<AppState>,
    who: CustomerSession,
    PathId(key): PathId<KeyId>,
    JsonBody(mut body): JsonBody<ChangeKeyRequest>,
) -> Result<Json<Written>, Problem> {
    let owner = KeyOwner { key, account: who.account };
    let (name, limits) = (body.name.take(), body.limits()?);
    let change = |current| limits.apply(current);
    let context = who.context();
    let (name, keys) = (name.as_deref(), &app.keys);
    let position = keys::change(&app.ledger, keys, owner, name, change, &context).await?;
    Ok(Json(Written { position }))
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
