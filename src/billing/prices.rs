//! The price book and the catalogue, in memory.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use sqlx::{PgPool, Row as _};
use tollgate_domain::PriceBook;
use tollgate_domain::price_book::PRICE_BOOK;

use crate::ledger::{Ledger, LedgerError};
use crate::upstream::ModelInfo;

/// Prices and model limits as they are at one moment.
#[derive(Debug, Default)]
pub struct Prices {
    /// List prices and sale ratios.
    pub book: PriceBook,
    /// What bounds a request, by requested id.
    pub info: HashMap<String, ModelInfo>,
    /// The upstream's listing of every model, as JSON text, by requested id.
    pub listings: Vec<(String, String)>,
}

/// The current prices; reading them is one reference count.
#[derive(Debug, Default, Clone)]
pub struct PriceList(Arc<RwLock<Arc<Prices>>>);

impl PriceList {
    /// The prices now. A request keeps the ones that it began with.
    #[must_use]
    pub fn current(&self) -> Arc<Prices> {
        self.0.read().clone()
    }

    /// Takes the newest state of the price book and of the catalogue.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn refresh(&self, ledger: &Ledger, pool: &PgPool) -> Result<(), LedgerError> {
        let book = ledger.prices.peek(PRICE_BOOK, PriceBook::clone).await?;
        let rows = sqlx::query("SELECT model, listing::text FROM catalogue ORDER BY model")
            .fetch_all(pool)
            .await?;
        let mut prices = Prices { book, ..Prices::default() };
        for row in &rows {
            let (model, json): (String, String) = (row.get(0), row.get(1));
            if let Some(listing) = crate::upstream::read_listing(&json) {
                prices.info.insert(model.clone(), listing.info);
            }
            prices.listings.push((model, json));
        }
        *self.0.write() = Arc::new(prices);
        Ok(())
    }
}
