//! What is read from the database when somebody asks for the figures.

use std::time::Duration;

use prometheus::{Gauge, GaugeVec, Opts};
use sqlx::{PgPool, Row as _};

use super::make::{Maker, WELL_FORMED, gauge};
use crate::database::health::{self, DatabaseHealth};

/// A database that takes longer than this is away; Prometheus waits for ten seconds.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the database says.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The newest position of the log.
    pub head: i64,
    /// The read models and their positions.
    pub positions: Vec<(String, i64)>,
    /// The age of the oldest event that is not in every read model.
    pub lag_seconds: f64,
    /// Open reservations of all nodes.
    pub open: i64,
    /// The age of the oldest.
    pub oldest_seconds: f64,
    /// Those whose time is over.
    pub overdue: i64,
    /// Mails that wait.
    pub mails: i64,
    /// Debits less credits, in dollars.
    pub imbalance: f64,
    /// Whether it keeps what it acknowledges; nothing where it did not say.
    pub protected: Option<bool>,
}

impl Found {
    /// Reads everything; nothing if the database is away.
    pub async fn read(pool: &PgPool) -> Option<Self> {
        let read = async { Ok::<_, sqlx::Error>((read(pool).await?, health::check(pool).await)) };
        match tokio::time::timeout(PATIENCE, read).await {
            Ok(Ok((found, health))) => {
                Some(Self { protected: health.as_ref().map(is_protected), ..found })
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "figures could not be read from the database");
                None
            }
            Err(_) => None,
        }
    }
}

fn is_protected(health: &DatabaseHealth) -> bool {
    let durable = health.durability.fsync && health.durability.full_page_writes;
    durable && health.append_only_trigger && health.append_only_rights
}

async fn read(pool: &PgPool) -> Result<Found, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    let row = sqlx::query(
        "SELECT h.position, o.open, o.oldest, o.overdue, m.waiting, b.imbalance,
                coalesce(extract(epoch FROM clock_timestamp() - e.recorded_at), 0)::float8
         FROM ledger_head h
         CROSS JOIN (SELECT count(*) AS open,
                            count(*) FILTER (WHERE expires_at < now()) AS overdue,
                            coalesce(extract(epoch FROM now() - min(reserved_at)), 0)::float8
                                AS oldest
                     FROM read.open_reservations) o
         CROSS JOIN (SELECT count(*) AS waiting FROM mails WHERE state = 'queued') m
         CROSS JOIN (SELECT coalesce(sum(debit - credit), 0)::float8 AS imbalance
                     FROM read.trial_balance) b
         LEFT JOIN events e ON e.position = (
             SELECT min(position) + 1 FROM projection_checkpoints WHERE copy = 'live')",
    )
    .fetch_one(&mut *connection)
    .await?;
    let positions =
        sqlx::query_as("SELECT name, position FROM projection_checkpoints WHERE copy = 'live'");
    Ok(Found {
        head: row.try_get(0)?,
        open: row.try_get(1)?,
        oldest_seconds: row.try_get::<f64, _>(2)?.max(0.0),
        overdue: row.try_get(3)?,
        mails: row.try_get(4)?,
        imbalance: row.try_get(5)?,
        lag_seconds: row.try_get::<f64, _>(6)?.max(0.0),
        positions: positions.fetch_all(&mut *connection).await?,
        protected: None,
    })
}

fn float(make: &Maker, name: &str, help: &str, value: f64) {
    let gauge = Gauge::new(name, help).expect(WELL_FORMED);
    gauge.set(value);
    make.keep(gauge);
}

fn by_projection(
    make: &Maker,
    name: &str,
    help: &str,
    values: impl Iterator<Item = (String, f64)>,
) {
    let vector = GaugeVec::new(Opts::new(name, help), &["projection"]).expect(WELL_FORMED);
    for (projection, value) in values {
        vector.with_label_values(&[&projection]).set(value);
    }
    make.keep(vector);
}

/// As gauges. All nodes on one database show the same.
pub(super) fn show(make: &Maker, found: Option<&Found>) {
    let whole = |name, help, value| {
        let gauge = gauge(name, help);
        gauge.set(value);
        make.keep(gauge);
    };
    let up = "Whether the database answered when these figures were read.";
    whole("tollgate_database_up", up, i64::from(found.is_some()));
    let Some(found) = found else { return };
    if let Some(protected) = found.protected {
        whole(
            "tollgate_history_protected",
            "1 while the database keeps what it acknowledges and refuses to rewrite the log.",
            i64::from(protected),
        );
    }
    let open = "Open reservations of all nodes, as the read model knows them.";
    whole("tollgate_reservations_open", open, found.open);
    let overdue = "Open reservations whose time is over; recovery ends them.";
    whole("tollgate_reservations_overdue", overdue, found.overdue);
    let mails = "Mails that wait to be sent, or for an admin where SMTP is not configured.";
    whole("tollgate_mails_waiting", mails, found.mails);
    float(
        make,
        "tollgate_reservations_oldest_age_seconds",
        "Age of the oldest open reservation; 0 where there is none.",
        found.oldest_seconds,
    );
    float(
        make,
        "tollgate_projection_lag_seconds",
        "Age of the oldest event that is not in every read model; 0 where there is none.",
        found.lag_seconds,
    );
    float(
        make,
        "tollgate_trial_balance_difference_dollars",
        "Debits less credits of the whole journal, computed exactly: anything but 0 is an error.",
        found.imbalance,
    );
    let places = found.positions.iter();
    by_projection(
        make,
        "tollgate_projection_position",
        "The position of the log that a read model has reached.",
        places.clone().map(|(name, position)| (name.clone(), *position as f64)),
    );
    by_projection(
        make,
        "tollgate_projection_lag_events",
        "Events that are not in a read model yet.",
        places.map(|(name, position)| (name.clone(), (found.head - position).max(0) as f64)),
    );
}
