//! Inviting people.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tollgate_domain::ids::InvitationId;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use crate::http::extract::{AdminSession, JsonBody, Params, PathId};
use crate::http::people::{List, ListParams, MailLanguage};
use crate::http::{AppState, Problem};
use crate::identity::invitations::Invitation;
use crate::operations::invitations::{self, NewInvitation};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, invite)).routes(routes!(revoke))
}

/// Somebody who may register.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct InviteRequest {
    /// The only address that may register with it, which gets a mail; absent: whoever has the
    /// token.
    #[serde(default)]
    #[validate(email, length(max = 254))]
    #[schema(examples("ada@example.com"), format = "email")]
    email: Option<String>,
    /// Of the mail.
    #[serde(default)]
    language: Option<MailLanguage>,
    /// How many days it works.
    #[serde(default = "a_week")]
    #[validate(range(min = 1, max = 90))]
    #[schema(default = 7, minimum = 1, maximum = 90, examples(7))]
    days: i64,
}

const fn a_week() -> i64 {
    7
}

/// An invitation.
#[derive(Serialize, ToSchema)]
struct InvitationItem {
    #[schema(examples("inv_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    id: String,
    /// The only address that may use it; null: any, or it has come to its end.
    #[schema(examples("ada@example.com"))]
    email: Option<String>,
    /// `open`, `used`, `revoked` or `expired`.
    #[schema(examples("open"))]
    state: &'static str,
    /// Who made it.
    #[schema(examples("usr_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    created_by: String,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    used_at: Option<DateTime<Utc>>,
    /// Who has registered with it; null where the address was registered before.
    #[schema(examples("usr_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    used_by: Option<String>,
    revoked_at: Option<DateTime<Utc>>,
}

/// An invitation that was just made.
#[derive(Serialize, ToSchema)]
struct InviteResponse {
    invitation: InvitationItem,
    /// For `/v1/auth/register`. It is shown now and never again.
    #[schema(examples("tgi_AZrQv3…"))]
    token: String,
    /// The page that registers with it.
    #[schema(examples("https://gate.example.com/register#token=tgi_AZrQv3…"))]
    url: String,
}

impl From<Invitation> for InvitationItem {
    fn from(invitation: Invitation) -> Self {
        let state = match (invitation.used_at, invitation.revoked_at) {
            (Some(_), _) => "used",
            (None, Some(_)) => "revoked",
            (None, None) if invitation.expires_at <= Utc::now() => "expired",
            (None, None) => "open",
        };
        Self {
            id: invitation.id.to_string(),
            email: invitation.email,
            state,
            created_by: invitation.created_by,
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
            used_at: invitation.used_at,
            used_by: invitation.used_by.map(|user| user.to_string()),
            revoked_at: invitation.revoked_at,
        }
    }
}

/// List invitations
///
/// The newest first, with those that came to their end.
#[utoipa::path(
    get,
    path = "/v1/admin/invitations",
    operation_id = "list_invitations",
    tag = "admin",
    params(ListParams),
    responses((status = 200, description = "A page of invitations", body = List<InvitationItem>)),
    security(("session" = []))
)]
async fn list(
    State(app): State<AppState>,
    _: AdminSession,
    Params(params): Params<ListParams>,
) -> Result<Json<List<InvitationItem>>, Problem> {
    let before: Option<InvitationId> = params.cursor()?;
    let pool = app.database.pool();
    let rows = crate::identity::invitations::page(pool, before, params.fetch()).await?;
    let page = List::cut(rows, params.limit, |invitation| invitation.id.to_string());
    Ok(Json(page.map(InvitationItem::from)))
}

/// Invite somebody
///
/// Makes a token that registers one person, also where registration is by invitation only. With an
/// address it is mailed, and only that address can be registered with it.
#[utoipa::path(
    post,
    path = "/v1/admin/invitations",
    operation_id = "invite",
    tag = "admin",
    request_body = InviteRequest,
    responses((status = 201, description = "The invitation", body = InviteResponse)),
    security(("session" = []))
)]
async fn invite(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    JsonBody(body): JsonBody<InviteRequest>,
) -> Result<(StatusCode, Json<InviteResponse>), Problem> {
    let new = NewInvitation {
        email: body.email,
        language: body.language.map(Into::into).unwrap_or_default(),
        lasts: TimeDelta::days(body.days),
    };
    let made = invitations::make(&app.people, &new, &admin.context()).await?;
    let answer = InviteResponse {
        invitation: made.invitation.into(),
        token: made.token.expose().to_owned(),
        url: made.url.expose().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Revoke an invitation
///
/// Nobody can register with it any more.
#[utoipa::path(
    delete,
    path = "/v1/admin/invitations/{id}",
    operation_id = "revoke_invitation",
    tag = "admin",
    params(("id" = String, Path, description = "The invitation's id", example = "inv_01k2h3j4k5m6n7p8q9r0s1t2v3")),
    responses(
        (status = 204, description = "Revoked"),
        (status = 404, description = "No such invitation, or it has come to its end"),
    ),
    security(("session" = []))
)]
async fn revoke(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    PathId(id): PathId<InvitationId>,
) -> Result<StatusCode, Problem> {
    invitations::revoke(&app.people, id, &admin.context()).await?;
    Ok(StatusCode::NO_CONTENT)
}
