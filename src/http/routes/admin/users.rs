//! People: who they are, what they may do, and their end.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_domain::ids::UserId;
use tollgate_projections::queries;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use crate::http::extract::{AdminSession, AuditorSession, JsonBody, Params, PathId};
use crate::http::people::{List, cursor, default_limit};
use crate::http::wire::{Usd, plain};
use crate::http::{AppState, Problem};
use crate::identity::{Role, User};
use crate::operations::people::{self, LeftMoney};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(set_role))
        .routes(routes!(erase))
        .routes(routes!(end_sessions))
        .routes(routes!(reset_link))
}

/// Which people.
#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
struct UserParams {
    /// Only those with this role.
    #[param(inline)]
    role: Option<WireRole>,
    /// Words, each a part of the name or of the address; or the beginning of an id (`usr_…`), which
    /// is all that auditors find people by.
    #[validate(length(max = 200))]
    #[param(example = "ada")]
    search: Option<String>,
    /// How many at most.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(default = 50, minimum = 1, maximum = 200)]
    limit: u16,
    /// `next_cursor` of the page before; absent for the first page.
    cursor: Option<String>,
}

/// What a person may do.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum WireRole {
    /// Sees the own account.
    Client,
    /// The operator.
    Admin,
    /// Reads the books, changes nothing.
    Auditor,
}

impl From<WireRole> for Role {
    fn from(role: WireRole) -> Self {
        match role {
            WireRole::Client => Self::Client,
            WireRole::Admin => Self::Admin,
            WireRole::Auditor => Self::Auditor,
        }
    }
}

impl From<Role> for WireRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Client => Self::Client,
            Role::Admin => Self::Admin,
            Role::Auditor => Self::Auditor,
        }
    }
}

/// Somebody who is registered.
#[derive(Serialize, ToSchema)]
struct UserItem {
    #[schema(examples("usr_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    id: String,
    /// The prepaid account.
    #[schema(examples("acct_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    account_id: String,
    /// Null for auditors.
    #[schema(examples("ada@example.com"))]
    email: Option<String>,
    /// Null for auditors.
    #[schema(examples("Ada"))]
    name: Option<String>,
    role: WireRole,
    /// Whether mail to the address has arrived.
    email_verified: bool,
    /// Of the account: `active` or `suspended`. In the answer to a change of a role it is null.
    #[schema(examples("active"))]
    account_status: Option<String>,
    created_at: DateTime<Utc>,
}

impl UserItem {
    /// For whoever looks in this role: only operators see who it is.
    fn new(user: User, for_role: Role) -> Self {
        let (email, name) = match for_role {
            Role::Admin => (Some(user.email), Some(user.name)),
            Role::Client | Role::Auditor => (None, None),
        };
        Self {
            id: user.id.to_string(),
            account_id: user.account.to_string(),
            email,
            name,
            role: user.role.into(),
            email_verified: user.email_verified_at.is_some(),
            account_status: None,
            created_at: user.created_at,
        }
    }
}

/// Another role.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct SetRoleRequest {
    role: WireRole,
}

/// What is to become of what is left.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
struct EraseParams {
    /// Erase although money, or a debt, is left on the account. It stays there in the books.
    #[serde(default)]
    forfeit: bool,
}

/// Somebody who was erased.
#[derive(Serialize, ToSchema)]
struct ErasedUserResponse {
    /// The account, which stays in the books, suspended.
    #[schema(examples("acct_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    account_id: String,
    /// What is on it; nobody has it any more.
    left_usd: Usd,
    /// A position of the log that holds the account's end.
    #[schema(examples(42))]
    position: i64,
}

/// How many sessions were ended.
#[derive(Serialize, ToSchema)]
struct EndedUserSessions {
    #[schema(examples(2))]
    ended: usize,
}

/// A link that sets a new password.
#[derive(Serialize, ToSchema)]
struct ResetLinkResponse {
    /// Give it to the person on a way that nobody else reads. It works once.
    #[schema(examples("https://gate.example.com/reset-password#token=tgp_AZrQv3…"))]
    url: String,
    /// For `/v1/auth/password-reset/confirm`, where there is no page.
    #[schema(examples("tgp_AZrQv3…"))]
    token: String,
    /// Seconds that it works.
    #[schema(examples(3600))]
    expires_in: i64,
}

/// List people
///
/// In order of registration. Only an admin sees names and addresses.
#[utoipa::path(
    get,
    path = "/v1/admin/users",
    operation_id = "list_users",
    tag = "admin",
    params(UserParams),
    responses((status = 200, description = "A page of people", body = List<UserItem>)),
    security(("session" = []))
)]
async fn list(
    State(app): State<AppState>,
    AuditorSession(who): AuditorSession,
    Params(params): Params<UserParams>,
) -> Result<Json<List<UserItem>>, Problem> {
    let after: Option<UserId> = cursor(params.cursor.as_deref())?;
    let text = plain("search", params.search)?.unwrap_or_default();
    let role = params.role.map(Role::from);
    let users = match may_search(who.role, text.trim()) {
        true => app.people.users.page(role, &text, after, i64::from(params.limit) + 1).await?,
        false => vec![],
    };
    let page = List::cut(users, params.limit, |user| user.id.to_string());
    let accounts: Vec<_> = page.data.iter().map(|user| user.account).collect();
    let found = queries::accounts_by_id(app.database.pool(), &accounts).await?.data;
    let mut states: HashMap<_, _> =
        found.into_iter().map(|account| (account.account_id, account.status)).collect();
    Ok(Json(page.map(|user| {
        let account_status = states.remove(&user.account.to_string());
        UserItem { account_status, ..UserItem::new(user, who.role) }
    })))
}

/// Whoever learns who fits a name learns the name.
fn may_search(role: Role, text: &str) -> bool {
    match role {
        Role::Admin => true,
        Role::Client | Role::Auditor => {
            text.is_empty() || (text.starts_with("usr_") && !text.contains(char::is_whitespace))
        }
    }
}

/// Change a role
///
/// All sessions of that person end, so the change counts at once. The last admin stays one.
#[utoipa::path(
    put,
    path = "/v1/admin/users/{id}/role",
    operation_id = "set_user_role",
    tag = "admin",
    params(("id" = String, Path, description = "The user's id", example = "usr_01k2h3j4k5m6n7p8q9r0s1t2v3")),
    request_body = SetRoleRequest,
    responses(
        (status = 200, description = "The person with the new role", body = UserItem),
        (status = 404, description = "No such user"),
        (status = 409, description = "It is the last admin"),
    ),
    security(("session" = []))
)]
async fn set_role(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    PathId(user): PathId<UserId>,
    JsonBody(body): JsonBody<SetRoleRequest>,
) -> Result<Json<UserItem>, Problem> {
    let context = admin.context();
    let user = people::set_role(&app.people, user, body.role.into(), &context).await?;
    Ok(Json(UserItem::new(user, admin.role)))
}

/// Erase a person
///
/// Removes everything that says who it was, revokes their keys, ends their sessions and suspends
/// the account, which stays in the books.
#[utoipa::path(
    delete,
    path = "/v1/admin/users/{id}",
    operation_id = "erase_user",
    tag = "admin",
    params(
        ("id" = String, Path, description = "The user's id", example = "usr_01k2h3j4k5m6n7p8q9r0s1t2v3"),
        EraseParams,
    ),
    responses(
        (status = 200, description = "Erased", body = ErasedUserResponse),
        (status = 404, description = "No such user"),
        (status = 409, description = "Requests are running, money or a debt is left, or it is the last admin"),
    ),
    security(("session" = []))
)]
async fn erase(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    PathId(user): PathId<UserId>,
    Params(params): Params<EraseParams>,
) -> Result<Json<ErasedUserResponse>, Problem> {
    let left = if params.forfeit { LeftMoney::Abandon } else { LeftMoney::Refuse };
    let (ledger, context) = (&app.ledger, admin.context());
    let gone = people::erase(&app.people, ledger, &app.keys, user, left, &context).await?;
    Ok(Json(ErasedUserResponse {
        account_id: gone.account.to_string(),
        left_usd: Usd(gone.balance),
        position: gone.position,
    }))
}

/// Sign a person out
///
/// Ends all their sessions. API keys go on working.
#[utoipa::path(
    delete,
    path = "/v1/admin/users/{id}/sessions",
    operation_id = "end_user_sessions",
    tag = "admin",
    params(("id" = String, Path, description = "The user's id", example = "usr_01k2h3j4k5m6n7p8q9r0s1t2v3")),
    responses(
        (status = 200, description = "How many were ended", body = EndedUserSessions),
        (status = 404, description = "No such user"),
    ),
    security(("session" = []))
)]
async fn end_sessions(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    PathId(user): PathId<UserId>,
) -> Result<Json<EndedUserSessions>, Problem> {
    let ended = people::end_sessions(&app.people, user, &admin.context()).await?;
    Ok(Json(EndedUserSessions { ended }))
}

/// Make a link for a new password
///
/// For people whom mail does not reach. It works once, for an hour, and is recorded in the audit
/// trail; the link itself is shown now and never again.
#[utoipa::path(
    post,
    path = "/v1/admin/users/{id}/password-reset",
    operation_id = "make_password_reset",
    tag = "admin",
    params(("id" = String, Path, description = "The user's id", example = "usr_01k2h3j4k5m6n7p8q9r0s1t2v3")),
    responses(
        (status = 201, description = "The link", body = ResetLinkResponse),
        (status = 404, description = "No such user"),
    ),
    security(("session" = []))
)]
async fn reset_link(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    PathId(user): PathId<UserId>,
) -> Result<(StatusCode, Json<ResetLinkResponse>), Problem> {
    let link = people::make_reset_link(&app.people, user, &admin.context()).await?;
    let answer = ResetLinkResponse {
        url: link.url.expose().to_owned(),
        token: link.token.expose().to_owned(),
        expires_in: link.expires_in,
    };
    Ok((StatusCode::CREATED, Json(answer)))
}
