//! What goes on now, told each second.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderName;
use axum::response::IntoResponse;
use axum::response::sse::{Event, Sse};
use chrono::Utc;
use futures_util::stream;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::extract::{AuditorSession, SignedIn};
use crate::http::{ApiError, AppState, Problem};
use crate::telemetry::live::{Picture, Watcher};

/// Proxies that collect an answer before they pass it on are told not to.
const UNBUFFERED: (HeaderName, &str) = (HeaderName::from_static("x-accel-buffering"), "no");

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(live))
}

/// Somebody who watches, until their session ends.
struct Watching {
    app: AppState,
    who: SignedIn,
    watcher: Watcher,
    over: bool,
}

/// Why no more is told.
#[derive(Clone, Copy)]
enum End {
    TokenExpired,
    SessionEnded,
    Stopping,
}

impl End {
    const fn event(self) -> &'static str {
        match self {
            Self::TokenExpired => r#"{"reason":"token_expired"}"#,
            Self::SessionEnded => r#"{"reason":"session_ended"}"#,
            Self::Stopping => r#"{"reason":"stopping"}"#,
        }
    }
}

impl Watching {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        if self.over {
            return None;
        }
        let event = match self.look().await {
            Ok(picture) => Event::default().event("picture").data(&*picture),
            Err(end) => {
                self.over = true;
                Event::default().event("end").data(end.event())
            }
        };
        Some((Ok(event), self))
    }

    async fn look(&mut self) -> Result<std::sync::Arc<str>, End> {
        let left = (self.who.expires_at - Utc::now()).to_std().unwrap_or(Duration::ZERO);
        let picture = tokio::select! {
            biased;
            () = self.app.closing.cancelled() => return Err(End::Stopping),
            () = tokio::time::sleep(left) => return Err(End::TokenExpired),
            picture = self.watcher.next() => picture.ok_or(End::Stopping)?,
        };
        // Answered from memory, where the ends of sessions arrive within a second.
        match self.app.people.sessions.is_live(self.who.session).await {
            Ok(true) => Ok(picture),
            Ok(false) => Err(End::SessionEnded),
            Err(_) => Err(End::Stopping),
        }
    }
}

/// Watch what goes on
///
/// Server-sent events: each second an event `picture` with the figures of this node and of the
/// books. When the access token expires, the session ends or the server stops, an event `end`
/// says so and the stream is over: ask again with a new token. At most 32 watch at once.
#[utoipa::path(
    get,
    path = "/v1/admin/live",
    operation_id = "watch_live",
    tag = "admin",
    responses(
        (status = 200, description = "Events, of which each `picture` holds this as JSON",
            content_type = "text/event-stream", body = Picture),
        (status = 503, description = "Too many are watching, or the server is overloaded"),
    ),
    security(("session" = []))
)]
async fn live(
    State(app): State<AppState>,
    AuditorSession(who): AuditorSession,
) -> Result<impl IntoResponse, Problem> {
    let watcher = app.live.watch().ok_or(ApiError::Overloaded)?;
    let watching = Watching { app, who, watcher, over: false };
    Ok(([UNBUFFERED], Sse::new(stream::unfold(watching, Watching::next))))
}
