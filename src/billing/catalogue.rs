//! From the upstream's model list to the price book.

use std::collections::BTreeMap;

use sqlx::PgPool;
use tollgate_domain::price_book::{PRICE_BOOK, PriceBookCommand, PriceBookError};

use crate::ledger::{Actor, CommandContext, CommandError, Ledger};
use crate::upstream::{Listing, Upstream, UpstreamClient, UpstreamError};

/// Why prices could not be taken over.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The upstream gave no list.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// The price book refused.
    #[error(transparent)]
    Ledger(#[from] CommandError<PriceBookError>),
    /// The descriptions could not be kept.
    #[error("the catalogue cannot be written: {0}")]
    Database(#[from] sqlx::Error),
}

/// Takes the upstream's prices into the price book, where they differ from what it has, and keeps
/// its descriptions. Answers how many models are for sale.
///
/// # Errors
/// Each [`CatalogueError`]; the prices before stay in force then.
pub async fn publish_catalogue(
    client: &UpstreamClient,
    upstream: &Upstream,
    ledger: &Ledger,
    pool: &PgPool,
) -> Result<usize, CatalogueError> {
    let listings = client.load_models(upstream).await?;
    let mut models = BTreeMap::new();
    for listing in &listings {
        match &listing.card {
            Ok(card) => {
                models.insert(listing.model.clone(), card.clone());
            }
            Err(reason) => {
                tracing::info!(model = listing.model, %reason, "not for sale");
            }
        }
    }
    let count = models.len();
    keep_descriptions(pool, &listings).await?;
    let command = PriceBookCommand::PublishPrices { source: upstream.base_url.clone(), models };
    let by = CommandContext::by(Actor::System("price_sync"));
    ledger.prices.execute(PRICE_BOOK, command, &by, None).await?;
    Ok(count)
}

async fn keep_descriptions(pool: &PgPool, listings: &[Listing]) -> Result<(), sqlx::Error> {
    let models: Vec<&str> = listings.iter().map(|listing| listing.model.as_str()).collect();
    let texts: Vec<&str> = listings.iter().map(|listing| listing.json.as_str()).collect();
    sqlx::query(
        "INSERT INTO catalogue (model, listing)
         SELECT DISTINCT ON (model) model, listing::json
         FROM unnest($1::text[], $2::text[]) AS new (model, listing)
         ON CONFLICT (model) DO UPDATE SET listing = excluded.listing, updated_at = now()
         WHERE catalogue.listing::text <> excluded.listing::text",
    )
    .bind(&models)
    .bind(&texts)
    .execute(pool)
    .await?;
    sqlx::query("DELETE FROM catalogue WHERE model <> ALL ($1::text[])")
        .bind(&models)
        .execute(pool)
        .await?;
    Ok(())
}
