//! Registration, sessions, and what people do to themselves.

mod me;
mod passwords;
mod sessions;
mod verification;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use crate::config::Secret;
use crate::http::extract::{
    BodyOrCookie, Browser, ClientOrigin, JsonBody, Request, SetCookie, SignedIn,
};
use crate::http::people::{Accepted, MailLanguage};
use crate::http::{ApiError, AppState, Problem};
use crate::identity::people::{SignUp, SignedIn as Tokens};
use crate::identity::tokens::ACCESS_TTL;
use crate::ledger::{Actor, CommandContext};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(login))
        .routes(routes!(refresh))
        .routes(routes!(logout))
        .merge(sessions::router())
        .merge(me::router())
        .merge(passwords::router())
        .merge(verification::router())
}

/// Somebody who wants to be a customer.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct RegisterRequest {
    /// The address to sign in with.
    #[validate(email, length(max = 254))]
    #[schema(examples("ada@example.com"), format = "email")]
    email: String,
    /// 10 to 128 characters, not the address, and none of those that are tried first.
    #[schema(
        examples("correct horse battery"),
        format = "password",
        min_length = 10,
        max_length = 128
    )]
    password: String,
    /// How to address you.
    #[serde(default)]
    #[validate(length(max = 200))]
    #[schema(examples("Ada"))]
    name: String,
    /// Of the mails to you; absent: as `Accept-Language` says.
    #[serde(default)]
    language: Option<MailLanguage>,
    /// The token of an invitation, where registration is by invitation.
    #[serde(default)]
    #[validate(length(max = 200))]
    #[schema(examples("tgi_AZrQv3…"))]
    invitation: Option<String>,
}

/// Address and password.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct LoginRequest {
    #[schema(examples("ada@example.com"), format = "email")]
    #[validate(length(max = 254))]
    email: String,
    #[schema(examples("correct horse battery"), format = "password")]
    #[validate(length(max = 1024))]
    password: String,
}

/// A refresh token.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct RefreshRequest {
    /// The newest one of the session.
    #[schema(examples("tgr_3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))]
    refresh_token: String,
}

/// A session.
#[derive(Serialize, ToSchema)]
struct TokenResponse {
    /// To be sent as `Authorization: Bearer …`.
    #[schema(examples("eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.…"))]
    access_token: String,
    /// For `/v1/auth/refresh`; each works once. Absent where the request said
    /// `X-Tollgate-Session: cookie`: it then is in the cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, examples("tgr_AZrQv3…"))]
    refresh_token: Option<String>,
    #[schema(examples("bearer"))]
    token_type: &'static str,
    /// Seconds that the access token is valid.
    #[schema(examples(900))]
    expires_in: i64,
}

/// A session's tokens; a browser's refresh token in its cookie.
type Issued = (SetCookie, Json<TokenResponse>);

fn issued(tokens: Tokens, browser: &Browser) -> Issued {
    let told = (!browser.keeps_cookies()).then(|| tokens.refresh.expose().to_owned());
    let response = TokenResponse {
        access_token: tokens.access,
        refresh_token: told,
        token_type: "bearer",
        expires_in: ACCESS_TTL.num_seconds(),
    };
    (browser.keep(&tokens.refresh), Json(response))
}

/// How a page keeps its session.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes what `Browser` reads")]
struct BrowserParams {
    /// `cookie`: the refresh token is kept in a cookie (`HttpOnly`, `SameSite=Strict`, only for
    /// `/v1/auth`) and never appears in a body. Without this header no cookie is read or set.
    #[param(rename = "X-Tollgate-Session", inline, nullable = false)]
    x_tollgate_session: Option<CookieSession>,
}

/// The one way.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "it describes what `Browser` reads")]
enum CookieSession {
    Cookie,
}

/// Register a customer
///
/// Opens a prepaid account with a balance of zero. Sign in afterwards to get a session and the
/// account's id. The answer is the same where the address is registered already: its owner gets a
/// mail, and nobody else learns it.
#[utoipa::path(
    post,
    path = "/v1/auth/register",
    operation_id = "register",
    tag = "auth",
    request_body = RegisterRequest,
    responses(
        (status = 201, description = "Sign in, or where `email_verification` is required, open the link in your mail first", body = Accepted),
        (status = 400, description = "The password breaks a rule, or the invitation is not valid"),
        (status = 403, description = "Registration is closed"),
        (status = 429, description = "Too many registrations from your address"),
    )
)]
async fn register(
    State(app): State<AppState>,
    Request(request): Request,
    ClientOrigin(origin): ClientOrigin,
    headers: HeaderMap,
    JsonBody(body): JsonBody<RegisterRequest>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let new = SignUp {
        email: body.email,
        password: Secret::new(body.password),
        name: body.name,
        language: body.language.map_or_else(|| MailLanguage::of(&headers), Into::into),
        invitation: body.invitation,
    };
    let context = CommandContext::request(Actor::System("registration"), request);
    app.people.sign_up(new, &origin, &context).await?;
    Ok((StatusCode::CREATED, Json(Accepted::ANSWER)))
}

/// Sign in
///
/// Gives an access token for a quarter of an hour and a refresh token for seven days.
#[utoipa::path(
    post,
    path = "/v1/auth/login",
    operation_id = "login",
    tag = "auth",
    params(BrowserParams),
    request_body = LoginRequest,
    responses(
        (status = 200, description = "Signed in", body = TokenResponse),
        (status = 401, description = "Unknown address or wrong password"),
        (status = 403, description = "The address is not verified, where that is required"),
        (status = 429, description = "Too many wrong passwords; `Retry-After` says when to try again"),
    )
)]
async fn login(
    State(app): State<AppState>,
    ClientOrigin(origin): ClientOrigin,
    browser: Browser,
    JsonBody(body): JsonBody<LoginRequest>,
) -> Result<Issued, Problem> {
    let password = Secret::new(body.password);
    let tokens = app.people.sign_in(&body.email, password, &origin).await?;
    Ok(issued(tokens, &browser))
}

/// Get new tokens
///
/// Exchanges a refresh token, which then is used up. Within ten seconds it gets the same next one
/// again, for clients that lost the answer or asked twice at once; later, presenting a used one
/// ends the session, because somebody else may have it.
///
/// With `X-Tollgate-Session: cookie` and without a body the token is taken from the cookie.
#[utoipa::path(
    post,
    path = "/v1/auth/refresh",
    operation_id = "refresh",
    tag = "auth",
    params(BrowserParams),
    request_body(content = Option<RefreshRequest>, description = "Only a browser with a cookie leaves it out"),
    responses(
        (status = 200, description = "New tokens", body = TokenResponse),
        (status = 401, description = "Not the newest refresh token of a living session"),
    )
)]
async fn refresh(
    State(app): State<AppState>,
    ClientOrigin(origin): ClientOrigin,
    browser: Browser,
    BodyOrCookie(body): BodyOrCookie<RefreshRequest>,
) -> Result<Issued, Problem> {
    let presented = body.map(|body| Secret::new(body.refresh_token));
    let presented = presented.as_ref().or(browser.refresh());
    let presented = presented.ok_or(ApiError::InvalidRefreshToken)?;
    let tokens = app.people.refresh(presented.expose(), &origin).await?;
    Ok(issued(tokens, &browser))
}

/// Sign out
///
/// Ends the session: neither its access tokens nor its refresh token work any more. A browser's
/// cookie is taken away.
#[utoipa::path(
    post,
    path = "/v1/auth/logout",
    operation_id = "logout",
    tag = "auth",
    params(BrowserParams),
    responses((status = 204, description = "Signed out")),
    security(("session" = []))
)]
async fn logout(
    State(app): State<AppState>,
    who: SignedIn,
    browser: Browser,
) -> Result<(StatusCode, SetCookie), Problem> {
    app.people.sessions.end(who.user, who.session).await?;
    Ok((StatusCode::NO_CONTENT, browser.forget()))
}
