//! Money back, money given, corrections.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_domain::ids::{AccountId, TopUpId};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use crate::http::error::both;
use crate::http::extract::{AdminSession, IdempotencyKey, JsonBody, PathId};
use crate::http::wire::Usd;
use crate::http::{ApiError, AppState, Problem};
use crate::operations::clients;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(refund)).routes(routes!(grant)).routes(routes!(adjust))
}

/// Money to be paid back.
#[derive(Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct RefundRequest {
    /// Of which top-up.
    #[schema(examples("topup_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    top_up_id: String,
    /// Above zero, at most what is left of the top-up.
    amount_usd: Usd,
    /// Why. It stands beside the books, where it can be erased.
    #[validate(length(min = 1, max = 2000))]
    #[schema(examples("asked for it within 14 days"))]
    reason: String,
}

/// A booked refund.
#[derive(Debug, Serialize, ToSchema)]
struct RefundResponse {
    #[schema(examples("rfnd_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    id: String,
    #[schema(examples("acct_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    account_id: String,
    #[schema(examples("topup_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    top_up_id: String,
    amount_usd: Usd,
    #[schema(examples("asked for it within 14 days"))]
    reason: String,
    /// A position of the log that holds it. A repeated answer may name a later one.
    #[schema(examples(12))]
    position: i64,
    /// Was it booked by an earlier request with this Idempotency-Key?
    replayed: bool,
}

/// Refund a top-up
///
/// Books money that was paid back outside. At most what is left of the top-up, as far as it is on
/// the account: what is spent, set aside for requests that run, or was granted is not paid out.
/// With an `Idempotency-Key`, the same request sent again books nothing and gets the same answer.
#[utoipa::path(
    post,
    path = "/v1/admin/clients/{account_id}/refunds",
    operation_id = "refund_client",
    tag = "admin",
    params(
        ("account_id" = String, Path, description = "Whose", example = "acct_01k2h3j4k5m6n7p8q9r0s1t2v3"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, made by you for this one refund"),
    ),
    request_body = RefundRequest,
    responses(
        (status = 201, description = "Booked", body = RefundResponse),
        (status = 404, description = "No such account, or no such top-up on it"),
        (status = 409, description = "So much can't be paid back now, or the Idempotency-Key was used for another request"),
    ),
    security(("session" = []))
)]
async fn refund(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    PathId(account): PathId<AccountId>,
    key: IdempotencyKey,
    JsonBody(body): JsonBody<RefundRequest>,
) -> Result<(StatusCode, Json<RefundResponse>), Problem> {
    let key = key.on("admin:refunds", &(account, &body))?;
    let top_up: TopUpId = body.top_up_id.parse().map_err(|_| {
        let message = both!("`top_up_id` is no id of a top-up.", "`top_up_id`: это не пополнение.");
        ApiError::invalid("top_up_id", message)
    })?;
    let context = admin.context();
    let desk = app.desk(&context, key.as_ref());
    let done = clients::refund(desk, account, top_up, body.amount_usd.0, &body.reason).await?;
    Ok((
        StatusCode::CREATED,
        Json(RefundResponse {
            id: done.answer.id.to_string(),
            account_id: done.answer.account.to_string(),
            top_up_id: done.answer.top_up.to_string(),
            amount_usd: done.answer.amount.into(),
            reason: body.reason,
            position: done.position,
            replayed: done.replayed,
        }),
    ))
}

/// Money to be given.
#[derive(Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct GrantRequest {
    /// Above zero.
    amount_usd: Usd,
    /// Why. It stands beside the books, where it can be erased.
    #[validate(length(min = 1, max = 2000))]
    #[schema(examples("welcome"))]
    reason: String,
    /// From then on what is unspent goes back; absent: never. Granted money is spent before any
    /// other, the soonest expiry first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
}

/// A booked grant.
#[derive(Debug, Serialize, ToSchema)]
struct GrantResponse {
    #[schema(examples("grant_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    id: String,
    #[schema(examples("acct_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    account_id: String,
    amount_usd: Usd,
    expires_at: Option<DateTime<Utc>>,
    #[schema(examples("welcome"))]
    reason: String,
    /// A position of the log that holds it. A repeated answer may name a later one.
    #[schema(examples(12))]
    position: i64,
    /// Was it booked by an earlier request with this Idempotency-Key?
    replayed: bool,
}

/// Grant money
///
/// A gift, for ever or until a moment. It is spent before topped-up money, what expires soonest
/// first; what is unspent when its time is over goes back. It is never paid out by a refund.
#[utoipa::path(
    post,
    path = "/v1/admin/clients/{account_id}/grants",
    operation_id = "grant_client",
    tag = "admin",
    params(
        ("account_id" = String, Path, description = "To whom", example = "acct_01k2h3j4k5m6n7p8q9r0s1t2v3"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, made by you for this one grant"),
    ),
    request_body = GrantRequest,
    responses(
        (status = 201, description = "Booked", body = GrantResponse),
        (status = 404, description = "No such account"),
        (status = 409, description = "The Idempotency-Key was used for another request"),
    ),
    security(("session" = []))
)]
async fn grant(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    PathId(account): PathId<AccountId>,
    key: IdempotencyKey,
    JsonBody(body): JsonBody<GrantRequest>,
) -> Result<(StatusCode, Json<GrantResponse>), Problem> {
    let key = key.on("admin:grants", &(account, &body))?;
    let context = admin.context();
    let desk = app.desk(&context, key.as_ref());
    let (amount, expires_at) = (body.amount_usd.0, body.expires_at);
    let done = clients::grant(desk, account, amount, expires_at, &body.reason).await?;
    Ok((
        StatusCode::CREATED,
        Json(GrantResponse {
            id: done.answer.id.to_string(),
            account_id: done.answer.account.to_string(),
            amount_usd: done.answer.amount.into(),
            expires_at: done.answer.expires_at,
            reason: body.reason,
            position: done.position,
            replayed: done.replayed,
        }),
    ))
}

/// A correction.
#[derive(Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct AdjustmentRequest {
    /// Up, or down with a minus sign; not zero. A correction downwards may lead into debt.
    #[schema(examples("-0.50"))]
    amount_usd: Usd,
    /// Why. It stands beside the books, where it can be erased.
    #[validate(length(min = 1, max = 2000))]
    #[schema(examples("charged twice on 2026-08-08"))]
    reason: String,
    /// What it refers to, such as a ticket. It becomes part of the books for ever: name nobody in
    /// it.
    #[validate(length(min = 1, max = 200))]
    #[schema(examples("ticket 4711"))]
    reference: String,
}

/// A booked correction.
#[derive(Debug, Serialize, ToSchema)]
struct AdjustmentResponse {
    #[schema(examples("adj_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    id: String,
    #[schema(examples("acct_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    account_id: String,
    amount_usd: Usd,
    #[schema(examples("ticket 4711"))]
    reference: String,
    #[schema(examples("charged twice on 2026-08-08"))]
    reason: String,
    /// A position of the log that holds it. A repeated answer may name a later one.
    #[schema(examples(12))]
    position: i64,
    /// Was it booked by an earlier request with this Idempotency-Key?
    replayed: bool,
}

/// Correct a balance
///
/// Up or down, with what it refers to. An event is never changed: this is how a mistake is made
/// good.
#[utoipa::path(
    post,
    path = "/v1/admin/clients/{account_id}/adjustments",
    operation_id = "adjust_client",
    tag = "admin",
    params(
        ("account_id" = String, Path, description = "Whose balance", example = "acct_01k2h3j4k5m6n7p8q9r0s1t2v3"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, made by you for this one correction"),
    ),
    request_body = AdjustmentRequest,
    responses(
        (status = 201, description = "Booked", body = AdjustmentResponse),
        (status = 404, description = "No such account"),
        (status = 409, description = "The Idempotency-Key was used for another request"),
    ),
    security(("session" = []))
)]
async fn adjust(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    PathId(account): PathId<AccountId>,
    key: IdempotencyKey,
    JsonBody(body): JsonBody<AdjustmentRequest>,
) -> Result<(StatusCode, Json<AdjustmentResponse>), Problem> {
    let key = key.on("admin:adjustments", &(account, &body))?;
    let context = admin.context();
    let desk = app.desk(&context, key.as_ref());
    let (amount, reference) = (body.amount_usd.0, body.reference);
    let done = clients::adjust(desk, account, amount, reference, &body.reason).await?;
    Ok((
        StatusCode::CREATED,
        Json(AdjustmentResponse {
            id: done.answer.id.to_string(),
            account_id: done.answer.account.to_string(),
            amount_usd: done.answer.amount.into(),
            reference: done.answer.reference,
            reason: body.reason,
            position: done.position,
            replayed: done.replayed,
        }),
    ))
}
