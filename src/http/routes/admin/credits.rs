//! What is left of the credits that were bought.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Days, Utc};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::Serialize;
use tollgate_projections::queries::{self, MasterAccount};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::extract::{AuditorSession, Params};
use crate::http::wire::{Amount, Page, PageParams};
use crate::http::{AppState, Problem};

/// Days whose use says how long the rest lasts.
const WEEK: i64 = 7;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A master account and its credits.
#[derive(Serialize, ToSchema)]
struct MasterAccountItem {
    #[schema(examples("mast_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    id: String,
    #[schema(examples("openrouter main"))]
    label: Option<String>,
    #[schema(examples("openrouter"))]
    provider: Option<String>,
    /// `enabled` or `disabled`.
    #[schema(examples("enabled"))]
    status: Option<String>,
    /// Where requests go.
    #[schema(examples("https://openrouter.ai/api/v1"))]
    base_url: Option<String>,
    /// Enough to recognise the key.
    #[schema(examples("sk-or-…cdef"))]
    masked_key: Option<String>,
    /// Face value of the credits ever bought.
    #[schema(examples("1000"))]
    bought_usd: Amount,
    /// What was paid for them, without fees.
    #[schema(examples("300"))]
    paid_usd: Amount,
    #[schema(examples("0"))]
    fees_usd: Amount,
    /// Credits adjusted to the upstream's own statement.
    #[schema(examples("0"))]
    adjusted_usd: Amount,
    /// Credits that requests used: their list cost.
    #[schema(examples("0.01"))]
    used_usd: Amount,
    /// What these had cost you.
    #[schema(examples("0.003"))]
    cost_usd: Amount,
    /// Face value of what was used by requests that no customer was charged for.
    #[schema(examples("0"))]
    waived_list_cost_usd: Amount,
    /// What that had cost you.
    #[schema(examples("0"))]
    waived_usd: Amount,
    /// `bought + adjusted − used − waived`.
    #[schema(examples("999.99"))]
    remaining_usd: Amount,
    /// What one dollar of list cost costs you: everything paid, fees included, over everything
    /// bought.
    #[schema(value_type = Option<String>, examples("0.3"))]
    cost_rate: Option<Amount>,
    /// Face value of what all requests of the last seven UTC days used, today included.
    #[schema(examples("70"))]
    used_7_days_usd: Amount,
    /// For how many days the rest lasts at that pace. Null where nothing was used.
    #[schema(examples(99))]
    runway_days: Option<i64>,
    purchases: i64,
    requests: i64,
    registered_at: Option<DateTime<Utc>>,
}

impl MasterAccountItem {
    fn new(
        master: MasterAccount,
        credential: Option<(String, String)>,
        used: Decimal,
        now: DateTime<Utc>,
    ) -> Self {
        let (base_url, masked_key) = credential.unzip();
        let rate = master.paid.checked_add(master.fees);
        let rate = rate.and_then(|paid| paid.checked_div(master.bought));
        Self {
            id: master.master_account_id.clone(),
            label: master.label.clone(),
            provider: master.provider.clone(),
            status: master.status.clone(),
            base_url,
            masked_key,
            bought_usd: master.bought.into(),
            paid_usd: master.paid.into(),
            fees_usd: master.fees.into(),
            adjusted_usd: master.adjusted.into(),
            used_usd: master.list_cost.into(),
            cost_usd: master.cost.into(),
            waived_list_cost_usd: master.waived_list_cost.into(),
            waived_usd: master.waived.into(),
            remaining_usd: master.remaining.into(),
            cost_rate: rate.map(|rate| Amount(rate.round_dp(12))),
            used_7_days_usd: used.into(),
            runway_days: runway(&master, used, now),
            purchases: master.purchases,
            requests: master.requests,
            registered_at: master.registered_at,
        }
    }
}

/// Whole days that the rest lasts if the days to come are like those of the last week.
fn runway(master: &MasterAccount, used: Decimal, now: DateTime<Utc>) -> Option<i64> {
    let age = master.registered_at.map_or(WEEK, |at| (now - at).num_days() + 1);
    let days = Decimal::from(age.clamp(1, WEEK));
    let rest = master.remaining.max(Decimal::ZERO);
    rest.checked_mul(days)?.checked_div(used)?.floor().to_i64()
}

/// List master accounts
///
/// In order of registration, with the credits bought, used and left, and how long they last. Keys
/// are masked.
#[utoipa::path(
    get,
    path = "/v1/admin/master-accounts",
    operation_id = "list_master_accounts",
    tag = "admin",
    params(PageParams),
    responses((status = 200, description = "A page of master accounts", body = Page<MasterAccountItem>)),
    security(("session" = []))
)]
async fn list(
    State(app): State<AppState>,
    _: AuditorSession,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<MasterAccountItem>>, Problem> {
    app.visible(params.at_least).await?;
    let page = queries::master_accounts(app.database.pool(), &params.request()?).await?;
    let now = Utc::now();
    let since = now.date_naive() - Days::new(WEEK.unsigned_abs() - 1);
    let mut used = queries::used_since(app.database.pool(), since).await?;
    let masks = app.upstream_keys.masks().await?.into_iter();
    let mut masks: HashMap<_, _> =
        masks.map(|(id, url, masked)| (id.to_string(), (url, masked))).collect();
    Ok(Json(Page::of(page).map(|master: MasterAccount| {
        let credential = masks.remove(&master.master_account_id);
        let used = used.remove(&master.master_account_id).unwrap_or_default();
        MasterAccountItem::new(master, credential, used, now)
    })))
}
