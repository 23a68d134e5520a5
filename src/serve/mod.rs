//! `tollgate serve`: everything put together, and taken apart again in the right order.

pub mod demo;
mod parts;
mod people;
mod presence;
mod upstreams;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::database::{DatabaseError, DatabaseSource};
use crate::http::listen::Patience;
use crate::http::{ApiError, AppState};
use crate::identity::people::PeopleError;
use crate::ledger::LedgerError;

/// How long open connections may take to end.
const DRAIN: Duration = Duration::from_secs(30);
/// How long open settlements may take after that; what is left is recovery's.
const SETTLE: Duration = Duration::from_secs(30);
/// How long the writer and the other loops may take at last.
const LAST: Duration = Duration::from_secs(10);

/// Why serving did not begin.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The read models.
    #[error("the read models cannot be made: {0}")]
    Projections(#[from] tollgate_projections::ProjectionError),
    /// The first admin.
    #[error("the first admin cannot be created: {0}")]
    Admin(#[from] PeopleError),
    /// The way out for mail.
    #[error("mail cannot be sent: {0}")]
    Mail(#[from] crate::mail::MailError),
    /// The books refuse what is needed to begin.
    #[error("{}", .0.with_causes())]
    Books(#[from] ApiError),
    /// The address.
    #[error("{0} cannot be listened on: {1}; choose another LISTEN_ADDR")]
    Listen(SocketAddr, std::io::Error),
    /// The address for figures.
    #[error("{0} cannot be listened on: {1}; choose another METRICS_ADDR")]
    ListenMetrics(SocketAddr, std::io::Error),
    /// The client for upstreams.
    #[error("the upstream client cannot be set up: {0}")]
    Client(#[from] reqwest::Error),
}

/// A serving gateway.
#[must_use = "stop it, so that open settlements are waited for"]
pub struct Running {
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    state: AppState,
    source: Arc<DatabaseSource>,
    scopes: Scopes,
    server: JoinHandle<()>,
}

/// What ends when.
#[derive(Debug, Clone, Default)]
struct Scopes {
    /// No new connections.
    accept: CancellationToken,
    /// No more waiting for settlements.
    books: CancellationToken,
    /// Background loops.
    loops: CancellationToken,
    /// Settlements.
    settlements: TaskTracker,
    /// Background loops.
    workers: TaskTracker,
    /// The writer.
    writer: TaskTracker,
}

/// Starts everything and listens.
///
/// # Errors
/// Each [`ServeError`]; what was started is stopped again when its guards are dropped.
pub async fn start(config: Config) -> Result<Running, ServeError> {
    let scopes = Scopes::default();
    let source = Arc::new(DatabaseSource::open(&config.database).await?);
    let (listen_on, metrics_on) = (config.listen, config.metrics);
    let patience = Patience { drain: DRAIN, stall: config.client_stall };
    let state = parts::assemble(config, &source, &scopes).await?;
    let listener =
        TcpListener::bind(listen_on).await.map_err(|e| ServeError::Listen(listen_on, e))?;
    let address = listener.local_addr().map_err(|e| ServeError::Listen(listen_on, e))?;
    let metrics_address = match metrics_on {
        Some(address) => Some(tell_figures(address, &state, &scopes, patience).await?),
        None => None,
    };
    let router = crate::http::router(state.clone());
    let server = scopes.workers.spawn(crate::http::listen::serve(
        listener,
        router,
        scopes.accept.clone(),
        patience,
        state.config.edge.clone(),
    ));
    let pictures = crate::telemetry::live::make_pictures(state.clone(), scopes.accept.clone());
    scopes.workers.spawn(pictures);
    tracing::info!(%address, "tollgate serves");
    Ok(Running { address, metrics_address, state, source, scopes, server })
}

/// `/metrics`, which is told until the loops end: how a process drains is of interest too.
async fn tell_figures(
    on: SocketAddr,
    state: &AppState,
    scopes: &Scopes,
    patience: Patience,
) -> Result<SocketAddr, ServeError> {
    let failed = |error| ServeError::ListenMetrics(on, error);
    let listener = TcpListener::bind(on).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let router = crate::telemetry::metrics::router(state.clone());
    let patience = Patience { drain: Duration::from_secs(1), ..patience };
    let (stop, edge) = (scopes.loops.clone(), state.config.edge.clone());
    scopes.workers.spawn(crate::http::listen::serve(listener, router, stop, patience, edge));
    tracing::info!(%address, "figures are told at /metrics");
    Ok(address)
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where `/metrics` is, if it is anywhere.
    #[must_use]
    pub const fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// The application, for tests and the demo.
    #[must_use]
    pub const fn state(&self) -> &AppState {
        &self.state
    }

    /// The database that it uses.
    pub fn source(&self) -> &DatabaseSource {
        &self.source
    }

    /// Ends in order: connections, settlements, loops, the writer, the database.
    pub async fn stop(self) {
        let Self { state, source, scopes, server, .. } = self;
        tracing::info!("stopping: connections are drained");
        scopes.accept.cancel();
        if server.await.is_err() {
            tracing::error!("the server ended by a panic");
        }
        scopes.settlements.close();
        if tokio::time::timeout(SETTLE, scopes.settlements.wait()).await.is_err() {
            tracing::warn!("settlements are still open; recovery ends them after the next start");
        }
        scopes.books.cancel();
        scopes.loops.cancel();
        scopes.workers.close();
        if tokio::time::timeout(LAST, scopes.workers.wait()).await.is_err() {
            tracing::warn!("background loops did not end in time");
        }
        presence::sign_off(&state).await;
        state.database.close().await;
        drop(state);
        scopes.writer.close();
        if tokio::time::timeout(LAST, scopes.writer.wait()).await.is_err() {
            tracing::warn!("the writer did not end in time");
        }
        match Arc::try_unwrap(source).map(DatabaseSource::close) {
            Ok(closing) => {
                if let Err(error) = closing.await {
                    tracing::warn!(%error, "the database did not stop cleanly");
                }
            }
            Err(_) => tracing::warn!("the database is still in use"),
        }
        tracing::info!("stopped");
    }
}
