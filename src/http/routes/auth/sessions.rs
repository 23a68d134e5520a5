//! Where somebody is signed in.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tollgate_domain::ids::SessionId;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::error::both;
use crate::http::extract::{PathId, SignedIn};
use crate::http::{ApiError, AppState, Problem};
use crate::identity::sessions::ListedSession;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, end_others)).routes(routes!(end))
}

/// A place where somebody is signed in.
#[derive(Serialize, ToSchema)]
struct SessionItem {
    #[schema(examples("sess_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    id: String,
    /// The sign-in.
    created_at: DateTime<Utc>,
    /// The sign-in or the newest refresh: a client in use refreshes every quarter of an hour.
    last_used_at: DateTime<Utc>,
    /// Until then it can be refreshed.
    expires_at: DateTime<Utc>,
    /// What the client called itself then.
    #[schema(examples("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"))]
    user_agent: Option<String>,
    /// Where it came from then.
    #[schema(examples("203.0.113.9"))]
    address: Option<String>,
    /// Is it the one that asks?
    current: bool,
}

/// All sessions of a person.
#[derive(Serialize, ToSchema)]
struct SessionList {
    /// At most 100, the one used last first.
    data: Vec<SessionItem>,
}

/// How many sessions were ended.
#[derive(Serialize, ToSchema)]
struct EndedSessions {
    #[schema(examples(2))]
    ended: usize,
}

impl SessionItem {
    fn new(session: ListedSession, current: SessionId) -> Self {
        Self {
            current: session.id == current,
            id: session.id.to_string(),
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
            user_agent: session.user_agent,
            address: session.address,
        }
    }
}

/// List your sessions
///
/// Where you are signed in.
#[utoipa::path(
    get,
    path = "/v1/auth/sessions",
    operation_id = "list_sessions",
    tag = "auth",
    responses((status = 200, description = "Your sessions", body = SessionList)),
    security(("session" = []))
)]
async fn list(State(app): State<AppState>, who: SignedIn) -> Result<Json<SessionList>, Problem> {
    let sessions = app.people.sessions.list(who.user).await?;
    let data = sessions.into_iter().map(|session| SessionItem::new(session, who.session));
    Ok(Json(SessionList { data: data.collect() }))
}

/// End a session
///
/// Its refresh token and its access tokens stop to work: at once on this node, within a second on
/// others.
#[utoipa::path(
    delete,
    path = "/v1/auth/sessions/{id}",
    operation_id = "end_session",
    tag = "auth",
    params(("id" = String, Path, description = "The session's id", example = "sess_01k2h3j4k5m6n7p8q9r0s1t2v3")),
    responses(
        (status = 204, description = "Ended"),
        (status = 404, description = "You have no such session, or it has ended"),
    ),
    security(("session" = []))
)]
async fn end(
    State(app): State<AppState>,
    who: SignedIn,
    PathId(session): PathId<SessionId>,
) -> Result<StatusCode, Problem> {
    match app.people.sessions.end(who.user, session).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::NotFound { what: both!("session", "сеанс") }.into()),
    }
}

/// End all other sessions
///
/// Signs you out everywhere but here.
#[utoipa::path(
    delete,
    path = "/v1/auth/sessions",
    operation_id = "end_other_sessions",
    tag = "auth",
    responses((status = 200, description = "How many were ended", body = EndedSessions)),
    security(("session" = []))
)]
async fn end_others(
    State(app): State<AppState>,
    who: SignedIn,
) -> Result<Json<EndedSessions>, Problem> {
    let ended = app.people.sessions.end_others(who.user, Some(who.session)).await?;
    Ok(Json(EndedSessions { ended }))
}
