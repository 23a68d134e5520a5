//! `GET /metrics`, on a listener of its own: whoever reaches it reads how business goes, so it is
//! neither on the public address nor open unless the operator asks for it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::sync::Mutex;

use super::{Found, Standing};
use crate::http::AppState;

/// What answers.
#[derive(Debug, Clone)]
struct Scrape {
    app: AppState,
    /// Many who ask at once must not keep the database busy.
    turn: Arc<Mutex<()>>,
}

/// The only path of the listener.
pub fn router(app: AppState) -> Router {
    let scrape = Scrape { app, turn: Arc::default() };
    Router::new().route("/metrics", get(metrics)).with_state(scrape)
}

async fn metrics(State(Scrape { app, turn }): State<Scrape>) -> impl IntoResponse {
    let _turn = turn.lock().await;
    let found = Found::read(app.database.pool()).await;
    let standing = standing(&app);
    let text = app.metrics.text(&standing, found.as_ref());
    ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text)
}

fn standing(app: &AppState) -> Standing {
    let in_flight_max = app.config.max_concurrent_requests;
    Standing {
        in_flight: in_flight_max.saturating_sub(app.in_flight.available_permits()),
        in_flight_max,
        ledger_queue: app.ledger.engine().waiting(),
        ledger_head: *app.ledger.engine().head().borrow(),
    }
}
