//! Disabling and enabling master accounts, replacing their keys, reconciling their credits.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tollgate_domain::ids::MasterAccountId;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::{Validate, ValidationError};

use crate::config::Secret;
use crate::http::extract::{AdminSession, IdempotencyKey, JsonBody, PathId};
use crate::http::wire::Usd;
use crate::http::{AppState, Problem};
use crate::operations::Outcome;
use crate::operations::master_changes::{self, Switched};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(disable))
        .routes(routes!(enable))
        .routes(routes!(replace_key))
        .routes(routes!(adjust))
}

/// Why.
#[derive(Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct SwitchRequest {
    /// Why. It stands beside the books, where it can be erased.
    #[validate(length(min = 1, max = 2000))]
    #[schema(examples("its credits run out"))]
    reason: String,
}

/// What the master account is now.
#[derive(Debug, Serialize, ToSchema)]
struct SwitchResponse {
    #[schema(examples("mast_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    master_account_id: String,
    /// `enabled` or `disabled`.
    #[schema(examples("disabled"))]
    status: &'static str,
    #[schema(examples("its credits run out"))]
    reason: String,
    /// A position of the log that holds it. A repeated answer may name a later one.
    #[schema(examples(12))]
    position: i64,
    /// Was it done by an earlier request with this Idempotency-Key?
    replayed: bool,
}

impl SwitchResponse {
    fn new(done: Outcome<Switched>, reason: String) -> Self {
        Self {
            master_account_id: done.answer.master_account.to_string(),
            status: if done.answer.enabled { "enabled" } else { "disabled" },
            reason,
            position: done.position,
            replayed: done.replayed,
        }
    }
}

/// Disable a master account
///
/// No new request is routed to it: at once on this node, within about two seconds on others.
/// Requests that run come to their end. Disabling a disabled one changes nothing.
#[utoipa::path(
    post,
    path = "/v1/admin/master-accounts/{id}/disable",
    operation_id = "disable_master_account",
    tag = "admin",
    params(
        ("id" = String, Path, description = "Which", example = "mast_01k2h3j4k5m6n7p8q9r0s1t2v3"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, made by you for this one request"),
    ),
    request_body = SwitchRequest,
    responses(
        (status = 200, description = "Disabled", body = SwitchResponse),
        (status = 404, description = "No such master account"),
        (status = 409, description = "The Idempotency-Key was used for another request"),
    ),
    security(("session" = []))
)]
async fn disable(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    PathId(id): PathId<MasterAccountId>,
    key: IdempotencyKey,
    JsonBody(body): JsonBody<SwitchRequest>,
) -> Result<Json<SwitchResponse>, Problem> {
    let key = key.on("admin:disable_master", &(id, &body))?;
    let context = admin.context();
    let desk = app.desk(&context, key.as_ref());
    let done = master_changes::disable(desk, id, &body.reason).await?;
    app.changes.master_accounts.notify_one();
    Ok(Json(SwitchResponse::new(done, body.reason)))
}

/// Enable a master account
///
/// Requests are routed to it again. Enabling an enabled one changes nothing.
#[utoipa::path(
    post,
    path = "/v1/admin/master-accounts/{id}/enable",
    operation_id = "enable_master_account",
    tag = "admin",
    params(
        ("id" = String, Path, description = "Which", example = "mast_01k2h3j4k5m6n7p8q9r0s1t2v3"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, made by you for this one request"),
    ),
    request_body = SwitchRequest,
    responses(
        (status = 200, description = "Enabled", body = SwitchResponse),
        (status = 404, description = "No such master account"),
        (status = 409, description = "The Idempotency-Key was used for another request"),
    ),
    security(("session" = []))
)]
async fn enable(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    PathId(id): PathId<MasterAccountId>,
    key: IdempotencyKey,
    JsonBody(body): JsonBody<SwitchRequest>,
) -> Result<Json<SwitchResponse>, Problem> {
    let key = key.on("admin:enable_master", &(id, &body))?;
    let context = admin.context();
    let desk = app.desk(&context, key.as_ref());
    let done = master_changes::enable(desk, id, &body.reason).await?;
    app.changes.master_accounts.notify_one();
    Ok(Json(SwitchResponse::new(done, body.reason)))
}

/// Another key.
#[derive(Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct KeyRequest {
    /// The new key. It is sealed at once and never shown again.
    #[validate(length(min = 1, max = 1000), custom(function = "graphic"))]
    #[schema(examples("sk-or-v1-0123456789abcdef"), format = "password")]
    api_key: String,
    /// Why. It stands beside the books, where it can be erased.
    #[validate(length(min = 1, max = 2000))]
    #[schema(examples("yearly rotation"))]
    reason: String,
}

/// A replaced key.
#[derive(Debug, Serialize, ToSchema)]
struct KeyResponse {
    #[schema(examples("mast_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    master_account_id: String,
    /// How many keys it has had.
    #[schema(examples(2))]
    key_version: u32,
    /// Enough to recognise the key.
    #[schema(examples("sk-or-…cdef"))]
    masked_key: String,
    /// A position of the log that holds it. A repeated answer may name a later one.
    #[schema(examples(12))]
    position: i64,
    /// Was it done by an earlier request with this Idempotency-Key?
    replayed: bool,
}

/// It travels in a header; a line break or a space inside is a slip of the clipboard.
fn graphic(text: &str) -> Result<(), ValidationError> {
    match text.chars().all(|c| c.is_ascii_graphic()) {
        true => Ok(()),
        false => Err(ValidationError::new("key")),
    }
}

/// Replace a master account's key
///
/// New requests use the new key: at once on this node, within about two seconds on others. Revoke
/// the old one at the upstream when the requests that run have ended.
#[utoipa::path(
    put,
    path = "/v1/admin/master-accounts/{id}/key",
    operation_id = "replace_master_account_key",
    tag = "admin",
    params(
        ("id" = String, Path, description = "Whose", example = "mast_01k2h3j4k5m6n7p8q9r0s1t2v3"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, made by you for this one request"),
    ),
    request_body = KeyRequest,
    responses(
        (status = 200, description = "Replaced", body = KeyResponse),
        (status = 404, description = "No such master account"),
        (status = 409, description = "The key is not new, or the Idempotency-Key was used for another request"),
    ),
    security(("session" = []))
)]
async fn replace_key(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    PathId(id): PathId<MasterAccountId>,
    key: IdempotencyKey,
    JsonBody(body): JsonBody<KeyRequest>,
) -> Result<Json<KeyResponse>, Problem> {
    let key = key.on("admin:replace_key", &(id, &body))?;
    let context = admin.context();
    let desk = app.desk(&context, key.as_ref());
    let (keys, new) = (&app.upstream_keys, Secret::new(body.api_key));
    let done = master_changes::replace_key(desk, keys, id, &new, &body.reason).await?;
    app.changes.master_accounts.notify_one();
    Ok(Json(KeyResponse {
        master_account_id: done.answer.master_account.to_string(),
        key_version: done.answer.key_version,
        masked_key: done.answer.masked,
        position: done.position,
        replayed: done.replayed,
    }))
}

/// Credits to be reconciled.
#[derive(Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct CreditsRequest {
    /// The upstream's statement minus our books: up, or down with a minus sign.
    #[schema(examples("-0.37"))]
    credits_usd: Usd,
    /// What the difference is worth to you; absent: what credits have cost so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(examples("-0.111"))]
    value_usd: Option<Usd>,
    /// What remains by the upstream's own statement; kept in the books.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(examples("998.63"))]
    stated_remaining_usd: Option<Usd>,
    /// Why. It stands beside the books, where it can be erased.
    #[validate(length(min = 1, max = 2000))]
    #[schema(examples("statement of 2026-08-08"))]
    reason: String,
}

/// A booked reconciliation.
#[derive(Debug, Serialize, ToSchema)]
struct CreditsResponse {
    #[schema(examples("adj_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    id: String,
    #[schema(examples("mast_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    master_account_id: String,
    credits_usd: Usd,
    value_usd: Usd,
    stated_remaining_usd: Option<Usd>,
    #[schema(examples("statement of 2026-08-08"))]
    reason: String,
    /// A position of the log that holds it. A repeated answer may name a later one.
    #[schema(examples(12))]
    position: i64,
    /// Was it booked by an earlier request with this Idempotency-Key?
    replayed: bool,
}

/// Reconcile credits
///
/// Books the difference between the upstream's own statement (see `GET …/statement`) and our
/// credits. It changes the asset and not the cost rate.
#[utoipa::path(
    post,
    path = "/v1/admin/master-accounts/{id}/adjustments",
    operation_id = "adjust_credits",
    tag = "admin",
    params(
        ("id" = String, Path, description = "Whose credits", example = "mast_01k2h3j4k5m6n7p8q9r0s1t2v3"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, made by you for this one reconciliation"),
    ),
    request_body = CreditsRequest,
    responses(
        (status = 201, description = "Booked", body = CreditsResponse),
        (status = 404, description = "No such master account"),
        (status = 409, description = "The Idempotency-Key was used for another request"),
    ),
    security(("session" = []))
)]
async fn adjust(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    PathId(id): PathId<MasterAccountId>,
    key: IdempotencyKey,
    JsonBody(body): JsonBody<CreditsRequest>,
) -> Result<(StatusCode, Json<CreditsResponse>), Problem> {
    let key = key.on("admin:adjust_credits", &(id, &body))?;
    let context = admin.context();
    let desk = app.desk(&context, key.as_ref());
    let (credits, value) = (body.credits_usd.0, body.value_usd.map(|value| value.0));
    let stated = body.stated_remaining_usd.map(|stated| stated.0);
    let reason = &body.reason;
    let done = master_changes::adjust_credits(desk, id, credits, value, stated, reason).await?;
    Ok((
        StatusCode::CREATED,
        Json(CreditsResponse {
            id: done.answer.id.to_string(),
            master_account_id: done.answer.master_account.to_string(),
            credits_usd: done.answer.credits.into(),
            value_usd: done.answer.value.into(),
            stated_remaining_usd: done.answer.stated.map(Usd),
            reason: body.reason,
            position: done.position,
            replayed: done.replayed,
        }),
    ))
}
