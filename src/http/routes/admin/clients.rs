//! All customers.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tollgate_projections::queries::{self, Account};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::extract::{AuditorSession, Params};
use crate::http::wire::{Amount, Page, PageParams};
use crate::http::{ApiError, AppState, Problem};
use crate::identity::{Role, User};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A customer's account and who holds it.
#[derive(Serialize, ToSchema)]
struct ClientItem {
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
    plan: Option<String>,
    balance_usd: Amount,
    reserved_usd: Amount,
    available_usd: Amount,
    lifetime_topped_up_usd: Amount,
    lifetime_spent_usd: Amount,
    /// Charged requests.
    requests: i64,
    opened_at: Option<DateTime<Utc>>,
    last_activity_at: Option<DateTime<Utc>>,
}

impl ClientItem {
    fn new(account: Account, holder: Option<User>) -> Self {
        let (email, name) = holder.map(|user| (user.email, user.name)).unzip();
        Self {
            account_id: account.account_id,
            user_id: account.owner_id,
            email,
            name,
            status: account.status,
            plan: account.plan,
            balance_usd: account.balance.into(),
            reserved_usd: account.reserved.into(),
            available_usd: account.available.into(),
            lifetime_topped_up_usd: account.topped_up.into(),
            lifetime_spent_usd: account.spent.into(),
            requests: account.requests,
            opened_at: account.opened_at,
            last_activity_at: account.last_activity_at,
        }
    }
}

/// List customers
///
/// Their accounts in order of registration. Only an admin sees names and addresses.
#[utoipa::path(
    get,
    path = "/v1/admin/clients",
    operation_id = "list_clients",
    tag = "admin",
    params(PageParams),
    responses((status = 200, description = "A page of customers", body = Page<ClientItem>)),
    security(("session" = []))
)]
async fn list(
    State(app): State<AppState>,
    AuditorSession(who): AuditorSession,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<ClientItem>>, Problem> {
    app.visible(params.at_least).await?;
    let page = queries::accounts(app.database.pool(), &params.request()?).await?;
    let mut holders = holders(&app, who.role, &page.items).await?;
    let page: Page<Account> = Page::of(page);
    Ok(Json(page.map(|account| {
        let holder = holders.remove(&account.account_id);
        ClientItem::new(account, holder)
    })))
}

/// Who holds these accounts, for whoever may know it.
async fn holders(
    app: &AppState,
    role: Role,
    accounts: &[Account],
) -> Result<HashMap<String, User>, ApiError> {
    match role {
        Role::Client | Role::Auditor => Ok(HashMap::new()),
        Role::Admin => {
            let ids: Vec<_> = accounts.iter().map(|account| account.account_id.clone()).collect();
            let users = app.people.users.holders(&ids).await?;
            Ok(users.into_iter().map(|user| (user.account.to_string(), user)).collect())
        }
    }
}
