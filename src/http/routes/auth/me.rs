//! Who is signed in, what they change of themselves, and how they leave.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use crate::http::error::both;
use crate::http::extract::{JsonBody, Params, SignedIn};
use crate::http::people::{MailLanguage, double};
use crate::http::wire::Usd;
use crate::http::{ApiError, AppState, Problem};
use crate::identity::users::Settings;
use crate::identity::{Role, User};
use crate::operations::people::{self, Erased, LeftMoney};

/// What cannot be undone needs a sign-in that is no older.
const FRESH: TimeDelta = TimeDelta::minutes(10);

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(show, change, erase))
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
    /// Whether you have shown that the address is yours.
    email_verified: bool,
    #[schema(examples("Ada"))]
    name: String,
    #[schema(value_type = String, examples("client"))]
    role: Role,
    /// Of the mails to you.
    language: MailLanguage,
    /// You get a mail when your balance falls below this; null: never.
    low_balance_alert_usd: Option<Usd>,
    created_at: DateTime<Utc>,
}

impl From<User> for MeResponse {
    fn from(user: User) -> Self {
        Self {
            user_id: user.id.to_string(),
            account_id: user.account.to_string(),
            email: user.email,
            email_verified: user.email_verified_at.is_some(),
            name: user.name,
            role: user.role,
            language: user.language.into(),
            low_balance_alert_usd: user.low_balance_alert.map(Usd),
            created_at: user.created_at,
        }
    }
}

/// What is to be changed; what is absent stays.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct ChangeMeRequest {
    /// How to address you.
    #[serde(default)]
    #[validate(length(max = 200))]
    #[schema(examples("Ada Lovelace"))]
    name: Option<String>,
    /// Of the mails to you.
    #[serde(default)]
    language: Option<MailLanguage>,
    /// You get a mail when your balance falls below this, once each time; null: never.
    #[serde(default, deserialize_with = "double")]
    #[schema(value_type = Option<Usd>)]
    low_balance_alert_usd: Option<Option<Usd>>,
}

/// What is to become of what is left.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
struct EraseParams {
    /// Give up what is left on the account. Without it, you stay while there is something.
    #[serde(default)]
    forfeit: bool,
}

/// Somebody who is gone.
#[derive(Serialize, ToSchema)]
struct ErasedResponse {
    /// The account, which stays in the books.
    #[schema(examples("acct_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    account_id: String,
    /// What was left on it and was given up.
    forfeited_usd: Usd,
    /// A position of the log that holds the account's end.
    #[schema(examples(42))]
    position: i64,
}

impl From<Erased> for ErasedResponse {
    fn from(erased: Erased) -> Self {
        Self {
            account_id: erased.account.to_string(),
            forfeited_usd: Usd(erased.balance),
            position: erased.position,
        }
    }
}

/// Who is signed in
///
/// The person, their settings and the id of their account.
#[utoipa::path(
    get,
    path = "/v1/auth/me",
    operation_id = "show_me",
    tag = "auth",
    responses((status = 200, description = "The person", body = MeResponse)),
    security(("session" = []))
)]
async fn show(State(app): State<AppState>, who: SignedIn) -> Result<Json<MeResponse>, Problem> {
    let user = app.people.users.find(who.user).await?;
    // Erased while the session was open.
    let user = user.ok_or(ApiError::SessionEnded)?;
    Ok(Json(user.into()))
}

/// Change your settings
///
/// Name, language of mails, and the balance below which you want to be told.
#[utoipa::path(
    patch,
    path = "/v1/auth/me",
    operation_id = "change_me",
    tag = "auth",
    request_body = ChangeMeRequest,
    responses((status = 200, description = "As you are now", body = MeResponse)),
    security(("session" = []))
)]
async fn change(
    State(app): State<AppState>,
    who: SignedIn,
    JsonBody(body): JsonBody<ChangeMeRequest>,
) -> Result<Json<MeResponse>, Problem> {
    let alert = body.low_balance_alert_usd;
    if alert.flatten().is_some_and(|usd| usd.0.is_negative()) {
        let message = both!("Use an amount from 0.", "Укажите сумму от 0.");
        return Err(ApiError::invalid("low_balance_alert_usd", message).into());
    }
    let settings = Settings {
        name: body.name,
        language: body.language.map(Into::into),
        low_balance_alert: alert.map(|alert| alert.map(|usd| usd.0)),
    };
    let user = app.people.users.change(who.user, &settings).await?;
    Ok(Json(user.ok_or(ApiError::SessionEnded)?.into()))
}

/// Erase yourself
///
/// Your address, your name and everything that says who you were is removed; your keys and sessions
/// stop to work. The account stays in the books under its id. Needs a sign-in of the last ten
/// minutes, no running request, and nothing left on the account unless you give it up.
#[utoipa::path(
    delete,
    path = "/v1/auth/me",
    operation_id = "erase_me",
    tag = "auth",
    params(EraseParams),
    responses(
        (status = 200, description = "You are gone", body = ErasedResponse),
        (status = 403, description = "You signed in too long ago"),
        (status = 409, description = "Requests are running, money or a debt is left, or you are the last admin"),
    ),
    security(("session" = []))
)]
async fn erase(
    State(app): State<AppState>,
    who: SignedIn,
    Params(params): Params<EraseParams>,
) -> Result<Json<ErasedResponse>, Problem> {
    if !app.people.sessions.is_younger(who.session, FRESH).await? {
        return Err(ApiError::SignInAgain.into());
    }
    let left = if params.forfeit { LeftMoney::Forfeit } else { LeftMoney::Refuse };
    let (ledger, context) = (&app.ledger, who.context());
    let gone = people::erase(&app.people, ledger, &app.keys, who.user, left, &context).await?;
    Ok(Json(gone.into()))
}
