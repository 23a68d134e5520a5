//! The requests of one customer, one row each, whatever came after their end.

use chrono::{DateTime, Utc};
use sqlx::{PgPool, query, query_scalar};
use tollgate_domain::ids::{AccountId, KeyId};

use super::page::{AsOf, Page, PageRequest, QueryError, as_of, fetch};
use super::requests::Request;

/// Which requests; empty members filter nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestSearch {
    /// Ended from here on.
    pub from: Option<DateTime<Utc>>,
    /// Ended before this.
    pub to: Option<DateTime<Utc>>,
    /// That asked for this model.
    pub model: Option<String>,
    /// That came with this key.
    pub key: Option<KeyId>,
    /// As they are now.
    pub state: Option<String>,
    /// How they ended.
    pub outcome: Option<String>,
    /// A request, a reservation or a generation by its id; else a part of the model's name.
    pub text: Option<String>,
}

/// Where a request was corrected the newest figures, in the place of its end.
const FIGURES: &str = "SELECT r.position, r.reservation_id, r.account_id, r.key_id, r.model, \
    COALESCE(l.state, r.state) AS state, r.outcome, r.ended_at, r.reserved, \
    COALESCE(l.prompt_tokens, r.prompt_tokens) AS prompt_tokens, \
    COALESCE(l.completion_tokens, r.completion_tokens) AS completion_tokens, \
    COALESCE(l.cached_tokens, r.cached_tokens) AS cached_tokens, \
    COALESCE(l.reasoning_tokens, r.reasoning_tokens) AS reasoning_tokens, \
    COALESCE(l.usage, r.usage) AS usage, COALESCE(l.list_cost, r.list_cost) AS list_cost, \
    r.computed_list_cost, COALESCE(l.source, r.source) AS source, \
    COALESCE(l.sale_ratio, r.sale_ratio) AS sale_ratio, COALESCE(l.charge, r.charge) AS charge, \
    COALESCE(l.cost_rate, r.cost_rate) AS cost_rate, COALESCE(l.cost, r.cost) AS cost, \
    r.price_version, COALESCE(l.master_account_id, r.master_account_id) AS master_account_id, \
    COALESCE(l.generation_id, r.generation_id) AS generation_id, r.streamed, r.first_byte_ms, \
    r.total_ms, COALESCE(r.mishap, l.mishap) AS mishap, \
    COALESCE(l.treatment, r.treatment) AS treatment, \
    COALESCE(l.policy_version, r.policy_version) AS policy_version, \
    CASE WHEN l.waived_list_cost IS NULL THEN r.waived_list_cost \
         ELSE l.waived_list_cost + COALESCE(r.waived_list_cost, 0) END AS waived_list_cost, \
    CASE WHEN l.waived IS NULL THEN r.waived \
         ELSE l.waived + COALESCE(r.waived, 0) END AS waived, \
    l.charge_before, COALESCE(l.answered_model, r.answered_model) AS answered_model, \
    r.request_id, r.actor";

/// Rows of ends with what replaced them, both up to position `$3`.
const ENDS: &str = "FROM read.requests r LEFT JOIN LATERAL (SELECT * FROM read.requests n \
      WHERE n.reservation_id = r.reservation_id AND n.position > r.position AND n.position <= $3 \
        AND n.state IN ('corrected', 'billed_late') \
      ORDER BY n.position DESC LIMIT 1) l ON true \
    WHERE r.account_id = $1 AND r.position < $2 AND r.position <= $3 \
      AND r.state IN ('settled', 'released', 'expired') \
      AND ($5::timestamptz IS NULL OR r.ended_at >= $5) \
      AND ($6::timestamptz IS NULL OR r.ended_at < $6)";

/// As many parameters stand before those of the search.
const FIXED: usize = 6;

/// What a search asks for besides its times: conditions, and the values of their parameters.
///
/// Only what is asked for stands in the statement. Were the rest there as "or it is null", one plan
/// would have to serve every search, and an id would be looked for in all rows of the account.
#[derive(Default)]
struct Asked {
    conditions: String,
    values: Vec<String>,
}

impl Asked {
    fn of(search: &RequestSearch) -> Self {
        let mut asked = Self::default();
        asked.add("r.model = ?", search.model.clone());
        asked.add("r.key_id = ?", search.key.map(|key| key.to_string()));
        asked.add("r.outcome = ?", search.outcome.clone());
        asked.state(search.state.clone());
        asked.text(search.text.as_deref());
        asked
    }

    /// Adds a condition on one value, which stands for each `?` of it.
    fn add(&mut self, condition: &str, value: Option<String>) {
        let Some(value) = value else { return };
        self.values.push(value);
        let parameter = format!("${}", FIXED + self.values.len());
        self.conditions += " AND ";
        self.conditions += &condition.replace('?', &parameter);
    }

    fn state(&mut self, state: Option<String>) {
        match state.as_deref() {
            // Few rows replace another one, and an index has only those.
            Some("corrected" | "billed_late") => self.add(
                "l.state = ? AND r.reservation_id IN (SELECT n.reservation_id \
                   FROM read.requests n WHERE n.account_id = $1 AND n.state = ? \
                     AND n.state IN ('corrected', 'billed_late'))",
                state,
            ),
            Some(_) | None => self.add("r.state = ? AND l.state IS NULL", state),
        }
    }

    /// A text is an id by its beginning, else a part of the model's name.
    fn text(&mut self, text: Option<&str>) {
        let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return };
        match text.split(['_', '-']).next() {
            Some("req") => self.add("r.request_id = ?", Some(text.to_owned())),
            Some("rsv") => self.add("r.reservation_id = ?", Some(text.to_owned())),
            Some("gen") => self.add("r.generation_id = ?", Some(text.to_owned())),
            Some(_) | None => self.add("r.model ILIKE ?", Some(part(text))),
        }
    }
}

/// The pattern of whatever contains a text.
fn part(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

macro_rules! bound {
    ($query:expr, $account:expr, $before:expr, $until:expr, $most:expr,
     $search:expr, $asked:expr) => {{
        let fixed = $query
            .bind($account.to_string())
            .bind($before)
            .bind($until)
            .bind($most)
            .bind($search.from)
            .bind($search.to);
        $asked.values.into_iter().fold(fixed, |query, value| query.bind(value))
    }};
}

/// The requests of an account that pass the search, newest first: `before` this position and none
/// that ended after `until`, at most `most`.
///
/// # Errors
/// The database's.
pub async fn request_rows(
    pool: &PgPool,
    account: AccountId,
    search: &RequestSearch,
    before: i64,
    until: i64,
    most: i64,
) -> Result<AsOf<Vec<Request>>, QueryError> {
    let asked = Asked::of(search);
    let rows = format!("{FIGURES} {ENDS}{} ORDER BY r.position DESC LIMIT $4", asked.conditions);
    let sql = as_of(&["requests"], &rows, "r.position DESC");
    fetch(pool, bound!(query(&sql), account, before, until, most, search, asked)).await
}

/// A page of the requests of an account that pass the search, newest first.
///
/// # Errors
/// [`QueryError::InvalidCursor`], the database's.
pub async fn search_requests(
    pool: &PgPool,
    account: AccountId,
    search: &RequestSearch,
    page: &PageRequest,
) -> Result<Page<Request>, QueryError> {
    let before = page.before()?;
    let found = request_rows(pool, account, search, before, i64::MAX, page.rows()).await?;
    Ok(page.page(found, |request: &Request| request.position.to_string()))
}

/// How many requests pass the search; counts no further than `most`.
///
/// # Errors
/// The database's.
pub async fn count_requests(
    pool: &PgPool,
    account: AccountId,
    search: &RequestSearch,
    until: i64,
    most: i64,
) -> Result<i64, QueryError> {
    let asked = Asked::of(search);
    let sql =
        format!("SELECT count(*) FROM (SELECT 1 {ENDS}{} LIMIT $4) counted", asked.conditions);
    let counted = bound!(query_scalar(&sql), account, i64::MAX, until, most, search, asked);
    Ok(counted.fetch_one(pool).await?)
}
