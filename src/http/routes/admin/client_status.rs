//! Stopping an account, and letting it go on.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tollgate_domain::account::Status;
use tollgate_domain::ids::AccountId;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use crate::http::extract::{AdminSession, IdempotencyKey, JsonBody, PathId};
use crate::http::{AppState, Problem};
use crate::operations::Outcome;
use crate::operations::clients::{self, StatusChange};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(suspend)).routes(routes!(reinstate))
}

/// Why.
#[derive(Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct StatusRequest {
    /// Why. It stands beside the books, where it can be erased.
    #[validate(length(min = 1, max = 2000))]
    #[schema(examples("chargeback of the last top-up"))]
    reason: String,
}

/// What the account is now.
#[derive(Debug, Serialize, ToSchema)]
struct StatusResponse {
    #[schema(examples("acct_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    account_id: String,
    /// `active` or `suspended`.
    #[schema(examples("suspended"))]
    status: &'static str,
    #[schema(examples("chargeback of the last top-up"))]
    reason: String,
    /// A position of the log that holds it. A repeated answer may name a later one.
    #[schema(examples(12))]
    position: i64,
    /// Was it done by an earlier request with this Idempotency-Key?
    replayed: bool,
}

impl StatusResponse {
    fn new(done: Outcome<StatusChange>, reason: String) -> Self {
        Self {
            account_id: done.answer.account.to_string(),
            status: match done.answer.status {
                Status::Active => "active",
                Status::Suspended => "suspended",
            },
            reason,
            position: done.position,
            replayed: done.replayed,
        }
    }
}

/// Suspend an account
///
/// Its keys are refused from now on; requests that run come to their end. Money may still come and
/// go.
#[utoipa::path(
    post,
    path = "/v1/admin/clients/{account_id}/suspend",
    operation_id = "suspend_client",
    tag = "admin",
    params(
        ("account_id" = String, Path, description = "Which", example = "acct_01k2h3j4k5m6n7p8q9r0s1t2v3"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, made by you for this one request"),
    ),
    request_body = StatusRequest,
    responses(
        (status = 200, description = "Suspended", body = StatusResponse),
        (status = 404, description = "No such account"),
        (status = 409, description = "It is suspended already, or the Idempotency-Key was used for another request"),
    ),
    security(("session" = []))
)]
async fn suspend(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    PathId(account): PathId<AccountId>,
    key: IdempotencyKey,
    JsonBody(body): JsonBody<StatusRequest>,
) -> Result<Json<StatusResponse>, Problem> {
    let key = key.on("admin:suspend", &(account, &body))?;
    let context = admin.context();
    let desk = app.desk(&context, key.as_ref());
    let done = clients::suspend(desk, account, &body.reason).await?;
    Ok(Json(StatusResponse::new(done, body.reason)))
}

/// Reinstate an account
///
/// Its keys work again.
#[utoipa::path(
    post,
    path = "/v1/admin/clients/{account_id}/reinstate",
    operation_id = "reinstate_client",
    tag = "admin",
    params(
        ("account_id" = String, Path, description = "Which", example = "acct_01k2h3j4k5m6n7p8q9r0s1t2v3"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, made by you for this one request"),
    ),
    request_body = StatusRequest,
    responses(
        (status = 200, description = "Reinstated", body = StatusResponse),
        (status = 404, description = "No such account"),
        (status = 409, description = "It is not suspended, or the Idempotency-Key was used for another request"),
    ),
    security(("session" = []))
)]
async fn reinstate(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    PathId(account): PathId<AccountId>,
    key: IdempotencyKey,
    JsonBody(body): JsonBody<StatusRequest>,
) -> Result<Json<StatusResponse>, Problem> {
    let key = key.on("admin:reinstate", &(account, &body))?;
    let context = admin.context();
    let desk = app.desk(&context, key.as_ref());
    let done = clients::reinstate(desk, account, &body.reason).await?;
    Ok(Json(StatusResponse::new(done, body.reason)))
}
