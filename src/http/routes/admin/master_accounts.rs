//! Upstream accounts and the credits bought for them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tollgate_domain::Money;
use tollgate_domain::ids::MasterAccountId;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::{Validate, ValidationError};

use crate::config::Secret;
use crate::http::error::both;
use crate::http::extract::{AdminSession, IdempotencyKey, JsonBody, PathId};
use crate::http::wire::Usd;
use crate::http::{ApiError, AppState, Problem};
use crate::identity::sealed;
use crate::operations::Outcome;
use crate::operations::master_accounts::{self, NewMasterAccount, Purchase, Registered};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(create)).routes(routes!(purchase))
}

/// An upstream account to be registered.
#[derive(Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct MasterAccountRequest {
    /// Your name for it.
    #[validate(length(min = 1, max = 200))]
    #[schema(examples("openrouter main"))]
    label: String,
    /// Who runs it.
    #[serde(default = "openrouter")]
    #[validate(length(min = 1, max = 40))]
    #[schema(examples("openrouter"))]
    provider: String,
    /// Where requests go.
    #[validate(custom(function = "http_url"))]
    #[schema(examples("https://openrouter.ai/api/v1"))]
    base_url: String,
    /// Its key. It is sealed at once and never shown again.
    #[validate(length(min = 1, max = 1000), custom(function = "graphic"))]
    #[schema(examples("sk-or-v1-0123456789abcdef"), format = "password")]
    api_key: String,
    /// Why. It stands beside the books, where it can be erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 2000))]
    #[schema(examples("a second upstream, for when the first is down"))]
    reason: Option<String>,
}

/// A registered master account.
#[derive(Serialize, ToSchema)]
struct MasterAccountResponse {
    #[schema(examples("mast_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    id: String,
    #[schema(examples("openrouter main"))]
    label: String,
    #[schema(examples("openrouter"))]
    provider: String,
    #[schema(examples("https://openrouter.ai/api/v1"))]
    base_url: String,
    /// Enough to recognise the key.
    #[schema(examples("sk-or-…cdef"))]
    masked_key: String,
    /// A position of the log that holds it. A repeated answer may name a later one.
    #[schema(examples(3))]
    position: i64,
    /// Was it registered by an earlier request with this Idempotency-Key?
    replayed: bool,
}

/// Credits that were bought.
#[derive(Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct PurchaseRequest {
    /// Face value, above zero.
    credits_usd: Usd,
    /// What was paid for them.
    paid_usd: Usd,
    /// The fee on top; it is part of what the credits cost.
    #[serde(default = "nothing")]
    fee_usd: Usd,
    /// Your reference. It becomes part of the books for ever: name nobody in it.
    #[serde(default)]
    #[validate(length(max = 200))]
    #[schema(examples("order 17"))]
    reference: String,
}

/// A booked purchase.
#[derive(Debug, Serialize, ToSchema)]
struct PurchaseResponse {
    #[schema(examples("purch_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    id: String,
    #[schema(examples("mast_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    master_account_id: String,
    credits_usd: Usd,
    paid_usd: Usd,
    fee_usd: Usd,
    #[schema(examples("order 17"))]
    reference: String,
    /// A position of the log that holds it. A repeated answer may name a later one.
    #[schema(examples(4))]
    position: i64,
    /// Was it booked by an earlier request with this Idempotency-Key?
    replayed: bool,
}

fn openrouter() -> String {
    "openrouter".to_owned()
}

const fn nothing() -> Usd {
    Usd(Money::ZERO)
}

fn http_url(text: &str) -> Result<(), ValidationError> {
    let url = reqwest::Url::parse(text).ok();
    let usable = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    match usable.is_some_and(|url| url.query().is_none()) {
        true => Ok(()),
        false => Err(ValidationError::new("url")
            .with_message("write a URL as in https://openrouter.ai/api/v1".into())),
    }
}

/// It travels in a header; a line break or a space inside is a slip of the clipboard.
fn graphic(text: &str) -> Result<(), ValidationError> {
    match text.chars().all(|c| c.is_ascii_graphic()) {
        true => Ok(()),
        false => Err(ValidationError::new("key")
            .with_message("a key has visible ASCII characters only".into())),
    }
}

impl From<MasterAccountRequest> for NewMasterAccount {
    fn from(body: MasterAccountRequest) -> Self {
        Self {
            label: body.label,
            provider: body.provider,
            base_url: body.base_url.trim_end_matches('/').to_owned(),
            key: Secret::new(body.api_key),
        }
    }
}

impl From<Outcome<Purchase>> for PurchaseResponse {
    fn from(Outcome { answer, position, replayed }: Outcome<Purchase>) -> Self {
        Self {
            id: answer.id.to_string(),
            master_account_id: answer.master_account.to_string(),
            credits_usd: answer.credits.into(),
            paid_usd: answer.paid.into(),
            fee_usd: answer.fee.into(),
            reference: answer.reference,
            position,
            replayed,
        }
    }
}

/// Register a master account
///
/// Requests are routed to it from now on. Book the purchase of its credits next: until then its
/// cost counts in full.
#[utoipa::path(
    post,
    path = "/v1/admin/master-accounts",
    operation_id = "register_master_account",
    tag = "admin",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, made by you for this one registration"),
    ),
    request_body = MasterAccountRequest,
    responses(
        (status = 201, description = "Registered", body = MasterAccountResponse),
        (status = 409, description = "This key belongs to a master account already, or the Idempotency-Key was used for another request"),
    ),
    security(("session" = []))
)]
async fn create(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    key: IdempotencyKey,
    JsonBody(mut body): JsonBody<MasterAccountRequest>,
) -> Result<(StatusCode, Json<MasterAccountResponse>), Problem> {
    let key = key.on("admin:master_accounts", &body)?;
    let (reason, context) = (body.reason.take(), admin.context());
    let (desk, keys) = (app.desk(&context, key.as_ref()), &app.upstream_keys);
    let new = NewMasterAccount::from(body);
    match master_accounts::register(desk, keys, &new, reason.as_deref()).await? {
        Registered::New(done) => {
            app.changes.master_accounts.notify_one();
            Ok((StatusCode::CREATED, Json(MasterAccountResponse::new(done, new))))
        }
        Registered::Before(id) => {
            let message =
                both!("This key belongs to {id} already.", "Этот ключ уже принадлежит {id}.");
            Err(ApiError::Conflict { code: "master_account_exists", message }.into())
        }
    }
}

impl MasterAccountResponse {
    fn new(done: Outcome<MasterAccountId>, new: NewMasterAccount) -> Self {
        Self {
            id: done.answer.to_string(),
            masked_key: sealed::mask(&new.key),
            label: new.label,
            provider: new.provider,
            base_url: new.base_url,
            position: done.position,
            replayed: done.replayed,
        }
    }
}

/// Book a purchase of credits
///
/// From then on the cost rate of the master account is everything paid, fees included, over
/// everything bought.
#[utoipa::path(
    post,
    path = "/v1/admin/master-accounts/{id}/purchases",
    operation_id = "purchase_credits",
    tag = "admin",
    params(
        ("id" = String, Path, description = "For which master account", example = "mast_01k2h3j4k5m6n7p8q9r0s1t2v3"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, made by you for this one purchase"),
    ),
    request_body = PurchaseRequest,
    responses(
        (status = 201, description = "Booked", body = PurchaseResponse),
        (status = 404, description = "No such master account"),
        (status = 409, description = "The Idempotency-Key was used for another request"),
    ),
    security(("session" = []))
)]
async fn purchase(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    PathId(master_account): PathId<MasterAccountId>,
    key: IdempotencyKey,
    JsonBody(body): JsonBody<PurchaseRequest>,
) -> Result<(StatusCode, Json<PurchaseResponse>), Problem> {
    let key = key.on("admin:purchases", &(master_account, &body))?;
    let id = master_accounts::new_purchase_id();
    let (credits, paid, fee) = (body.credits_usd.0, body.paid_usd.0, body.fee_usd.0);
    let new = Purchase { id, master_account, credits, paid, fee, reference: body.reference };
    let context = admin.context();
    let done = master_accounts::purchase(&app.ledger, new, &context, key.as_ref()).await?;
    app.changes.master_accounts.notify_one();
    Ok((StatusCode::CREATED, Json(done.into())))
}
