//! Whether the books are right.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::error::both;
use crate::http::extract::AuditorSession;
use crate::http::{ApiError, AppState, Problem};
use crate::operations::verification::{self, Verification};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(show, start))
}

/// A verification of the whole log.
#[derive(Serialize, ToSchema)]
struct VerificationItem {
    #[schema(examples(3))]
    id: i64,
    /// `running`, `right` or `wrong`.
    #[schema(examples("right"))]
    state: String,
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    /// A user, or `system:cli`.
    #[schema(examples("usr_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    started_by: String,
    /// The last event that was read.
    #[schema(examples(405))]
    position: i64,
    /// The last event that is to be read.
    #[schema(examples(405))]
    head: i64,
    /// What it is at: `events`, and then each read model by its name.
    #[schema(examples("events"))]
    stage: String,
    /// What was found; null while it runs.
    report: Option<VerificationReport>,
}

/// What was found.
#[derive(Serialize, Deserialize, ToSchema)]
struct VerificationReport {
    /// Events that were read.
    #[schema(examples(405))]
    events: i64,
    /// Streams that they belong to.
    #[schema(examples(4))]
    streams: i64,
    /// Everything that is wrong; zero: the books are right.
    #[schema(examples(0))]
    problem_count: i64,
    /// The first hundred of it.
    problems: Vec<VerificationProblem>,
    /// Debits and credits by ledger account; the last line is their total.
    trial_balance: Vec<VerifiedLine>,
    /// Each read model: equal to a fold of the log, or not.
    read_models: Vec<VerifiedReadModel>,
}

/// One thing that is wrong.
#[derive(Serialize, Deserialize, ToSchema)]
struct VerificationProblem {
    place: VerificationPlace,
    #[schema(examples("its bytes do not match its hash: it was changed after it was stored"))]
    what: String,
}

/// Where something is wrong; what is not known is left out.
#[derive(Serialize, Deserialize, ToSchema)]
struct VerificationPlace {
    /// The event's position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, examples(42))]
    position: Option<i64>,
    /// The stream: its type and id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, examples("account acct_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    stream: Option<String>,
    /// The event's number in its stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, examples(7))]
    sequence: Option<i64>,
    /// The table and key of a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, examples("snapshots"))]
    row: Option<String>,
}

/// A ledger account as the audit found it.
#[derive(Serialize, Deserialize, ToSchema)]
struct VerifiedLine {
    #[schema(examples("income:usage"))]
    account: String,
    /// US dollars as a decimal string.
    #[schema(examples("0"), format = "decimal")]
    debit: String,
    /// US dollars as a decimal string.
    #[schema(examples("0.008"), format = "decimal")]
    credit: String,
    /// Lines of the journal.
    #[schema(examples(1))]
    postings: i64,
}

/// A read model as the audit found it.
#[derive(Serialize, Deserialize, ToSchema)]
struct VerifiedReadModel {
    #[schema(examples("account_balances"))]
    name: String,
    /// The position that it had reached.
    #[schema(examples(405))]
    as_of_position: i64,
    /// Rows that a fold of the log up to there has, if they were compared.
    #[schema(examples(2))]
    rows: Option<u64>,
    /// `equal`, `different`, or why it was not compared.
    #[schema(examples("equal"))]
    outcome: String,
}

/// The last verification, and the one that runs.
#[derive(Serialize, ToSchema)]
struct VerificationResponse {
    /// The last one that was carried out; null: there was none yet.
    last: Option<VerificationItem>,
    /// Null: none runs.
    running: Option<VerificationItem>,
    /// The position of the log that the read models have reached; events after `last.head` were
    /// not looked at by it.
    as_of_position: i64,
}

impl From<Verification> for VerificationItem {
    fn from(verification: Verification) -> Self {
        Self {
            id: verification.verification,
            state: verification.state,
            started_at: verification.started_at,
            ended_at: verification.ended_at,
            started_by: verification.started_by,
            position: verification.position,
            head: verification.head,
            stage: verification.stage,
            // A report of another build that has other members says no less by its state.
            report: verification
                .report
                .map(|report| serde_json::from_value(report.0))
                .and_then(Result::ok),
        }
    }
}

/// Show the last verification
///
/// What it found, and how far the one is that runs.
#[utoipa::path(
    get,
    path = "/v1/ledger/verification",
    operation_id = "show_verification",
    tag = "ledger",
    responses((status = 200, description = "The verifications", body = VerificationResponse)),
    security(("session" = []))
)]
async fn show(
    State(app): State<AppState>,
    _: AuditorSession,
) -> Result<Json<VerificationResponse>, Problem> {
    let (running, last) = verification::newest(app.database.pool()).await?;
    let as_of_position = app.progress.applied();
    let (running, last) = (running.map(Into::into), last.map(Into::into));
    Ok(Json(VerificationResponse { last, running, as_of_position }))
}

/// Verify the books
///
/// Reads the whole log in the background: dense positions, hashes, rules, balance, snapshots, and
/// every read model against a fold of the log. One at a time.
#[utoipa::path(
    post,
    path = "/v1/ledger/verification",
    operation_id = "start_verification",
    tag = "ledger",
    responses(
        (status = 202, description = "It has begun", body = VerificationItem),
        (status = 409, description = "Another one runs"),
    ),
    security(("session" = []))
)]
async fn start(
    State(app): State<AppState>,
    AuditorSession(who): AuditorSession,
) -> Result<(StatusCode, Json<VerificationItem>), Problem> {
    let pool = app.database.pool();
    let Some(begun) = verification::begin(pool, &who.user.to_string()).await? else {
        let message = both!("A verification is running.", "Проверка уже идёт.");
        return Err(ApiError::Conflict { code: "verification_running", message }.into());
    };
    let work = verification::carry_out(pool.clone(), begun.verification, app.closing.clone());
    app.tasks.spawn(work);
    Ok((StatusCode::ACCEPTED, Json(begun.into())))
}
