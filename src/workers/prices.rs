//! Keeps prices and master accounts current.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tollgate_domain::price_book::PRICE_BOOK;

use crate::billing::publish_catalogue;
use crate::http::Changes;
use crate::identity::UpstreamKeys;
use crate::proxy::Gateway;

/// How often the upstream is asked for its prices.
const SYNC: Duration = Duration::from_secs(600);
/// How soon it is asked again after it failed.
const RETRY: Duration = Duration::from_secs(10);
/// How often this node looks for what other nodes have changed.
const LOOK: Duration = Duration::from_secs(2);

/// Takes over what changes, until `stop`: the upstream's prices, and what operators do here
/// (`changed`) or on other nodes. `ready` is told once prices and accounts are there.
pub async fn keep_current(
    gateway: Arc<Gateway>,
    pool: PgPool,
    keys: UpstreamKeys,
    changed: Changes,
    ready: Arc<Notify>,
    stop: CancellationToken,
) {
    let mut sync_at = Instant::now();
    loop {
        refresh(&gateway, &pool, &keys).await;
        if Instant::now() >= sync_at {
            sync_at = Instant::now() + sync(&gateway, &pool).await;
            refresh(&gateway, &pool, &keys).await;
        }
        ready.notify_one();
        tokio::select! {
            () = stop.cancelled() => return,
            () = changed.master_accounts.notified() => {}
            () = changed.prices.notified() => {}
            () = tokio::time::sleep(LOOK) => {
                if !changed_elsewhere(&gateway, &keys).await && Instant::now() < sync_at {
                    continue;
                }
            }
        }
    }
}

async fn refresh(gateway: &Gateway, pool: &PgPool, keys: &UpstreamKeys) {
    let ledger = &gateway.books().ledger;
    if let Err(error) = gateway.masters().refresh(ledger, keys).await {
        tracing::error!(%error, "master accounts cannot be read");
    }
    if let Err(error) = gateway.prices().refresh(ledger, pool).await {
        tracing::error!(%error, "prices cannot be read");
    }
}

/// Asks the upstream; answers when to ask again.
async fn sync(gateway: &Gateway, pool: &PgPool) -> Duration {
    let Some(upstream) = gateway.masters().pick() else {
        tracing::warn!("no master account is enabled: nothing can be sold");
        return RETRY;
    };
    let ledger = &gateway.books().ledger;
    match publish_catalogue(gateway.client(), &upstream, ledger, pool).await {
        Ok(models) => {
            tracing::info!(models, "the upstream's prices are in the price book");
            SYNC
        }
        Err(error) => {
            tracing::warn!(%error, "prices could not be taken from the upstream, trying again");
            RETRY
        }
    }
}

async fn changed_elsewhere(gateway: &Gateway, keys: &UpstreamKeys) -> bool {
    let ledger = &gateway.books().ledger;
    let mut changed = ledger.prices.freshen(PRICE_BOOK).await.unwrap_or(false);
    let known = gateway.masters().known();
    // One that was registered elsewhere is known by its key.
    changed |= keys.owners().await.is_ok_and(|owners| owners != known);
    for id in known {
        changed |= ledger.master_accounts.freshen(&id.to_string()).await.unwrap_or(false);
    }
    changed
}
