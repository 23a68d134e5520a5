//! One customer, as the operator sees them.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tollgate_domain::account::OpenGrant;
use tollgate_domain::ids::AccountId;
use tollgate_projections::queries::{self, Account, MoneyMove, PageRequest};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::notes::Notes;
use crate::http::error::both;
use crate::http::extract::{AuditorSession, Params, PathId};
use crate::http::wire::{Amount, ReadParams, Usd};
use crate::http::{ApiError, AppState, Problem};
use crate::identity::{Role, User};
use crate::operations::clients::{self, OpenMoney};

/// The newest top-ups that are shown; all stand in the list of money moves.
const TOP_UPS: usize = 100;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(show))
}

/// A customer's account with what an operator needs to decide about it.
#[derive(Serialize, ToSchema)]
struct ClientDetail {
    #[schema(examples("acct_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    account_id: String,
    #[schema(examples("usr_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    user_id: Option<String>,
    /// Null for auditors, and where the person was erased.
    #[schema(examples("ada@example.com"))]
    email: Option<String>,
    /// Null for auditors, and where the person was erased.
    #[schema(examples("Ada"))]
    name: Option<String>,
    /// `active` or `suspended`.
    #[schema(examples("active"))]
    status: String,
    /// While it is suspended: by whom and why.
    suspension: Option<Suspension>,
    plan: Option<String>,
    limits: ClientLimits,
    balance_usd: Amount,
    reserved_usd: Amount,
    available_usd: Amount,
    lifetime_topped_up_usd: Amount,
    lifetime_refunded_usd: Amount,
    lifetime_granted_usd: Amount,
    lifetime_expired_usd: Amount,
    lifetime_adjusted_usd: Amount,
    lifetime_spent_usd: Amount,
    /// Charged requests.
    requests: i64,
    opened_at: Option<DateTime<Utc>>,
    last_activity_at: Option<DateTime<Utc>>,
    /// Grants that are not over, in the order in which they are spent.
    open_grants: Vec<GrantItem>,
    /// The newest hundred, with what may still be paid back.
    top_ups: Vec<TopUpItem>,
    /// The position of the log that the sums reflect. Grants and top-ups are at least as new.
    as_of_position: i64,
}

/// Why an account is suspended.
#[derive(Serialize, ToSchema)]
struct Suspension {
    /// As the operator noted it. Null for auditors, and where it was erased.
    #[schema(examples("chargeback of the last top-up"))]
    reason: Option<String>,
    at: DateTime<Utc>,
    #[schema(examples("usr_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    actor: String,
}

/// What all keys of the account may spend together.
#[derive(Serialize, ToSchema)]
struct ClientLimits {
    /// At most so much a UTC day.
    daily_usd: Option<Usd>,
    /// At most so much a UTC month.
    monthly_usd: Option<Usd>,
}

/// A grant that is not over.
#[derive(Serialize, ToSchema)]
struct GrantItem {
    #[schema(examples("grant_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    id: String,
    /// What of it is unspent.
    #[schema(examples("3.50"))]
    left_usd: Usd,
    expires_at: Option<DateTime<Utc>>,
}

/// A top-up and what may still be paid back of it.
#[derive(Serialize, ToSchema)]
struct TopUpItem {
    #[schema(examples("topup_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    id: String,
    amount_usd: Usd,
    /// What of it was paid back.
    refunded_usd: Usd,
    /// What a refund may be now: not what is spent, set aside for requests that run, or granted.
    refundable_usd: Usd,
    reference: Option<String>,
    /// Null for auditors, and where there is none.
    note: Option<String>,
    at: Option<DateTime<Utc>>,
}

impl From<&OpenGrant> for GrantItem {
    fn from(open: &OpenGrant) -> Self {
        let moment = open.expires_at.map(|end| DateTime::from_timestamp_micros(end.micros()));
        Self {
            id: open.grant.to_string(),
            left_usd: open.left.into(),
            expires_at: moment.flatten(),
        }
    }
}

/// Show a customer
///
/// Balances, limits, plan, status, open grants, and the top-ups with what may still be paid back.
/// Only an admin sees names, addresses and remarks.
#[utoipa::path(
    get,
    path = "/v1/admin/clients/{account_id}",
    operation_id = "show_client",
    tag = "admin",
    params(
        ("account_id" = String, Path, description = "Which", example = "acct_01k2h3j4k5m6n7p8q9r0s1t2v3"),
        ReadParams
    ),
    responses(
        (status = 200, description = "The customer", body = ClientDetail),
        (status = 404, description = "No such account"),
    ),
    security(("session" = []))
)]
async fn show(
    State(app): State<AppState>,
    AuditorSession(who): AuditorSession,
    PathId(id): PathId<AccountId>,
    Params(params): Params<ReadParams>,
) -> Result<Json<ClientDetail>, Problem> {
    app.visible(params.at_least).await?;
    let not_found = || ApiError::NotFound { what: both!("account", "счёт") };
    let money = clients::open_money(&app.ledger, id, TOP_UPS).await?.ok_or_else(not_found)?;
    let pool = app.database.pool();
    let found = queries::account(pool, id).await?;
    let account = found.data.ok_or_else(not_found)?;
    let holder = match who.role {
        Role::Admin => app.people.users.holders(&[id.to_string()]).await?.pop(),
        Role::Client | Role::Auditor => None,
    };
    let top_ups = top_ups(&app, who.role, id, &money).await?;
    let suspension = match account.status.as_str() {
        "suspended" => suspension(&app, who.role, id).await?,
        _ => None,
    };
    let grants = money.grants.iter().map(GrantItem::from).collect();
    let detail = ClientDetail::new(account, holder, found.as_of_position);
    Ok(Json(ClientDetail { open_grants: grants, top_ups, suspension, ..detail }))
}

async fn suspension(
    app: &AppState,
    role: Role,
    id: AccountId,
) -> Result<Option<Suspension>, ApiError> {
    let (pool, newest) = (app.database.pool(), PageRequest::new(None, Some(1))?);
    let action = Some("AccountSuspended");
    let found = queries::actions(pool, Some(&id.to_string()), action, &newest).await?;
    let Some(action) = found.items.into_iter().next() else { return Ok(None) };
    let notes = Notes::read(app, role, action.reason.clone()).await?;
    let reason = notes.about(action.reason.as_deref());
    Ok(Some(Suspension { reason, at: action.at, actor: action.actor }))
}

async fn top_ups(
    app: &AppState,
    role: Role,
    id: AccountId,
    money: &OpenMoney,
) -> Result<Vec<TopUpItem>, ApiError> {
    let ids: Vec<String> = money.top_ups.iter().map(|(id, ..)| id.to_string()).collect();
    let moves = queries::top_ups_by_id(app.database.pool(), id, &ids).await?.data;
    let moves: HashMap<String, MoneyMove> =
        moves.into_iter().map(|moved| (moved.id.clone(), moved)).collect();
    let notes = Notes::read(app, role, ids).await?;
    let items = money.top_ups.iter().map(|(id, amount, refunded, refundable)| {
        let id = id.to_string();
        let moved = moves.get(&id);
        TopUpItem {
            amount_usd: (*amount).into(),
            refunded_usd: (*refunded).into(),
            refundable_usd: (*refundable).into(),
            reference: moved.and_then(|moved| moved.reference.clone()),
            note: notes.about(Some(&id)),
            at: moved.map(|moved| moved.at),
            id,
        }
    });
    Ok(items.collect())
}

impl ClientDetail {
    fn new(account: Account, holder: Option<User>, as_of_position: i64) -> Self {
        let (email, name) = holder.map(|user| (user.email, user.name)).unzip();
        let limits = ClientLimits {
            daily_usd: account.limits.daily.map(Usd),
            monthly_usd: account.limits.monthly.map(Usd),
        };
        Self {
            account_id: account.account_id,
            user_id: account.owner_id,
            email,
            name,
            status: account.status,
            suspension: None,
            plan: account.plan,
            limits,
            balance_usd: account.balance.into(),
            reserved_usd: account.reserved.into(),
            available_usd: account.available.into(),
            lifetime_topped_up_usd: account.topped_up.into(),
            lifetime_refunded_usd: account.refunded.into(),
            lifetime_granted_usd: account.granted.into(),
            lifetime_expired_usd: account.expired.into(),
            lifetime_adjusted_usd: account.adjusted.into(),
            lifetime_spent_usd: account.spent.into(),
            requests: account.requests,
            opened_at: account.opened_at,
            last_activity_at: account.last_activity_at,
            open_grants: vec![],
            top_ups: vec![],
            as_of_position,
        }
    }
}
