//! Money in and out, with what operators noted about it.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tollgate_domain::ids::AccountId;
use tollgate_projections::queries::{self, MoneyMove};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::notes::Notes;
use crate::http::extract::{AuditorSession, Params, PathId};
use crate::http::wire::{Amount, Page, PageParams};
use crate::http::{AppState, Problem};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A change of a balance that is not a request.
#[derive(Serialize, ToSchema)]
struct MovementItem {
    /// The position of its event.
    #[schema(examples(42))]
    position: i64,
    /// Of the top-up, refund, grant or correction.
    #[schema(examples("topup_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    id: String,
    /// `top_up`, `refund`, `grant`, `grant_expired` or `adjustment`.
    #[schema(examples("top_up"))]
    kind: String,
    /// What the balance changed by.
    #[schema(examples("10"))]
    amount_usd: Amount,
    /// Who took or gave the money.
    #[schema(examples("manual"))]
    processor: Option<String>,
    #[schema(examples("invoice 2026-0042"))]
    reference: Option<String>,
    /// The top-up itself, or the one that a refund is of.
    top_up_id: Option<String>,
    /// Until when a grant may be spent.
    expires_at: Option<DateTime<Utc>>,
    at: DateTime<Utc>,
    /// Who did it.
    #[schema(examples("usr_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    actor: String,
    /// Why, as the operator noted it. Null for auditors, and where it was erased.
    #[schema(examples("paid by bank transfer"))]
    reason: Option<String>,
}

impl MovementItem {
    fn new(moved: MoneyMove, notes: &Notes) -> Self {
        let reason = notes.about(moved.reason.as_deref());
        Self {
            reason: reason.or_else(|| notes.about(Some(&moved.id))),
            position: moved.position,
            id: moved.id,
            kind: moved.kind,
            amount_usd: moved.amount.into(),
            processor: moved.processor,
            reference: moved.reference,
            top_up_id: moved.top_up_id,
            expires_at: moved.expires_at,
            at: moved.at,
            actor: moved.actor,
        }
    }
}

/// List a customer's money moves
///
/// Top-ups, refunds, grants, their expiry and corrections, the newest first, with who did it and
/// why.
#[utoipa::path(
    get,
    path = "/v1/admin/clients/{account_id}/movements",
    operation_id = "list_client_movements",
    tag = "admin",
    params(
        ("account_id" = String, Path, description = "Whose", example = "acct_01k2h3j4k5m6n7p8q9r0s1t2v3"),
        PageParams
    ),
    responses(
        (status = 200, description = "A page of money moves", body = Page<MovementItem>),
        (status = 404, description = "No such account"),
    ),
    security(("session" = []))
)]
async fn list(
    State(app): State<AppState>,
    AuditorSession(who): AuditorSession,
    PathId(account): PathId<AccountId>,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<MovementItem>>, Problem> {
    app.visible(params.at_least).await?;
    let page = queries::top_ups(app.database.pool(), Some(account), &params.request()?).await?;
    let page: Page<MoneyMove> = Page::of(page);
    let subjects = page.data.iter().map(|m| m.reason.clone().unwrap_or_else(|| m.id.clone()));
    let notes = Notes::read(&app, who.role, subjects).await?;
    Ok(Json(page.map(|moved| MovementItem::new(moved, &notes))))
}
