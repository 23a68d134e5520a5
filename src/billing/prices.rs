//! The price book and the catalogue, in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::RwLock;
use sqlx::{PgPool, Row as _};
use tollgate_domain::PriceBook;
use tollgate_domain::decimal::Ratio;
use tollgate_domain::ids::AccountId;
use tollgate_domain::price_book::PRICE_BOOK;

use super::listing::for_sale;
use crate::ledger::{Ledger, LedgerError};
use crate::members::Members;
use crate::upstream::ModelInfo;

/// Prices and model limits as they are at one moment.
#[derive(Debug, Default)]
pub struct Prices {
    /// List prices and sale ratios.
    pub book: PriceBook,
    /// What bounds a request, by requested id.
    pub info: HashMap<String, ModelInfo>,
    /// The names that answers give to models, by requested id.
    answers: HashMap<String, String>,
    /// The upstream's listing of every model for sale, as JSON text, by requested id.
    pub listings: BTreeMap<String, String>,
    /// The answer of `GET /v1/models` at the default ratio: most clients ask for just that.
    pub catalogue: Bytes,
}

impl Prices {
    /// Which of the requested models has answered under this name; none: nobody can tell.
    ///
    /// Answers name the canonical slug, which entries at other prices share (`:batch`, aliases):
    /// of those that were asked for the first one counts.
    #[must_use]
    pub fn answered<'m>(
        &self,
        mut requested: impl Iterator<Item = &'m str> + Clone,
        name: &str,
    ) -> Option<&'m str> {
        let alias = |model: &&str| self.answers.get(*model).is_some_and(|slug| slug == name);
        requested.clone().find(|model| *model == name).or_else(|| requested.find(alias))
    }

    /// What the upstream calls a model.
    #[must_use]
    pub fn name(&self, model: &str) -> Option<String> {
        Members::read(self.listings.get(model)?).ok()?.text("name")
    }

    /// `GET /v1/embeddings/models`: those that make vectors.
    pub fn embeddings_catalogue(&self, ratio: impl Fn(&str) -> Option<Ratio>) -> String {
        let embeds = |model: &str| self.info.get(model).is_some_and(|info| info.embeddings);
        self.catalogue(|model| ratio(model).filter(|_| embeds(model)))
    }

    /// `GET /v1/models` with every price multiplied by the ratio that applies to a model.
    pub fn catalogue(&self, ratio: impl Fn(&str) -> Option<Ratio>) -> String {
        let mut text = String::with_capacity(self.listings.len() * 1_000);
        text.push_str("{\"object\":\"list\",\"data\":[");
        let mut count = 0;
        for (model, listing) in &self.listings {
            let Some(listing) = ratio(model).and_then(|ratio| for_sale(listing, ratio)) else {
                continue;
            };
            if count > 0 {
                text.push(',');
            }
            text.push_str(&listing);
            count += 1;
        }
        // Always one page: OpenRouter's SDKs refuse a list that does not say so.
        text.push_str(&format!("],\"total_count\":{count},\"links\":{{\"next\":null}}}}"));
        text
    }
}

/// The current prices; reading them is one reference count.
#[derive(Debug, Default, Clone)]
pub struct PriceList(Arc<Newest>);

#[derive(Debug, Default)]
struct Newest {
    prices: RwLock<Arc<Prices>>,
    /// Held by who reads them anew: one that began earlier must not end later, or old prices would
    /// replace newer ones.
    reading: tokio::sync::Mutex<()>,
}

impl PriceList {
    /// The prices now. A request keeps the ones that it began with.
    #[must_use]
    pub fn current(&self) -> Arc<Prices> {
        self.0.prices.read().clone()
    }

    /// Takes the newest state of the price book and of the catalogue.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn refresh(&self, ledger: &Ledger, pool: &PgPool) -> Result<(), LedgerError> {
        let _reading = self.0.reading.lock().await;
        let book = ledger.prices.peek(PRICE_BOOK, PriceBook::clone).await?;
        let rows = sqlx::query("SELECT model, listing::text FROM catalogue ORDER BY model")
            .fetch_all(pool)
            .await?;
        let mut prices = Prices { book, ..Prices::default() };
        let mut aliases = Vec::new();
        for row in &rows {
            let (model, json): (String, String) = (row.get(0), row.get(1));
            if let Some(listing) = crate::upstream::read_listing(&json) {
                prices.info.insert(model.clone(), listing.info);
                prices.answers.extend(listing.canonical_slug.map(|slug| (model.clone(), slug)));
                aliases.extend(listing.alias_of.map(|target| (model.clone(), target)));
            }
            if prices.book.find_card(&model).is_some() {
                prices.listings.insert(model, json);
            }
        }
        for (alias, target) in aliases {
            let slug = prices.answers.get(&target).cloned().unwrap_or(target);
            prices.answers.insert(alias, slug);
        }
        let nobody = AccountId::from_uuid(uuid::Uuid::nil());
        let catalogue = prices.catalogue(|model| prices.book.sale_ratio(nobody, None, model));
        prices.catalogue = catalogue.into();
        *self.0.prices.write() = Arc::new(prices);
        Ok(())
    }
}
