//! Booking money that came in.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tollgate_domain::ids::AccountId;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use crate::http::extract::{AdminSession, IdempotencyKey, JsonBody, PathId};
use crate::http::wire::Usd;
use crate::http::{AppState, Problem};
use crate::operations::Outcome;
use crate::operations::top_ups::{self, TopUp};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(create))
}

/// Money that came in.
#[derive(Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct TopUpRequest {
    /// Above zero.
    amount_usd: Usd,
    /// Your reference, such as an invoice number. It becomes part of the books for ever: name
    /// nobody in it.
    #[serde(default)]
    #[validate(length(max = 200))]
    #[schema(examples("invoice 2026-0042"))]
    reference: String,
    /// A remark beside the books, which can be erased.
    #[serde(default)]
    #[validate(length(max = 2000))]
    #[schema(examples("paid by bank transfer"))]
    note: Option<String>,
}

/// A booked top-up.
#[derive(Debug, Serialize, ToSchema)]
struct TopUpResponse {
    #[schema(examples("topup_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    id: String,
    #[schema(examples("acct_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    account_id: String,
    amount_usd: Usd,
    #[schema(examples("invoice 2026-0042"))]
    reference: String,
    note: Option<String>,
    /// A position of the log that holds it. A repeated answer may name a later one.
    #[schema(examples(12))]
    position: i64,
    /// Was it booked by an earlier request with this Idempotency-Key?
    replayed: bool,
}

impl From<Outcome<TopUp>> for TopUpResponse {
    fn from(Outcome { answer, position, replayed }: Outcome<TopUp>) -> Self {
        Self {
            id: answer.id.to_string(),
            account_id: answer.account.to_string(),
            amount_usd: answer.amount.into(),
            reference: answer.reference,
            note: answer.note,
            position,
            replayed,
        }
    }
}

/// Top up an account
///
/// Books money that was received outside. With an `Idempotency-Key`, the same request sent again
/// books nothing and gets the same answer; another request under the same key is refused.
#[utoipa::path(
    post,
    path = "/v1/admin/clients/{account_id}/top-ups",
    operation_id = "top_up_client",
    tag = "admin",
    params(
        ("account_id" = String, Path, description = "Whose", example = "acct_01k2h3j4k5m6n7p8q9r0s1t2v3"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, made by you for this one top-up"),
    ),
    request_body = TopUpRequest,
    responses(
        (status = 201, description = "Booked", body = TopUpResponse),
        (status = 404, description = "No such account"),
        (status = 409, description = "The Idempotency-Key was used for another request"),
    ),
    security(("session" = []))
)]
async fn create(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    PathId(account): PathId<AccountId>,
    key: IdempotencyKey,
    JsonBody(body): JsonBody<TopUpRequest>,
) -> Result<(StatusCode, Json<TopUpResponse>), Problem> {
    let key = key.on("admin:top_ups", &(account, &body))?;
    let (amount, reference, note) = (body.amount_usd.0, body.reference, body.note);
    let new = TopUp { id: top_ups::new_id(), account, amount, reference, note };
    let pool = app.database.pool();
    let context = admin.context();
    let done = top_ups::top_up(&app.ledger, pool, new, &context, key.as_ref()).await?;
    Ok((StatusCode::CREATED, Json(done.into())))
}
