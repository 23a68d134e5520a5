//! What every handler can reach.

use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tollgate_projections::{NotYet, Progress};

use super::ApiError;
use super::error::both;
use crate::config::Config;
use crate::database::Database;
use crate::identity::people::PeopleError;
use crate::identity::{ApiKeys, People, UpstreamKeys};
use crate::ledger::{CommandContext, Ledger};
use crate::limits::Gate;
use crate::operations::{Desk, RequestKey};
use crate::proxy::Gateway;
use crate::telemetry::live::Live;
use crate::telemetry::metrics::Metrics;

/// How long a reader may wait for its own write to be visible.
const READ_YOUR_WRITES: Duration = Duration::from_secs(2);

/// The running application; cheap to clone.
#[derive(Debug, Clone)]
pub struct AppState(Arc<App>);

/// The parts of the application.
#[derive(Debug)]
pub struct App {
    /// As it was read at the start.
    pub config: Config,
    /// The pool, for identities and read models.
    pub database: Database,
    /// The books.
    pub ledger: Ledger,
    /// Registration, sessions.
    pub people: People,
    /// Recognises API keys.
    pub keys: ApiKeys,
    /// Credentials of master accounts.
    pub upstream_keys: UpstreamKeys,
    /// How far the read models are.
    pub progress: Progress,
    /// The request path.
    pub gateway: Arc<Gateway>,
    /// What other parts wait for.
    pub changes: Changes,
    /// Work that must be finished before the process ends, such as settlements.
    pub tasks: TaskTracker,
    /// Cancelled when the process is asked to end: what would go on for long ends then.
    pub closing: CancellationToken,
    /// Cancelled when everything that was open has ended.
    pub stop: CancellationToken,
    /// What goes on now.
    pub live: Live,
    /// How often and how much at once, by key and account.
    pub gate: Gate,
    /// What is done after its answer, at once.
    pub afterwards: Arc<Semaphore>,
    /// Requests that may be in flight at once.
    pub in_flight: Arc<Semaphore>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// When this process began to serve.
    pub started: Instant,
}

/// Nodes differ by what was appended in a moment, which is never so much: a position that is
/// farther away comes from no write, and waiting for it would be in vain.
const FAR: i64 = 1_000_000_000;

/// Wakes those who keep copies of what an operator has changed on this node.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// A master account was registered, or its credits changed.
    pub master_accounts: Arc<Notify>,
    /// A sale ratio changed.
    pub prices: Arc<Notify>,
}

impl AppState {
    /// Wraps the parts.
    pub fn new(app: App) -> Self {
        Self(Arc::new(app))
    }
}

impl Deref for AppState {
    type Target = App;

    fn deref(&self) -> &App {
        &self.0
    }
}

impl App {
    /// The desk at which somebody who is signed in does something to the books.
    pub fn desk<'a>(
        &'a self,
        context: &'a CommandContext,
        key: Option<&'a RequestKey>,
    ) -> Desk<'a> {
        Desk { ledger: &self.ledger, pool: self.database.pool(), context, key }
    }

    /// Does something after the answer, whose sender must not learn from it whether there was
    /// something to do, nor from how long it took. Where too much of it is under way it is left
    /// out: who asked will ask again.
    pub fn later(&self, work: impl Future<Output = Result<(), PeopleError>> + Send + 'static) {
        let Ok(place) = Arc::clone(&self.afterwards).try_acquire_owned() else {
            tracing::warn!("too much is to be done after answers, so something was left out");
            return;
        };
        self.tasks.spawn(async move {
            let _place = place;
            if let Err(error) = work.await {
                tracing::warn!(%error, "what was asked for could not be done");
            }
        });
    }

    /// Waits until the read models show at least this position, where one is asked for, and says
    /// where they are. What is read afterwards is at least as new as that.
    pub async fn visible(&self, at_least: Option<i64>) -> Result<i64, ApiError> {
        let Some(wanted) = at_least else { return Ok(self.progress.applied()) };
        let head = *self.ledger.engine().head().borrow();
        if wanted > head.saturating_add(FAR) {
            let message =
                both!("No event has this position yet.", "Событий с такой позицией ещё нет.");
            return Err(ApiError::invalid("at_least", message));
        }
        match self.progress.wait_for(wanted, READ_YOUR_WRITES).await {
            Ok(position) => Ok(position),
            Err(NotYet::Behind { applied, wanted }) => {
                Err(ApiError::NotYetVisible { at_least: wanted, position: applied })
            }
            Err(NotYet::Database(error)) => Err(error.into()),
        }
    }
}
