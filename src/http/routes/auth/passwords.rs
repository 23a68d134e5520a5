//! Changing a password, and setting a new one by mail.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use super::{BrowserParams, Issued, TokenResponse, issued};
use crate::config::Secret;
use crate::http::extract::{Browser, ClientOrigin, JsonBody, Request, SignedIn};
use crate::http::people::Accepted;
use crate::http::{AppState, Problem};
use crate::ledger::{Actor, CommandContext};
use crate::operations::people;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(change)).routes(routes!(ask)).routes(routes!(confirm))
}

/// Another password.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct ChangePasswordRequest {
    /// The one that you have.
    #[schema(examples("correct horse battery"), format = "password")]
    #[validate(length(max = 1024))]
    old_password: String,
    /// 10 to 128 characters, not your address, and none of those that are tried first.
    #[schema(
        examples("battery staple horse"),
        format = "password",
        min_length = 10,
        max_length = 128
    )]
    password: String,
}

/// Whose password.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct AskResetRequest {
    #[schema(examples("ada@example.com"), format = "email")]
    #[validate(email, length(max = 254))]
    email: String,
}

/// A mailed token and a new password.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct ConfirmResetRequest {
    /// From the link in the mail, behind `#token=`.
    #[schema(examples("tgp_AZrQv3…"))]
    #[validate(length(max = 200))]
    token: String,
    /// 10 to 128 characters, not your address, and none of those that are tried first.
    #[schema(
        examples("battery staple horse"),
        format = "password",
        min_length = 10,
        max_length = 128
    )]
    password: String,
}

/// Change your password
///
/// Needs the old one. You stay signed in here and are signed out everywhere else; mailed links for
/// a new password stop to work.
#[utoipa::path(
    post,
    path = "/v1/auth/password",
    operation_id = "change_password",
    tag = "auth",
    request_body = ChangePasswordRequest,
    responses(
        (status = 204, description = "Changed"),
        (status = 400, description = "The old password is wrong, or the new one breaks a rule"),
        (status = 429, description = "Too many wrong passwords; `Retry-After` says when to try again"),
    ),
    security(("session" = []))
)]
async fn change(
    State(app): State<AppState>,
    who: SignedIn,
    ClientOrigin(origin): ClientOrigin,
    JsonBody(body): JsonBody<ChangePasswordRequest>,
) -> Result<StatusCode, Problem> {
    let (old, new) = (Secret::new(body.old_password), Secret::new(body.password));
    let context = who.context();
    app.people.change_password(who.user, who.session, old, new, &origin, &context).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask for a new password
///
/// Mails a link that works once, for an hour. The answer is the same at once, whether anybody has
/// the address or not.
#[utoipa::path(
    post,
    path = "/v1/auth/password-reset",
    operation_id = "ask_password_reset",
    tag = "auth",
    request_body = AskResetRequest,
    responses(
        (status = 202, description = "If somebody has this address, they get a mail", body = Accepted),
        (status = 429, description = "Your address has asked for too much mail"),
    )
)]
async fn ask(
    State(app): State<AppState>,
    ClientOrigin(origin): ClientOrigin,
    JsonBody(body): JsonBody<AskResetRequest>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    app.people.may_ask(&origin)?;
    let people = app.people.clone();
    app.later(async move { people.ask_reset(&body.email).await });
    Ok((StatusCode::ACCEPTED, Json(Accepted::ANSWER)))
}

/// Set a new password
///
/// With the token of a mailed link. All sessions end and a new one begins; the address counts as
/// verified. If it was not before, all API keys are revoked: somebody else may have made them.
#[utoipa::path(
    post,
    path = "/v1/auth/password-reset/confirm",
    operation_id = "confirm_password_reset",
    tag = "auth",
    params(BrowserParams),
    request_body = ConfirmResetRequest,
    responses(
        (status = 200, description = "Signed in with the new password", body = TokenResponse),
        (status = 400, description = "The link was used or is too old, or the password breaks a rule"),
    )
)]
async fn confirm(
    State(app): State<AppState>,
    Request(request): Request,
    ClientOrigin(origin): ClientOrigin,
    browser: Browser,
    JsonBody(body): JsonBody<ConfirmResetRequest>,
) -> Result<Issued, Problem> {
    let context = CommandContext::request(Actor::System("password_reset"), request);
    let new = Secret::new(body.password);
    let (app_people, token) = (&app.people, body.token.as_str());
    let done =
        people::reset_password(app_people, &app.ledger, &app.keys, token, new, &origin, &context);
    Ok(issued(done.await?, &browser))
}
