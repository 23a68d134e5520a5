//! What customers pay for requests that go wrong.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tollgate_domain::fairness::{FairnessInForce, FairnessPolicy, Mishap, Treatment};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use crate::http::extract::{AdminSession, AuditorSession, IdempotencyKey, JsonBody, Params};
use crate::http::wire::{Commanded, ReadParams};
use crate::http::{AppState, Problem};
use crate::operations::fairness;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(show, change))
}

/// The domain's enums as the document shows them.
macro_rules! mirror {
    ($(#[$about:meta])* $name:ident of $domain:ident: $($variant:ident = $wire:tt,)+) => {
        $(#[$about])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
        )]
        enum $name {
            $(#[serde(rename = $wire)] $variant,)+
        }

        impl From<$domain> for $name {
            fn from(value: $domain) -> Self {
                match value { $($domain::$variant => Self::$variant,)+ }
            }
        }

        impl From<$name> for $domain {
            fn from(value: $name) -> Self {
                match value { $($name::$variant => Self::$variant,)+ }
            }
        }
    };
}

mirror! {
    /// A way in which a request goes wrong after it was forwarded:
    /// `client_left` (before the end of a stream), `stream_broke` (the upstream's connection),
    /// `error_with_usage` and `error_without_usage` (an error in the midst, with the upstream's
    /// bill or without), `usage_missing` (a whole answer without a bill), `error_under_200` (an
    /// error instead of an answer, white space before it or not), `malformed_stream` (lines that
    /// cannot be read, and no bill), `wrong_content_type` (neither JSON nor events), `answer_broke`
    /// (an answer in one piece that broke off or makes no sense), `timed_out` (nothing came in
    /// time, or no end), `gateway_stopped` (the node that served it), `ended_elsewhere` (delivered,
    /// but another node had ended its reservation).
    MishapName of Mishap:
    ClientLeft = "client_left",
    StreamBroke = "stream_broke",
    ErrorWithUsage = "error_with_usage",
    ErrorWithoutUsage = "error_without_usage",
    UsageMissing = "usage_missing",
    ErrorUnder200 = "error_under_200",
    MalformedStream = "malformed_stream",
    WrongContentType = "wrong_content_type",
    AnswerBroke = "answer_broke",
    TimedOut = "timed_out",
    GatewayStopped = "gateway_stopped",
    EndedElsewhere = "ended_elsewhere",
}

mirror! {
    /// What the customer pays then: `charge_billed` (what the upstream billed), `charge_delivered`
    /// (the tokens that were delivered, never more than was billed), `waive` (nothing).
    TreatmentName of Treatment:
    ChargeBilled = "charge_billed",
    ChargeDelivered = "charge_delivered",
    Waive = "waive",
}

/// A fairness policy.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "everything": "charge_billed",
    "cases": { "client_left": "charge_delivered", "error_under_200": "waive" }
}))]
struct FairnessPolicyRequest {
    /// For everything without a case of its own.
    everything: TreatmentName,
    /// Exceptions.
    #[serde(default)]
    cases: BTreeMap<MishapName, TreatmentName>,
    /// Why. It stands beside the books, where it can be erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 2000))]
    #[schema(examples("customers asked for it"))]
    reason: Option<String>,
}

/// The fairness policy in force.
#[derive(Debug, Serialize, ToSchema)]
struct FairnessPolicyResponse {
    /// How often it was set; 0 is the policy that counts before it was.
    #[schema(examples(1))]
    version: u64,
    /// For everything without a case of its own.
    everything: TreatmentName,
    /// Every case, with what it leads to.
    cases: BTreeMap<MishapName, TreatmentName>,
    /// The position of the log that the answer reflects at least.
    #[schema(examples(42))]
    as_of_position: i64,
}

impl FairnessPolicyResponse {
    fn new(FairnessInForce { version, policy }: &FairnessInForce, as_of_position: i64) -> Self {
        let case = |mishap: &Mishap| ((*mishap).into(), policy.treatment(*mishap).into());
        let cases = Mishap::ALL.iter().map(case).collect();
        let everything = policy.everything.into();
        Self { version: *version, everything, cases, as_of_position }
    }
}

/// Show the fairness policy
///
/// What customers pay for requests that go wrong. What they do not pay of the upstream's bill is
/// your cost: `waived_usd` in the profit report.
#[utoipa::path(
    get,
    path = "/v1/admin/fairness-policy",
    operation_id = "show_fairness_policy",
    tag = "admin",
    params(ReadParams),
    responses((status = 200, description = "The policy", body = FairnessPolicyResponse)),
    security(("session" = []))
)]
async fn show(
    State(app): State<AppState>,
    _: AuditorSession,
    Params(params): Params<ReadParams>,
) -> Result<Json<FairnessPolicyResponse>, Problem> {
    let as_of = app.visible(params.at_least).await?;
    let in_force = fairness::in_force(&app.ledger).await?;
    Ok(Json(FairnessPolicyResponse::new(&in_force, as_of)))
}

/// Change the fairness policy
///
/// It counts for requests that begin from now on; the record of each request that went wrong names
/// the version that it was treated by. The same policy again changes nothing.
#[utoipa::path(
    put,
    path = "/v1/admin/fairness-policy",
    operation_id = "change_fairness_policy",
    tag = "admin",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, made by you for this one change"),
    ),
    request_body = FairnessPolicyRequest,
    responses(
        (status = 200, description = "Changed", body = Commanded),
        (status = 409, description = "The Idempotency-Key was used for another request"),
    ),
    security(("session" = []))
)]
async fn change(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    key: IdempotencyKey,
    JsonBody(body): JsonBody<FairnessPolicyRequest>,
) -> Result<Json<Commanded>, Problem> {
    let key = key.on("admin:fairness", &body)?;
    let cases = body.cases.into_iter().map(|(case, then)| (case.into(), then.into())).collect();
    let policy = FairnessPolicy { everything: body.everything.into(), cases };
    let context = admin.context();
    let (desk, reason) = (app.desk(&context, key.as_ref()), body.reason.as_deref());
    let done = fairness::set(desk, policy, reason).await?;
    app.changes.prices.notify_one();
    Ok(Json(done.into()))
}
