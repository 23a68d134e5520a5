//! Grants that expire, in every read model that tells of them.

mod support;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use tollgate_domain::account::AccountCommand as Command;
use tollgate_domain::ids::GrantId;
use tollgate_projections::queries::{
    PageRequest, Range, balance, due_grants, statement, top_ups, trial_balance,
};

use support::ledger::{Ledger, NOON, usd};
use support::{Database, assert_clean, project};

fn dec(text: &str) -> Decimal {
    Decimal::from_str_exact(text).expect("a decimal")
}

fn time(seconds: i64) -> DateTime<Utc> {
    let at = NOON.plus_seconds(seconds);
    DateTime::from_timestamp_micros(at.micros()).expect("a moment")
}

#[tokio::test]
async fn an_expired_grant_goes_back_by_what_is_unspent_of_it() {
    let database = Database::new().await;
    let mut ledger = Ledger::new(&database.pool);
    let (account, key) = ledger.open("10.00");
    let master = ledger.buy("100.00", "30.00");
    let grant = GrantId::from_uuid(ledger.uuid());
    let (amount, reason, expires_at) = (usd("5"), String::new(), Some(NOON.plus_seconds(60)));
    ledger.account(account, Command::GrantFunds { grant, amount, reason, expires_at });
    let settled = ledger.reserve(account, key, "2.50");
    ledger.settle(account, settled, master, "1.00");
    ledger.flush().await;
    project(&database.pool).await;
    let pool = &database.pool;
    let due = |seconds| due_grants(pool, time(seconds), 10);
    assert!(due(59).await.expect("an answer").data.is_empty());
    let found = due(60).await.expect("an answer").data;
    assert_eq!((found.len(), &found[0].account_id), (1, &account.to_string()));

    ledger.now = NOON.plus_seconds(61);
    ledger.account(account, Command::ExpireGrant { grant, at: ledger.now });
    ledger.flush().await;
    project(pool).await;
    assert!(due(3_600).await.expect("an answer").data.is_empty(), "it is over");
    let shown = balance(pool, account).await.expect("an answer").data.expect("known");
    // 10 + 5 − 1.00 × 0.8 − the 4.20 that are unspent
    assert_eq!((shown.balance, shown.granted, shown.expired), (dec("10"), dec("5"), dec("4.2")));
    let page = PageRequest::default();
    let moves = top_ups(pool, Some(account), &page).await.expect("an answer").items;
    assert_eq!((moves[0].kind.as_str(), moves[0].amount), ("grant_expired", dec("-4.2")));
    assert_eq!(moves[1].expires_at, Some(time(60)));
    let books = trial_balance(pool, false).await.expect("an answer").data;
    assert_eq!(books.debit, books.credit);
    let grants = books.accounts.iter().find(|row| row.ledger_account == "expenses:grants");
    assert_eq!(grants.map(|row| row.balance), Some(dec("0.8")), "what the gift really cost");

    let range = Range { from: time(0), to: time(3_600) };
    let shown = statement(pool, account, range, 10).await.expect("an answer").data;
    let sums = shown.sums;
    assert_eq!((sums.opening, sums.closing), (dec("0"), dec("10")));
    assert_eq!((shown.moves.len(), shown.models.len()), (3, 1));
    assert_eq!((sums.granted, sums.expired, sums.charged), (dec("5"), dec("4.2"), dec("0.8")));
    let later = Range { from: time(3_600), to: time(7_200) };
    let sums = statement(pool, account, later, 10).await.expect("an answer").data.sums;
    assert_eq!((sums.opening, sums.closing, sums.requests), (dec("10"), dec("10"), 0));
    assert_clean(pool).await;
}
