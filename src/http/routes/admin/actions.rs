//! What operators decided.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_projections::queries::{self, Action, PageRequest};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use super::notes::{Names, Notes};
use crate::http::extract::{AuditorSession, Params};
use crate::http::wire::{Amount, Page};
use crate::http::{AppState, Problem};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Which decisions.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
struct ActionParams {
    /// About this account, master account or `price_book`.
    #[validate(length(min = 1, max = 200))]
    #[param(example = "acct_01k2h3j4k5m6n7p8q9r0s1t2v3")]
    subject: Option<String>,
    /// How many at most.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(default = 50, minimum = 1, maximum = 200)]
    limit: u16,
    /// `next_cursor` of the page before; absent for the first page.
    cursor: Option<String>,
    /// Wait until the answer reflects at least this position of the log.
    at_least: Option<i64>,
}

const fn default_limit() -> u16 {
    50
}

/// A decision of an operator.
#[derive(Serialize, ToSchema)]
struct ActionItem {
    /// The position of its event.
    #[schema(examples(42))]
    position: i64,
    /// What it is about: an account, a master account or `price_book`.
    #[schema(examples("acct_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    subject: String,
    /// Its event.
    #[schema(examples("AccountSuspended"))]
    action: String,
    /// What moved, where money or credits did.
    amount_usd: Option<Amount>,
    /// Why, as the operator noted it. Null for auditors, and where it was erased.
    #[schema(examples("chargeback of the last top-up"))]
    reason: Option<String>,
    at: DateTime<Utc>,
    /// Who did it.
    #[schema(examples("usr_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    actor: String,
    /// What that person is called. Null for auditors, for parts of the system, and where the
    /// person was erased.
    #[schema(examples("Ada"))]
    actor_name: Option<String>,
}

/// List operators' decisions
///
/// About accounts, master accounts and prices, the newest first, with who took them and why.
#[utoipa::path(
    get,
    path = "/v1/admin/actions",
    operation_id = "list_actions",
    tag = "admin",
    params(ActionParams),
    responses((status = 200, description = "A page of decisions", body = Page<ActionItem>)),
    security(("session" = []))
)]
async fn list(
    State(app): State<AppState>,
    AuditorSession(who): AuditorSession,
    Params(params): Params<ActionParams>,
) -> Result<Json<Page<ActionItem>>, Problem> {
    app.visible(params.at_least).await?;
    let request = PageRequest::new(params.cursor, Some(params.limit.into()))?;
    let pool = app.database.pool();
    let page = queries::actions(pool, params.subject.as_deref(), None, &request).await?;
    let page: Page<Action> = Page::of(page);
    let subjects = page.data.iter().filter_map(|action| action.reason.clone());
    let notes = Notes::read(&app, who.role, subjects).await?;
    let actors = page.data.iter().map(|action| action.actor.clone());
    let names = Names::of_users(&app, who.role, actors).await?;
    Ok(Json(page.map(|action| ActionItem {
        reason: notes.about(action.reason.as_deref()),
        position: action.position,
        subject: action.subject,
        action: action.action,
        amount_usd: action.amount.map(Amount),
        at: action.at,
        actor_name: names.of(&action.actor),
        actor: action.actor,
    })))
}
