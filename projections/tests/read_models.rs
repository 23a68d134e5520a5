//! What the read models show, checked against numbers worked out by hand.

mod support;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use support::ledger::{Ledger, NOON, usd};
use support::{Database, Running, assert_clean, project};
use tollgate_domain::Timestamp;
use tollgate_domain::account::{AccountCommand as Command, ReleaseReason};
use tollgate_domain::ids::{AdjustmentId, GrantId, RefundId, TopUpId};
use tollgate_projections::queries::{
    OpenFilter, PageRequest, ProfitGroup, QueryError, Range, RequestFilter, accounts, balance,
    by_model, daily, keys, master_accounts, open_reservations, profit, recent_requests, requests,
    stats, top_ups, totals, trial_balance,
};
use tollgate_projections::{NotYet, lag};

fn dec(text: &str) -> Decimal {
    Decimal::from_str_exact(text).expect("a decimal")
}

fn time(at: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.micros()).expect("a moment")
}

fn day() -> Range {
    Range { from: time(NOON) - TimeDelta::hours(12), to: time(NOON) + TimeDelta::hours(12) }
}

#[tokio::test]
async fn balances_follow_every_kind_of_event() {
    let database = Database::new().await;
    let mut ledger = Ledger::new(&database.pool);
    let (account, key) = ledger.open("10.00");
    let master = ledger.buy("100.00", "30.00");
    let settled = ledger.reserve(account, key, "2.50");
    ledger.settle(account, settled, master, "0.010");
    let released = ledger.reserve(account, key, "1.00");
    let reason = ReleaseReason::UpstreamError;
    ledger.account(account, Command::ReleaseReservation { reservation: released, reason });
    ledger.reserve(account, key, "0.25");
    let grant = GrantId::from_uuid(ledger.uuid());
    let (amount, reason, expires_at) = (usd("1.5"), "hi".to_owned(), None);
    ledger.account(account, Command::GrantFunds { grant, amount, reason, expires_at });
    let adjustment = AdjustmentId::from_uuid(ledger.uuid());
    let (reason, reference) = ("wrong".to_owned(), "ticket 1".to_owned());
    let amount = usd("-0.5");
    ledger.account(account, Command::PostAdjustment { adjustment, amount, reason, reference });
    let head = ledger.flush().await;
    project(&database.pool).await;

    let found = balance(&database.pool, account).await.expect("an answer");
    assert_eq!(found.as_of_position, head);
    let shown = found.data.expect("the account is known");
    // 10 + 1.5 − 0.5 − 0.010 × 0.8
    assert_eq!(shown.balance, dec("10.992"));
    assert_eq!(shown.reserved, dec("0.25"));
    assert_eq!(shown.available, dec("10.742"));
    assert_eq!((shown.topped_up, shown.granted), (dec("10"), dec("1.5")));
    assert_eq!((shown.adjusted, shown.spent), (dec("-0.5"), dec("0.008")));
    assert_eq!((shown.requests, shown.status.as_str()), (1, "active"));

    let page = PageRequest::default();
    let shown = keys(&database.pool, account, &page).await.expect("an answer").items.remove(0);
    assert_eq!((shown.requests, shown.tokens, shown.charge), (1, 125, dec("0.008")));
    assert_eq!(shown.reserved, dec("0.25"));

    let moves = top_ups(&database.pool, Some(account), &page).await.expect("an answer").items;
    let kinds: Vec<_> = moves.iter().map(|m| (m.kind.as_str(), m.amount.to_string())).collect();
    let expected = [("adjustment", "-0.5"), ("grant", "1.5"), ("top_up", "10")];
    assert_eq!(kinds, expected.map(|(kind, amount)| (kind, amount.to_owned())));

    let open = open_reservations(&database.pool, &OpenFilter::default(), &page).await;
    let open = open.expect("an answer").items;
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].amount, open[0].node.as_str()), (dec("0.25"), "node-1"));
    let elsewhere =
        OpenFilter { not_nodes: Some(vec!["node-1".to_owned()]), ..OpenFilter::default() };
    let open = open_reservations(&database.pool, &elsewhere, &page).await.expect("an answer");
    assert!(open.items.is_empty());
    assert_clean(&database.pool).await;
}

#[tokio::test]
async fn the_seed_example_is_in_every_report() {
    let database = Database::new().await;
    let mut ledger = Ledger::new(&database.pool);
    let (account, key) = ledger.open("10.00");
    let master = ledger.buy("100.00", "30.00");
    let settled = ledger.reserve(account, key, "2.50");
    ledger.settle(account, settled, master, "0.010");
    let released = ledger.reserve(account, key, "1.00");
    let reason = ReleaseReason::NothingBilled;
    ledger.account(account, Command::ReleaseReservation { reservation: released, reason });
    ledger.flush().await;
    project(&database.pool).await;
    let pool = &database.pool;

    let page = PageRequest::default();
    let recent = recent_requests(pool, account, &RequestFilter::default(), &page).await;
    let recent = recent.expect("an answer").items;
    assert_eq!(recent.len(), 2);
    assert_eq!(
        (recent[0].state.as_str(), recent[0].outcome.as_str()),
        ("released", "nothing_billed")
    );
    assert_eq!((recent[0].charge, recent[0].reserved), (None, dec("1")));
    assert_eq!((recent[1].list_cost, recent[1].charge), (Some(dec("0.01")), Some(dec("0.008"))));
    assert_eq!((recent[1].cost, recent[1].cached_tokens), (Some(dec("0.003")), Some(10)));

    let used = totals(pool, account, day()).await.expect("an answer").data;
    assert_eq!((used.requests, used.unbilled), (1, 1));
    assert_eq!((used.prompt_tokens, used.completion_tokens), (100, 25));
    assert_eq!((used.list_cost, used.charge), (dec("0.01"), dec("0.008")));
    let days = daily(pool, account, day()).await.expect("an answer").data;
    assert_eq!((days.len(), days[0].day.to_string().as_str()), (1, "2026-08-08"));
    let models = by_model(pool, account, day()).await.expect("an answer").data;
    assert_eq!(models[0].usage, used);

    for group in
        [ProfitGroup::Day, ProfitGroup::Model, ProfitGroup::Account, ProfitGroup::MasterAccount]
    {
        let lines = profit(pool, day(), group).await.expect("an answer").data;
        assert_eq!(lines.len(), 1, "{group:?}");
        assert_eq!((lines[0].charge, lines[0].cost), (dec("0.008"), dec("0.003")), "{group:?}");
        assert_eq!(lines[0].margin, dec("0.005"), "{group:?}");
    }
    let masters = master_accounts(pool, &page).await.expect("an answer").items;
    assert_eq!((masters[0].remaining, masters[0].cost), (dec("99.99"), dec("0.003")));
    let business = stats(pool, time(NOON).date_naive()).await.expect("an answer").data;
    let business = business.expect("one row");
    assert_eq!((business.accounts, business.requests_today), (1, 1));
    assert_eq!((business.margin, business.margin_today), (dec("0.005"), dec("0.005")));
    assert_eq!((business.reserved, business.open_reservations), (dec("0"), 0));

    let books = trial_balance(pool, false).await.expect("an answer").data;
    assert_eq!(books.debit, books.credit);
    let line = |name: &str| {
        let line = books.accounts.iter().find(|row| row.ledger_account == name);
        line.map(|row| row.balance.to_string())
    };
    assert_eq!(line("income:usage").as_deref(), Some("-0.008"));
    assert_eq!(line("expenses:upstream").as_deref(), Some("0.003"));
    assert_eq!(line("liabilities:customers").as_deref(), Some("-9.992"));
    assert_clean(pool).await;
}

#[tokio::test]
async fn list_costs_keep_all_their_decimals() {
    let database = Database::new().await;
    let mut ledger = Ledger::new(&database.pool);
    let (account, key) = ledger.open("10.00");
    let master = ledger.buy("100.00", "30.00");
    for list in ["0.0000000000000000000001", "1.5"] {
        let reservation = ledger.reserve(account, key, "2.50");
        ledger.settle(account, reservation, master, list);
    }
    ledger.flush().await;
    project(&database.pool).await;
    let sum: String = sqlx::query_scalar("SELECT list_cost::text FROM read.master_balances")
        .fetch_one(&database.pool)
        .await
        .expect("a row");
    assert_eq!(sum, "1.5000000000000000000001");
    assert_clean(&database.pool).await;
}

#[tokio::test]
async fn pages_follow_one_another_without_gaps_or_repeats() {
    let database = Database::new().await;
    let mut ledger = Ledger::new(&database.pool);
    let master = ledger.buy("100.00", "30.00");
    let opened: Vec<_> = (0..5).map(|_| ledger.open("10.00")).collect();
    for (account, key) in opened.iter().cycle().take(23) {
        let reservation = ledger.reserve(*account, *key, "0.10");
        ledger.settle(*account, reservation, master, "0.010");
    }
    ledger.flush().await;
    project(&database.pool).await;
    let pool = &database.pool;

    let (mut cursor, mut positions) = (None, vec![]);
    loop {
        let page = PageRequest::new(cursor, Some(4)).expect("a page");
        let found = requests(pool, &RequestFilter::default(), &page).await.expect("an answer");
        positions.extend(found.items.iter().map(|request| request.position));
        cursor = found.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(positions.len(), 23);
    assert!(positions.is_sorted_by(|newer, older| newer > older));

    let first = PageRequest::new(None, Some(3)).expect("a page");
    let found = accounts(pool, &first).await.expect("an answer");
    let second = PageRequest::new(found.next_cursor, Some(3)).expect("a page");
    let rest = accounts(pool, &second).await.expect("an answer");
    assert_eq!((found.items.len(), rest.items.len(), rest.next_cursor), (3, 2, None));

    assert!(matches!(PageRequest::new(None, Some(201)), Err(QueryError::InvalidLimit)));
    assert!(matches!(PageRequest::new(None, Some(0)), Err(QueryError::InvalidLimit)));
    let foreign = PageRequest::new(Some("acct_1".to_owned()), None).expect("a page");
    let refused = requests(pool, &RequestFilter::default(), &foreign).await;
    assert!(matches!(refused, Err(QueryError::InvalidCursor)));
    assert_clean(pool).await;
}

#[tokio::test]
async fn a_reader_waits_for_its_own_write_and_no_longer_than_it_says() {
    let database = Database::new().await;
    let mut ledger = Ledger::new(&database.pool);
    let (account, _) = ledger.open("10.00");
    let head = ledger.flush().await;
    let runner = Running::start(&database.pool, 100);
    let progress = runner.progress.clone();
    let applied = progress.wait_for(head, Duration::from_secs(10)).await.expect("it gets there");
    assert!(applied >= head);
    let shown = balance(&database.pool, account).await.expect("an answer");
    assert!(shown.as_of_position >= head && shown.data.is_some());
    let refused = progress.wait_for(head + 1, Duration::from_millis(80)).await;
    assert!(matches!(refused, Err(NotYet::Behind { wanted, .. }) if wanted == head + 1));
    runner.stop().await.expect("a quiet end");

    // Nobody applies this one here: the lag shows it.
    let top_up = TopUpId::from_uuid(ledger.uuid());
    let (processor, reference) = ("manual".to_owned(), "wire 8".to_owned());
    let amount = usd("1");
    ledger.account(account, Command::TopUpFunds { top_up, amount, processor, reference });
    ledger.flush().await;
    let behind = lag(&database.pool).await.expect("an answer");
    assert_eq!((behind.head, behind.applied, behind.behind), (head + 1, head, 1));

    // Another process applies it: polling notices.
    let elsewhere = Running::start(&database.pool, 100);
    progress.wait_for(head + 1, Duration::from_secs(10)).await.expect("polling sees it");
    elsewhere.stop().await.expect("a quiet end");
    assert_clean(&database.pool).await;
}

#[tokio::test]
async fn a_refund_is_told_apart_from_the_top_up() {
    let database = Database::new().await;
    let mut ledger = Ledger::new(&database.pool);
    let (account, _) = ledger.open("10.00");
    let top_up = TopUpId::from_uuid(ledger.uuid());
    let (processor, reference) = ("stripe".to_owned(), "pi_1".to_owned());
    let amount = usd("5");
    ledger.account(account, Command::TopUpFunds { top_up, amount, processor, reference });
    let refund = RefundId::from_uuid(ledger.uuid());
    let reason = "asked".to_owned();
    ledger.account(account, Command::RefundTopUp { refund, top_up, amount: usd("2"), reason });
    ledger.flush().await;
    project(&database.pool).await;
    let shown = balance(&database.pool, account).await.expect("an answer").data;
    let shown = shown.expect("the account is known");
    assert_eq!((shown.topped_up, shown.refunded), (dec("15"), dec("2")));
    assert_eq!(shown.balance, dec("13"));
    assert_clean(&database.pool).await;
}
