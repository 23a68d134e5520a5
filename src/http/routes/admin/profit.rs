//! The profit report.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_projections::queries::{self, Profit, ProfitGroup};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use super::notes::Names;
use crate::http::csv::{self, Csv, MOST_ROWS};
use crate::http::extract::{AuditorSession, Params};
use crate::http::wire::{Amount, Page, SpanParams};
use crate::http::{ApiError, AppState, Problem};
use crate::identity::Role;

/// Lines that are written at once.
const PIECE: usize = 1_000;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(profit)).routes(routes!(download))
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
    /// What the customer is called, where the line is a customer's. Null for auditors, and where
    /// the person was erased.
    #[schema(examples("Ada"))]
    customer: Option<String>,
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
            customer: None,
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

    async fn names(self, app: &AppState, role: Role, lines: &[Profit]) -> Result<Names, ApiError> {
        let accounts: Vec<String> = match self.group_by {
            GroupBy::Account => lines.iter().map(|line| line.name.clone()).collect(),
            GroupBy::Day | GroupBy::Model | GroupBy::MasterAccount => vec![],
        };
        Names::of_holders(app, role, accounts).await
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
    AuditorSession(who): AuditorSession,
    Params(params): Params<ProfitParams>,
) -> Result<Json<Page<ProfitItem>>, Problem> {
    app.visible(params.at_least).await?;
    let range = params.span().range()?;
    let found = queries::profit(app.database.pool(), range, params.group()).await?;
    let names = params.names(&app, who.role, &found.data).await?;
    let page: Page<ProfitItem> = Page::whole(found);
    Ok(Json(page.map(|line| ProfitItem { customer: names.of(&line.name), ..line })))
}

const LINE: [&str; 14] = [
    "name",
    "customer",
    "requests",
    "list_cost_usd",
    "charge_usd",
    "cost_usd",
    "waived_requests",
    "waived_usd",
    "waived_list_cost_usd",
    "margin_usd",
    "estimated_requests",
    "corrected_requests",
    "drifted_requests",
    "drift_usd",
];

fn write(csv: &mut Csv, line: &Profit, customer: Option<&str>) {
    csv.text(&line.name);
    csv.maybe(customer);
    csv.count(Some(line.requests));
    csv.amount(Some(line.list_cost));
    csv.amount(Some(line.charge));
    csv.amount(Some(line.cost));
    csv.count(Some(line.waived_requests));
    csv.amount(Some(line.waived));
    csv.amount(Some(line.waived_list_cost));
    csv.amount(Some(line.margin));
    csv.count(Some(line.estimated));
    csv.count(Some(line.corrected));
    csv.count(Some(line.drifted));
    csv.amount(Some(line.drift));
    csv.end();
}

/// Download the profit report
///
/// What `/v1/admin/profit` shows, as CSV, with at most 100,000 lines. A cell that a spreadsheet
/// would compute begins with an apostrophe.
#[utoipa::path(
    get,
    path = "/v1/admin/profit.csv",
    operation_id = "download_profit",
    tag = "admin",
    params(ProfitParams),
    responses(
        (status = 200, description = "The table", content_type = "text/csv", body = String,
            headers(("x-tollgate-as-of-position" = i64, description = "The position of the log that it reflects")),
            example = "name,customer,requests\r\n"),
        (status = 400, description = "The span makes no sense, or there are too many lines"),
    ),
    security(("session" = []))
)]
async fn download(
    State(app): State<AppState>,
    AuditorSession(who): AuditorSession,
    Params(params): Params<ProfitParams>,
) -> Result<Response, Problem> {
    app.visible(params.at_least).await?;
    let (pool, range, most) = (app.database.pool(), params.span().range()?, MOST_ROWS + 1);
    // All at once: what is read in pieces would be of several moments, and would not add up.
    let found = queries::profit_lines(pool, range, params.group(), most).await?;
    csv::check_rows(i64::try_from(found.data.len()).unwrap_or(i64::MAX), MOST_ROWS)?;
    let header = Csv::with_header(&LINE).take();
    let (as_of, lines) = (found.as_of_position, found.data.into_iter());
    Ok(csv::file("profit.csv", as_of, header, lines, move |lines| {
        piece(app.clone(), who.role, params, lines)
    }))
}

type Lines = std::vec::IntoIter<Profit>;

async fn piece(
    app: AppState,
    role: Role,
    params: ProfitParams,
    mut lines: Lines,
) -> Result<Option<(Bytes, Lines)>, ApiError> {
    let some: Vec<Profit> = lines.by_ref().take(PIECE).collect();
    if some.is_empty() {
        return Ok(None);
    }
    let names = params.names(&app, role, &some).await?;
    let mut csv = Csv::default();
    some.iter().for_each(|line| write(&mut csv, line, names.of(&line.name).as_deref()));
    Ok(Some((csv.take(), lines)))
}
