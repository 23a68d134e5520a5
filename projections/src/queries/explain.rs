//! One request with everything that its charge follows from: the events that make it, and the
//! prices that were in force when it began.

use chrono::{DateTime, Utc};
use sqlx::{PgPool, query, query_scalar};
use tollgate_domain::PriceBookEvent;
use tollgate_domain::ids::AccountId;
use tollgate_domain::ledger_event::LedgerEvent;
use tollgate_domain::pricing::PriceCard;

use super::events::{EVENT, StoredEvent, events_at};
use super::page::{AsOf, QueryError, as_of, as_of_head, fetch};
use super::requests::{REQUEST, Request};

/// A reservation is looked for among so many events before its end: more come between the two only
/// where an account has thousands of requests a second.
const FAR: i64 = 200_000;

/// A request and what explains it.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// How it ended.
    pub end: Request,
    /// What replaced that later, oldest first.
    pub later: Vec<Request>,
    /// Its events in their order: reserved, ended, corrected.
    pub events: Vec<StoredEvent>,
    /// What the list asked when it began, for the model that answered.
    pub prices: Option<Priced>,
}

/// A price that was in force.
#[derive(Debug, Clone, PartialEq)]
pub struct Priced {
    /// The position of the event that set it.
    pub position: i64,
    /// When that was.
    pub at: DateTime<Utc>,
    /// The list prices.
    pub card: PriceCard,
}

impl Explained {
    /// The newest word on it.
    #[must_use]
    pub fn last(&self) -> &Request {
        self.later.last().unwrap_or(&self.end)
    }
}

/// One request by its id (`req_…`) or its reservation's (`rsv_…`); of one account, if it is given.
///
/// # Errors
/// The database's; [`QueryError::Event`] where its price cannot be read.
pub async fn explain(
    pool: &PgPool,
    account: Option<AccountId>,
    id: &str,
) -> Result<AsOf<Option<Explained>>, QueryError> {
    let wanted = match id.starts_with("rsv_") {
        true => "reservation_id = $1",
        false => {
            "reservation_id = (SELECT f.reservation_id FROM read.requests f \
               WHERE f.request_id = $1 ORDER BY f.position LIMIT 1)"
        }
    };
    let rows = format!(
        "{REQUEST} WHERE {wanted} AND ($2::text IS NULL OR account_id = $2) \
         ORDER BY position LIMIT 20"
    );
    let sql = as_of(&["requests"], &rows, "r.position");
    let found = query(&sql).bind(id).bind(account.map(|account| account.to_string()));
    let AsOf { as_of_position, data } = fetch::<Request>(pool, found).await?;
    let mut rows = data.into_iter();
    let Some(end) = rows.next() else { return Ok(AsOf { as_of_position, data: None }) };
    let later: Vec<Request> = rows.collect();
    let positions: Vec<i64> =
        std::iter::once(&end).chain(&later).map(|request| request.position).collect();
    let mut events = events_at(pool, &positions).await?;
    if let Some(reserved) = reserved(pool, &end, events.first()).await? {
        events.insert(0, reserved);
    }
    let prices = prices(pool, &end).await?;
    Ok(AsOf { as_of_position, data: Some(Explained { end, later, events, prices }) })
}

/// The event that set the money aside, before the one that ended it.
async fn reserved(
    pool: &PgPool,
    request: &Request,
    ended: Option<&StoredEvent>,
) -> Result<Option<StoredEvent>, QueryError> {
    let Some(ended) = ended else { return Ok(None) };
    let rows = format!(
        "{EVENT} WHERE e.aggregate_type = 'account' AND e.aggregate_id = $1 \
           AND e.sequence < $2 AND e.sequence >= $3 AND e.event_type = 'FundsReserved' \
           AND e.payload -> 'FundsReserved' ->> 'reservation' = $4 \
         ORDER BY e.sequence DESC LIMIT 1"
    );
    let sql = as_of_head(&rows, "1");
    let query = query(&sql)
        .bind(&request.account_id)
        .bind(ended.sequence)
        .bind(ended.sequence.saturating_sub(FAR))
        .bind(&request.reservation_id);
    Ok(fetch(pool, query).await?.data.into_iter().next())
}

/// The newest price of the model in the version of the list that the request was priced with.
async fn prices(pool: &PgPool, request: &Request) -> Result<Option<Priced>, QueryError> {
    let Some(version) = request.price_version else { return Ok(None) };
    let model = request.answered_model.as_ref().unwrap_or(&request.model);
    let position: Option<i64> = query_scalar(
        "SELECT position FROM read.price_changes WHERE subject = $1 AND kind = 'model_priced' \
           AND position < (SELECT min(position) FROM read.price_changes \
                           WHERE kind = 'prices_published' AND price_version = $2) \
         ORDER BY position DESC LIMIT 1",
    )
    .bind(model)
    .bind(version)
    .fetch_optional(pool)
    .await?;
    let Some(position) = position else { return Ok(None) };
    let Some(event) = events_at(pool, &[position]).await?.into_iter().next() else {
        return Ok(None);
    };
    let priced = match event.decode()? {
        LedgerEvent::PriceBook(PriceBookEvent::ModelPriced { card, .. }) => *card,
        LedgerEvent::PriceBook(_) | LedgerEvent::Account(_) | LedgerEvent::MasterAccount(_) => {
            return Ok(None);
        }
    };
    Ok(Some(Priced { position, at: event.recorded_at, card: priced }))
}
