//! Registration, sessions, and what people do to themselves.

mod sessions;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use crate::config::Secret;
use crate::http::extract::{ClientOrigin, JsonBody, Request, SignedIn};
use crate::http::{ApiError, AppState, Problem};
use crate::identity::people::{NewUser, SignedIn as Tokens};
use crate::identity::tokens::ACCESS_TTL;
use crate::identity::{Role, User};
use crate::ledger::{Actor, CommandContext};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(login))
        .routes(routes!(refresh))
        .routes(routes!(logout))
        .routes(routes!(me))
        .merge(sessions::router())
}

/// Somebody who wants to be a customer.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct RegisterRequest {
    /// The address to sign in with.
    #[validate(email, length(max = 254))]
    #[schema(examples("ada@example.com"), format = "email")]
    email: String,
    /// 10 to 128 characters, and not the address.
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
}

/// A new customer.
#[derive(Serialize, ToSchema)]
struct RegisterResponse {
    #[schema(examples("usr_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    user_id: String,
    /// The prepaid account.
    #[schema(examples("acct_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    account_id: String,
    /// The position of the log that holds the new account.
    #[schema(examples(1))]
    position: i64,
}

/// Address and password.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct LoginRequest {
    #[schema(examples("ada@example.com"), format = "email")]
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
    /// For `/v1/auth/refresh`; each works once.
    #[schema(examples("tgr_AZrQv3…"))]
    refresh_token: String,
    #[schema(examples("bearer"))]
    token_type: &'static str,
    /// Seconds that the access token is valid.
    #[schema(examples(900))]
    expires_in: i64,
}

/// Who is signed in.
#[derive(Serialize, ToSchema)]
struct MeResponse {
    #[schema(examples("usr_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    user_id: String,
    /// The prepaid account.
    #[schema(examples("acct_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    account_id: String,
    #[schema(examples("ada@example.com"))]
    email: String,
    #[schema(examples("Ada"))]
    name: String,
    #[schema(value_type = String, examples("client"))]
    role: Role,
    created_at: DateTime<Utc>,
}

impl From<Tokens> for TokenResponse {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access,
            refresh_token: tokens.refresh.expose().to_owned(),
            token_type: "bearer",
            expires_in: ACCESS_TTL.num_seconds(),
        }
    }
}

impl From<User> for MeResponse {
    fn from(user: User) -> Self {
        Self {
            user_id: user.id.to_string(),
            account_id: user.account.to_string(),
            email: user.email,
            name: user.name,
            role: user.role,
            created_at: user.created_at,
        }
    }
}

/// Register a customer
///
/// Opens a prepaid account with a balance of zero. Sign in afterwards to get a session.
#[utoipa::path(
    post,
    path = "/v1/auth/register",
    operation_id = "register",
    tag = "auth",
    request_body = RegisterRequest,
    responses(
        (status = 201, description = "The customer and their account exist", body = RegisterResponse),
        (status = 409, description = "The address is registered already"),
    )
)]
async fn register(
    State(app): State<AppState>,
    Request(request): Request,
    JsonBody(body): JsonBody<RegisterRequest>,
) -> Result<(StatusCode, Json<RegisterResponse>), Problem> {
    let password = Secret::new(body.password);
    let role = Role::Client;
    let new = NewUser { email: body.email, password, name: body.name, role };
    let context = CommandContext::request(Actor::System("registration"), request);
    let (user, position) = app.people.register(new, &context).await?;
    let (user_id, account_id) = (user.id.to_string(), user.account.to_string());
    Ok((StatusCode::CREATED, Json(RegisterResponse { user_id, account_id, position })))
}

/// Sign in
///
/// Gives an access token for a quarter of an hour and a refresh token for seven days.
#[utoipa::path(
    post,
    path = "/v1/auth/login",
    operation_id = "login",
    tag = "auth",
    request_body = LoginRequest,
    responses(
        (status = 200, description = "Signed in", body = TokenResponse),
        (status = 401, description = "Unknown address or wrong password"),
    )
)]
async fn login(
    State(app): State<AppState>,
    ClientOrigin(origin): ClientOrigin,
    JsonBody(body): JsonBody<LoginRequest>,
) -> Result<Json<TokenResponse>, Problem> {
    let password = Secret::new(body.password);
    let tokens = app.people.sign_in(&body.email, password, &origin).await?;
    Ok(Json(tokens.into()))
}

/// Get new tokens
///
/// Exchanges a refresh token, which then is used up. Within ten seconds it gets the same next one
/// again, for clients that lost the answer or asked twice at once; later, presenting a used one
/// ends the session, because somebody else may have it.
#[utoipa::path(
    post,
    path = "/v1/auth/refresh",
    operation_id = "refresh",
    tag = "auth",
    request_body = RefreshRequest,
    responses(
        (status = 200, description = "New tokens", body = TokenResponse),
        (status = 401, description = "Not the newest refresh token of a living session"),
    )
)]
async fn refresh(
    State(app): State<AppState>,
    ClientOrigin(origin): ClientOrigin,
    JsonBody(body): JsonBody<RefreshRequest>,
) -> Result<Json<TokenResponse>, Problem> {
    let tokens = app.people.refresh(&body.refresh_token, &origin).await?;
    Ok(Json(tokens.into()))
}

/// Sign out
///
/// Ends the session: neither its access tokens nor its refresh token work any more.
#[utoipa::path(
    post,
    path = "/v1/auth/logout",
    operation_id = "logout",
    tag = "auth",
    responses((status = 204, description = "Signed out")),
    security(("session" = []))
)]
async fn logout(State(app): State<AppState>, who: SignedIn) -> Result<StatusCode, Problem> {
    app.people.sessions.end(who.user, who.session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who is signed in
///
/// The person and the id of their account.
#[utoipa::path(
    get,
    path = "/v1/auth/me",
    operation_id = "show_me",
    tag = "auth",
    responses((status = 200, description = "The person", body = MeResponse)),
    security(("session" = []))
)]
async fn me(State(app): State<AppState>, who: SignedIn) -> Result<Json<MeResponse>, Problem> {
    let user = app.people.users.find(who.user).await?;
    // Erased while the session was open.
    let user = user.ok_or(ApiError::SessionEnded)?;
    Ok(Json(user.into()))
}
