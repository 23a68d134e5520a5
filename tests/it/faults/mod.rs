//! Every way in which an upstream can fail, and clients can leave: what the client sees, and the
//! one end that the books give to the request.

mod abandoned;
mod bills;
mod clients;
mod fairness;
mod limits;
mod refusals;
mod routing;
mod streams;
mod whole;

use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder};
use tollgate::config::Config;
use tollgate_domain::Money;
use tollgate_domain::account::{CostSource, Outcome, ReservationSettled};

use crate::app::{Person, TestApp};
use crate::fate::{self, End, Fate};
use crate::wire::{self, Got};

/// Longer than any end takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);
/// How long a record that does not come is waited for; a minute in production.
const PATIENCE: Duration = Duration::from_secs(4);

/// An application with one customer who has ten dollars.
struct Desk {
    app: TestApp,
    customer: Person,
    key: String,
}

impl Desk {
    async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    async fn open_with(change: impl FnOnce(&mut Config)) -> Self {
        let app = TestApp::start_with(|config| {
            config.recovery.patience = PATIENCE;
            change(config);
        })
        .await;
        let (customer, key) = app.paying_customer("ada").await;
        Self { app, customer, key }
    }

    /// A request that the sandbox answers with this fault.
    fn request(&self, fault: &str, stream: bool) -> RequestBuilder {
        self.app
            .request(Method::POST, "/v1/chat/completions")
            .bearer_auth(&self.key)
            .header("X-Sandbox-Fault", fault)
            .json(&wire::body("Describe double-entry bookkeeping", stream))
    }

    async fn ask(&self, fault: &str, stream: bool) -> Got {
        wire::send(self.request(fault, stream)).await.expect("at least a status")
    }

    /// The end of a request that was answered.
    async fn fate_of(&self, got: &Got) -> Fate {
        let id = got.request();
        self.fate(|fate| fate.request == id).await
    }

    /// The end of the only request so far.
    async fn only_fate(&self) -> Fate {
        let fate = self.fate(|_| true).await;
        assert_eq!(fate::fates(self.pool()).await.len(), 1);
        fate
    }

    async fn fate(&self, which: impl Fn(&Fate) -> bool) -> Fate {
        let deadline = Instant::now() + LONG;
        loop {
            let found = fate::fates(self.pool()).await.into_iter().find(|fate| which(fate));
            match found {
                Some(fate) if fate.end.is_some() => return fate,
                _ => assert!(Instant::now() < deadline, "no end within {LONG:?}: {found:?}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn pool(&self) -> &sqlx::PgPool {
        self.app.state().database.pool()
    }

    /// Ends the test: everything has its one end, the balance went down by the charges and by
    /// nothing else, and the audit is clean.
    async fn close(self) {
        let fates = fate::all_ended(self.pool(), LONG).await;
        let charged = fate::sum(fates.iter().map(Fate::charge));
        self.app.caught_up().await;
        let balance = self.app.get("/v1/client/balance", &self.customer.token).await.expect(200);
        let left = Money::parse(balance["balance_usd"].as_str().expect("text")).expect("money");
        assert_eq!(left, Money::dollars(10).checked_sub(charged).expect("small amounts"));
        assert_eq!(balance["reserved_usd"], "0");
        self.app.audit().await;
    }
}

/// That a fate is a charge above zero with this source and outcome.
#[track_caller]
fn assert_charged(fate: &Fate, source: CostSource, outcome: Outcome) -> &ReservationSettled {
    let settled = fate.settled();
    assert_eq!((settled.source, settled.outcome), (source, outcome), "{settled:?}");
    assert!(settled.charge.is_positive(), "{settled:?}");
    assert!(settled.usage.total_tokens() > 0, "{settled:?}");
    settled
}

/// That a fate is a release.
#[track_caller]
fn assert_released(fate: &Fate) {
    assert!(matches!(fate.end, Some(End::Released(_))), "{fate:?}");
}
