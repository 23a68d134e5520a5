//! Whether everything is as it should be.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::database::health::{self, DatabaseHealth};
use crate::http::AppState;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(health_short)).routes(routes!(health_long))
}

/// The state of this process and of what it needs.
#[derive(Serialize, ToSchema)]
struct HealthResponse {
    /// `ok`, `degraded` (requests are served, but something needs attention) or `unavailable`.
    #[schema(examples("ok"))]
    status: &'static str,
    #[schema(examples("0.1.0"))]
    version: &'static str,
    uptime_seconds: u64,
    /// This process, as events name it.
    #[schema(examples("gateway-1"))]
    node: String,
    database: DatabaseItem,
    /// Null while the database is away.
    projections: Option<ProjectionsItem>,
    /// The newest position that this process knows to be committed.
    ledger_head: i64,
}

/// The database and whether it keeps what it acknowledges.
#[derive(Serialize, ToSchema)]
struct DatabaseItem {
    reachable: bool,
    #[schema(examples("15.18"))]
    server_version: Option<String>,
    fsync: Option<bool>,
    full_page_writes: Option<bool>,
    #[schema(examples("on"))]
    synchronous_commit: Option<String>,
    data_checksums: Option<bool>,
    /// A trigger refuses to change or remove events.
    append_only_trigger: Option<bool>,
    /// The serving role has no right to change or remove events.
    append_only_rights: Option<bool>,
}

/// How far the read models are behind the log.
#[derive(Serialize, ToSchema)]
struct ProjectionsItem {
    /// The position that all read models have reached.
    applied: i64,
    /// Events that are missing there.
    behind: i64,
    /// Milliseconds since the oldest of them.
    lag_ms: u64,
}

impl From<Option<&DatabaseHealth>> for DatabaseItem {
    fn from(found: Option<&DatabaseHealth>) -> Self {
        let durability = found.map(|health| &health.durability);
        Self {
            reachable: found.is_some(),
            server_version: durability.map(|durability| durability.server_version.clone()),
            fsync: durability.map(|durability| durability.fsync),
            full_page_writes: durability.map(|durability| durability.full_page_writes),
            synchronous_commit: durability.map(|durability| durability.synchronous_commit.clone()),
            data_checksums: durability.map(|durability| durability.data_checksums),
            append_only_trigger: found.map(|health| health.append_only_trigger),
            append_only_rights: found.map(|health| health.append_only_rights),
        }
    }
}

/// Show the health of the service
///
/// Also says whether the database keeps what it acknowledges and refuses to rewrite history.
#[utoipa::path(
    get,
    path = "/health",
    operation_id = "show_health",
    tag = "health",
    responses(
        (status = 200, description = "Requests are served", body = HealthResponse),
        (status = 503, description = "They are not", body = HealthResponse, content_type = "application/json"),
    )
)]
async fn health_short(state: State<AppState>) -> (StatusCode, Json<HealthResponse>) {
    check(state).await
}

/// Show the health of the service, under /v1
///
/// The same as `/health`.
#[utoipa::path(
    get,
    path = "/v1/health",
    operation_id = "show_health_v1",
    tag = "health",
    responses(
        (status = 200, description = "Requests are served", body = HealthResponse),
        (status = 503, description = "They are not", body = HealthResponse, content_type = "application/json"),
    )
)]
async fn health_long(state: State<AppState>) -> (StatusCode, Json<HealthResponse>) {
    check(state).await
}

async fn check(State(app): State<AppState>) -> (StatusCode, Json<HealthResponse>) {
    let database = health::check(app.database.pool()).await;
    let lag = app.progress.lag().await.ok();
    let protected = database.as_ref().is_some_and(|found| {
        let durable = found.durability.fsync && found.durability.full_page_writes;
        durable && found.append_only_trigger && found.append_only_rights
    });
    let (code, status) = match (&database, lag) {
        (None, _) | (_, None) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        (Some(_), Some(lag)) if !protected || lag.seconds > LATE_SECONDS => {
            (StatusCode::OK, "degraded")
        }
        (Some(_), Some(_)) => (StatusCode::OK, "ok"),
    };
    let answer = HealthResponse {
        status,
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: app.started.elapsed().as_secs(),
        node: app.ledger.engine().node().to_owned(),
        database: database.as_ref().into(),
        projections: lag.map(|lag| ProjectionsItem {
            applied: lag.applied,
            behind: lag.behind,
            lag_ms: std::time::Duration::try_from_secs_f64(lag.seconds)
                .map_or(0, |lag| lag.as_millis() as u64),
        }),
        ledger_head: *app.ledger.engine().head().borrow(),
    };
    (code, Json(answer))
}

/// Read models that are this far behind mislead those who look at them.
const LATE_SECONDS: f64 = 30.0;
