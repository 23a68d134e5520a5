//! What was done to people, and by whom.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use super::notes::Names;
use crate::http::extract::{AuditorSession, Params};
use crate::http::people::{List, cursor, default_limit};
use crate::http::{AppState, Problem};
use crate::identity::trail::{self, Entry};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Which entries.
#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
struct TrailParams {
    /// Only those about this user, invitation or mail.
    #[validate(length(max = 64))]
    #[param(example = "usr_01k2h3j4k5m6n7p8q9r0s1t2v3")]
    subject: Option<String>,
    /// How many at most.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(default = 50, minimum = 1, maximum = 200)]
    limit: u16,
    /// `next_cursor` of the page before; absent for the first page.
    cursor: Option<String>,
}

/// One thing that was done.
#[derive(Serialize, ToSchema)]
struct TrailEntry {
    /// Its number; entries are never changed or removed.
    #[schema(examples(17))]
    entry: i64,
    recorded_at: DateTime<Utc>,
    /// A user's id, or `system:` and a part of this server.
    #[schema(examples("usr_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    actor: String,
    /// What that person is called. Null for auditors, for parts of the system, and where the
    /// person was erased.
    #[schema(examples("Ada"))]
    actor_name: Option<String>,
    /// `role_changed`, `person_erased`, `password_changed`, `password_reset`, `reset_link_made`,
    /// `email_verified`, `sessions_ended`, `invitation_made`, `invitation_revoked`,
    /// `invitation_used` or `mail_read`.
    #[schema(examples("role_changed"))]
    action: String,
    /// The id of the user, invitation or mail that it was done to.
    #[schema(examples("usr_01k2h3j4k5m6n7p8q9r0s1t2v4"))]
    subject: String,
    /// The request that did it.
    #[schema(examples("req_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    request_id: Option<String>,
    /// More about it, as in `{"from":"client","to":"admin"}`.
    #[schema(value_type = Object, example = json!({ "from": "client", "to": "admin" }))]
    details: Map<String, Value>,
}

impl From<Entry> for TrailEntry {
    fn from(entry: Entry) -> Self {
        Self {
            entry: entry.entry,
            recorded_at: entry.recorded_at,
            actor: entry.actor,
            actor_name: None,
            action: entry.action,
            subject: entry.subject,
            request_id: entry.request_id,
            details: entry.details,
        }
    }
}

/// Read the audit trail
///
/// What was done to people, the newest first. It names them by their ids only.
#[utoipa::path(
    get,
    path = "/v1/admin/audit-trail",
    operation_id = "list_audit_trail",
    tag = "admin",
    params(TrailParams),
    responses((status = 200, description = "A page of entries", body = List<TrailEntry>)),
    security(("session" = []))
)]
async fn list(
    State(app): State<AppState>,
    AuditorSession(who): AuditorSession,
    Params(params): Params<TrailParams>,
) -> Result<Json<List<TrailEntry>>, Problem> {
    let before: Option<i64> = cursor(params.cursor.as_deref())?;
    let (pool, subject) = (app.database.pool(), params.subject.as_deref());
    let rows = trail::page(pool, subject, before, i64::from(params.limit) + 1).await?;
    let page = List::cut(rows, params.limit, |entry| entry.entry.to_string());
    let actors = page.data.iter().map(|entry| entry.actor.clone());
    let names = Names::of_users(&app, who.role, actors).await?;
    Ok(Json(page.map(|entry| {
        let actor_name = names.of(&entry.actor);
        TrailEntry { actor_name, ..TrailEntry::from(entry) }
    })))
}
