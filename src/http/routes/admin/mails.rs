//! Mail that is to be sent, for an operator who delivers it where no mail server does.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tollgate_domain::ids::MailId;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::extract::{AdminSession, Params, PathId};
use crate::http::people::{List, ListParams};
use crate::http::{AppState, Problem};
use crate::mail::ListedMail;
use crate::operations::mails;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(open))
}

/// A mail, without its text.
#[derive(Serialize, ToSchema)]
struct MailItem {
    #[schema(examples("mail_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    id: String,
    /// `password_reset`, `email_verification`, `address_taken`, `password_changed`, `low_balance`
    /// or `invitation`.
    #[schema(examples("password_reset"))]
    kind: &'static str,
    /// For whom, if registered.
    #[schema(examples("usr_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    user_id: Option<String>,
    /// For whom, if invited.
    #[schema(examples("inv_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    invitation_id: Option<String>,
    /// `queued`, `sent` or `failed`. Without a mail server all stay queued.
    #[schema(examples("queued"))]
    state: &'static str,
    /// How often it was tried.
    attempts: i32,
    created_at: DateTime<Utc>,
    /// When it was sent or given up.
    ended_at: Option<DateTime<Utc>>,
    /// Why the newest attempt failed.
    #[schema(examples("the mail server answered 451"))]
    last_error: Option<String>,
}

/// A mail as its reader would get it.
#[derive(Serialize, ToSchema)]
struct MailResponse {
    #[schema(examples("mail_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    id: String,
    #[schema(examples("ada@example.com"))]
    to: String,
    #[schema(examples("Set a new password"))]
    subject: String,
    /// With the link in it: deliver it on a way that nobody else reads.
    #[schema(examples("Open this link within an hour: https://example.com/reset#token"))]
    text: String,
}

impl From<ListedMail> for MailItem {
    fn from(mail: ListedMail) -> Self {
        Self {
            id: mail.id.to_string(),
            kind: mail.kind.as_str(),
            user_id: mail.user.map(|user| user.to_string()),
            invitation_id: mail.invitation.map(|invitation| invitation.to_string()),
            state: mail.state.as_str(),
            attempts: mail.attempts,
            created_at: mail.created_at,
            ended_at: mail.ended_at,
            last_error: mail.last_error,
        }
    }
}

/// List mails
///
/// The newest first, those of the last 30 days. What they say is not shown here.
#[utoipa::path(
    get,
    path = "/v1/admin/mails",
    operation_id = "list_mails",
    tag = "admin",
    params(ListParams),
    responses((status = 200, description = "A page of mails", body = List<MailItem>)),
    security(("session" = []))
)]
async fn list(
    State(app): State<AppState>,
    _: AdminSession,
    Params(params): Params<ListParams>,
) -> Result<Json<List<MailItem>>, Problem> {
    let before: Option<MailId> = params.cursor()?;
    let rows = app.people.outbox.page(before, params.fetch()).await?;
    let page = List::cut(rows, params.limit, |mail| mail.id.to_string());
    Ok(Json(page.map(MailItem::from)))
}

/// Open a mail that was not sent
///
/// Shows address and text, for an operator who delivers it. It holds a secret, so this is a `POST`
/// and stands in the audit trail. What a mail server has taken is nobody else's to read.
#[utoipa::path(
    post,
    path = "/v1/admin/mails/{id}/open",
    operation_id = "open_mail",
    tag = "admin",
    params(("id" = String, Path, description = "The mail's id", example = "mail_01k2h3j4k5m6n7p8q9r0s1t2v3")),
    responses(
        (status = 200, description = "The mail", body = MailResponse),
        (status = 404, description = "No such mail"),
        (status = 409, description = "It was sent"),
    ),
    security(("session" = []))
)]
async fn open(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    PathId(id): PathId<MailId>,
) -> Result<Json<MailResponse>, Problem> {
    let mail = mails::open(&app.people, id, &admin.context()).await?;
    Ok(Json(MailResponse { id: mail.id, to: mail.to, subject: mail.subject, text: mail.text }))
}
