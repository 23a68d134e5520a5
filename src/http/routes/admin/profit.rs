//! The profit report.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_projections::queries::{self, Profit, ProfitGroup};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use crate::http::extract::{AuditorSession, Params};
use crate::http::wire::{Amount, Page, SpanParams};
use crate::http::{AppState, Problem};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(profit))
}

/// What a line of the report stands for.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum GroupBy {
    #[default]
    Day,
    Model,
    Account,
    MasterAccount,
}

/// Which report.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
struct ProfitParams {
    /// What a line stands for.
    #[serde(default)]
    #[param(inline)]
    group_by: GroupBy,
    /// The first moment; absent: 30 days before the end.
    from: Option<DateTime<Utc>>,
    /// The end, which doesn't belong to it; absent: now. Profit is counted by whole UTC days.
    to: Option<DateTime<Utc>>,
    /// As for every read: wait until the answer reflects at least this position of the log.
    at_least: Option<i64>,
}

/// A line of the report.
#[derive(Serialize, ToSchema)]
struct ProfitItem {
    /// The day, the model or the id.
    #[schema(examples("2026-08-08"))]
    name: String,
    /// Charged requests.
    requests: i64,
    /// The upstream's public price of them.
    #[schema(examples("0.01"))]
    list_cost_usd: Amount,
    /// What the customers paid.
    #[schema(examples("0.008"))]
    charge_usd: Amount,
    /// What you paid.
    #[schema(examples("0.003"))]
    cost_usd: Amount,
    /// Requests that went wrong and were not charged, or only in part.
    waived_requests: i64,
    /// What you paid for what the fairness policy did not charge. The sum of the events, to the
    /// last digit.
    #[schema(examples("0"))]
    waived_usd: Amount,
    /// The upstream's public price of that.
    #[schema(examples("0"))]
    waived_list_cost_usd: Amount,
    /// `charge − cost − waived`; below zero is a loss.
    #[schema(examples("0.005"))]
    margin_usd: Amount,
    /// Requests whose tokens had to be estimated, and the truth has not come.
    estimated_requests: i64,
    /// Estimates that were replaced by the truth.
    corrected_requests: i64,
    /// Requests whose list cost differs from the price list.
    drifted_requests: i64,
    /// By how much, in total.
    drift_usd: Amount,
}

impl From<Profit> for ProfitItem {
    fn from(profit: Profit) -> Self {
        Self {
            name: profit.name,
            requests: profit.requests,
            list_cost_usd: profit.list_cost.into(),
            charge_usd: profit.charge.into(),
            cost_usd: profit.cost.into(),
            waived_requests: profit.waived_requests,
            waived_usd: profit.waived.into(),
            waived_list_cost_usd: profit.waived_list_cost.into(),
            margin_usd: profit.margin.into(),
            estimated_requests: profit.estimated,
            corrected_requests: profit.corrected,
            drifted_requests: profit.drifted,
            drift_usd: profit.drift.into(),
        }
    }
}

impl ProfitParams {
    fn group(self) -> ProfitGroup {
        match self.group_by {
            GroupBy::Day => ProfitGroup::Day,
            GroupBy::Model => ProfitGroup::Model,
            GroupBy::Account => ProfitGroup::Account,
            GroupBy::MasterAccount => ProfitGroup::MasterAccount,
        }
    }

    fn span(self) -> SpanParams {
        SpanParams { from: self.from, to: self.to, at_least: self.at_least }
    }
}

/// Show the profit
///
/// Charge − cost − waived by day, model, customer or master account: by day the oldest first, else
/// the largest gain or loss first. At most 1000 lines, on one page.
#[utoipa::path(
    get,
    path = "/v1/admin/profit",
    operation_id = "show_profit",
    tag = "admin",
    params(ProfitParams),
    responses((status = 200, description = "The report", body = Page<ProfitItem>)),
    security(("session" = []))
)]
async fn profit(
    State(app): State<AppState>,
    _: AuditorSession,
    Params(params): Params<ProfitParams>,
) -> Result<Json<Page<ProfitItem>>, Problem> {
    app.visible(params.at_least).await?;
    let range = params.span().range()?;
    let found = queries::profit(app.database.pool(), range, params.group()).await?;
    Ok(Json(Page::whole(found)))
}
