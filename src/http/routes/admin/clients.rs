//! All customers.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_domain::ids::AccountId;
use tollgate_projections::queries::{self, Account};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use crate::http::extract::{AuditorSession, Params};
use crate::http::wire::{Amount, Page, PageParams, plain};
use crate::http::{ApiError, AppState, Problem};
use crate::identity::{Role, User, search};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Which customers.
#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
struct ClientParams {
    /// The beginning of an account's id (`acct_…`); else words, each a part of the name or of the
    /// address. Auditors, who learn neither, find accounts by their ids only.
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
    /// As for every read: wait until the answer reflects at least this position of the log.
    at_least: Option<i64>,
}

const fn default_limit() -> u16 {
    50
}

impl ClientParams {
    fn split(self) -> Result<(String, PageParams), ApiError> {
        let search = plain("search", self.search)?.unwrap_or_default().trim().to_owned();
        let page = PageParams { limit: self.limit, cursor: self.cursor, at_least: self.at_least };
        Ok((search, page))
    }
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
/// Their accounts in order of registration, or those that are searched for. Only an admin sees
/// names and addresses.
#[utoipa::path(
    get,
    path = "/v1/admin/clients",
    operation_id = "list_clients",
    tag = "admin",
    params(ClientParams),
    responses((status = 200, description = "A page of customers", body = Page<ClientItem>)),
    security(("session" = []))
)]
async fn list(
    State(app): State<AppState>,
    AuditorSession(who): AuditorSession,
    Params(params): Params<ClientParams>,
) -> Result<Json<Page<ClientItem>>, Problem> {
    let (search, params) = params.split()?;
    app.visible(params.at_least).await?;
    let page = find(&app, who.role, &search, &params).await?;
    let mut holders = holders(&app, who.role, &page.data).await?;
    Ok(Json(page.map(|account| {
        let holder = holders.remove(&account.account_id);
        ClientItem::new(account, holder)
    })))
}

async fn find(
    app: &AppState,
    role: Role,
    text: &str,
    params: &PageParams,
) -> Result<Page<Account>, ApiError> {
    let (pool, request) = (app.database.pool(), params.request()?);
    if text.is_empty() {
        return Ok(Page::of(queries::accounts(pool, &request).await?));
    }
    if text.starts_with("acct_") {
        return Ok(Page::of(queries::accounts_from(pool, text, &request).await?));
    }
    let after: Option<AccountId> = params.cursor()?;
    let ids = match role {
        // Whoever learns who fits a name learns the name.
        Role::Client | Role::Auditor => vec![],
        Role::Admin => search::accounts(pool, text, after, params.fetch()).await?,
    };
    let ids = Page::cut(ids, params, 0, ToString::to_string);
    let found = queries::accounts_by_id(pool, &ids.data).await?;
    Ok(Page { next_cursor: ids.next_cursor, ..Page::whole(found) })
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
