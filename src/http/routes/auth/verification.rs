//! Showing that an address is one's own.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use crate::http::extract::{ClientOrigin, JsonBody, Request};
use crate::http::people::Accepted;
use crate::http::{AppState, Problem};
use crate::ledger::{Actor, CommandContext};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(ask)).routes(routes!(confirm))
}

/// Which address.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct AskVerificationRequest {
    #[schema(examples("ada@example.com"), format = "email")]
    #[validate(email, length(max = 254))]
    email: String,
}

/// A mailed token.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct ConfirmVerificationRequest {
    /// From the link in the mail, behind `#token=`.
    #[schema(examples("tgv_AZrQv3…"))]
    #[validate(length(max = 200))]
    token: String,
}

/// Ask for the link once more
///
/// Mails a link that shows that the address is yours; it works once, for three days. The answer is
/// the same at once, whether anybody has the address or not.
#[utoipa::path(
    post,
    path = "/v1/auth/email-verification",
    operation_id = "ask_email_verification",
    tag = "auth",
    request_body = AskVerificationRequest,
    responses(
        (status = 202, description = "If the address waits for its verification, it gets a mail", body = Accepted),
        (status = 429, description = "Your address has asked for too much mail"),
    )
)]
async fn ask(
    State(app): State<AppState>,
    ClientOrigin(origin): ClientOrigin,
    JsonBody(body): JsonBody<AskVerificationRequest>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    app.people.may_ask(&origin)?;
    let people = app.people.clone();
    app.later(async move { people.ask_verification(&body.email).await });
    Ok((StatusCode::ACCEPTED, Json(Accepted::ANSWER)))
}

/// Verify an address
///
/// With the token of a mailed link.
#[utoipa::path(
    post,
    path = "/v1/auth/email-verification/confirm",
    operation_id = "confirm_email_verification",
    tag = "auth",
    request_body = ConfirmVerificationRequest,
    responses(
        (status = 204, description = "The address is yours"),
        (status = 400, description = "The link was used or is too old"),
    )
)]
async fn confirm(
    State(app): State<AppState>,
    Request(request): Request,
    JsonBody(body): JsonBody<ConfirmVerificationRequest>,
) -> Result<StatusCode, Problem> {
    let context = CommandContext::request(Actor::System("email_verification"), request);
    app.people.verify_email(&body.token, &context).await?;
    Ok(StatusCode::NO_CONTENT)
}
