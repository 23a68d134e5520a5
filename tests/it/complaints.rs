//! What went wrong elsewhere and has no test of its own in another place. The README's table names
//! the test of every complaint, and the last test here holds it to that.

use std::fs;
use std::path::Path;

use futures_util::future::join_all;
use reqwest::Method;
use sqlx::postgres::{PgConnection, PgPoolOptions};
use sqlx::{Connection as _, Executor as _, PgPool};
use tollgate_domain::ids::AccountId;
use tollgate_projections::bench as models;
use tollgate_projections::queries::{self, PageRequest, ProfitGroup, Range, RequestFilter};

use crate::app::TestApp;
use crate::cluster::TestDatabase;
use crate::fate;
use crate::wire;

#[tokio::test(flavor = "multi_thread")]
async fn on_a_hot_account_many_requests_share_a_statement() {
    let app = TestApp::start().await;
    let (_, key) = app.paying_customer("hot").await;
    app.chat(&key, "warm up").await.expect(200);
    app.settled().await;
    let before = app.state().ledger.engine().stats();
    let asked = (0..128).map(|number: u32| {
        let (app, key) = (&app, &key);
        async move { app.chat(key, &number.to_string()).await }
    });
    for answer in join_all(asked).await {
        answer.expect(200);
    }
    app.settled().await;
    let after = app.state().ledger.engine().stats();
    let (statements, events) = (after.batches - before.batches, after.events - before.events);
    assert_eq!(events, 256);
    assert!(statements * 2 <= events, "{statements} statements for {events} events");
    app.audit().await;
}

/// Everything that a request could ask about customers, keys, prices and sums.
const READ_MODELS: &str = "SELECT string_agg(format('%I.%I', schemaname, tablename), ', ')
     FROM pg_tables WHERE schemaname = 'read'
        OR tablename IN ('users', 'api_keys', 'sessions', 'catalogue', 'upstream_keys')";

#[tokio::test(flavor = "multi_thread")]
async fn a_request_asks_the_database_for_nothing_that_it_could_know() {
    let app = TestApp::start().await;
    let (_, key) = app.paying_customer("ada").await;
    app.chat(&key, "warm up").await.expect(200);
    app.settled().await;

    // Nobody else can even read these now, and the log can only be appended to.
    let mut away = PgConnection::connect_with(&app.database().superuser).await.expect("it runs");
    let tables: String = sqlx::query_scalar(READ_MODELS).fetch_one(&mut away).await.expect("some");
    let lock = format!("BEGIN; LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE");
    away.execute(&*lock).await.expect("nobody else holds them for long");
    let mut owner = PgConnection::connect_with(&app.database().owner).await.expect("it runs");
    owner.execute("REVOKE SELECT ON events FROM tollgate").await.expect("the owner may");

    for number in 0..10 {
        let stream = number % 2 == 0;
        let request = app
            .request(Method::POST, "/v1/chat/completions")
            .bearer_auth(&key)
            .json(&wire::body("What does it cost?", stream));
        let got = wire::send(request).await.expect("an answer");
        assert_eq!(got.status, 200, "{got:?}");
        assert!(got.is_whole());
    }

    owner.execute("GRANT SELECT ON events TO tollgate").await.expect("the owner may");
    away.execute("ROLLBACK").await.expect("they are free again");
    app.settled().await;
    app.audit().await;
}

/// Rows that were read one after the other, without an index.
async fn read_through(pool: &PgPool) -> i64 {
    pool.execute("SELECT pg_stat_force_next_flush()").await.expect("a function of PostgreSQL");
    let sums = "SELECT sum(seq_tup_read)::bigint FROM pg_stat_user_tables
         WHERE relname IN ('events', 'requests', 'open_reservations', 'top_ups')";
    sqlx::query_scalar(sums).fetch_one(pool).await.expect("statistics")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_history_is_shown_without_reading_through_it() {
    let database = TestDatabase::migrated().await;
    // One connection, so that what it has read is counted when it is asked.
    let pool = PgPoolOptions::new().max_connections(1).connect_with(database.server.clone()).await;
    let pool = pool.expect("a connection");
    let writer = database.pool().await;
    let load =
        models::Load { events: 40_000, accounts: 50, open: 16, start_seconds: 1_790_000_000 };
    models::generate(&writer, load).await.expect("a history");
    tollgate_projections::ensure(&pool).await.expect("the read models");
    let many = PgPoolOptions::new().max_connections(4).connect_with(database.server.clone()).await;
    models::catch_up(&many.expect("connections")).await.expect("the read models");
    let account: String = sqlx::query_scalar("SELECT min(account_id) FROM read.account_balances")
        .fetch_one(&pool)
        .await
        .expect("an account");
    let account: AccountId = account.parse().expect("an id");

    let before = read_through(&pool).await;
    let (filter, page) = (RequestFilter::default(), PageRequest::default());
    let ever = Range { from: chrono::DateTime::UNIX_EPOCH, to: chrono::Utc::now() };
    let log = queries::requests(&pool, &filter, &page).await.expect("the log");
    let own = queries::recent_requests(&pool, account, &filter, &page).await.expect("the log");
    queries::top_ups(&pool, Some(account), &page).await.expect("top-ups");
    queries::daily(&pool, account, ever).await.expect("usage by day");
    queries::totals(&pool, account, ever).await.expect("usage");
    for group in [ProfitGroup::Day, ProfitGroup::Model, ProfitGroup::Account] {
        queries::profit(&pool, ever, group).await.expect("profit");
    }
    let stats = queries::stats(&pool, chrono::Utc::now().date_naive()).await.expect("sums");
    let read = read_through(&pool).await - before;

    let requests = stats.data.expect("a row").requests;
    assert!(requests > 15_000, "{requests} are no long history");
    assert_eq!((log.items.len(), own.items.len()), (50, 50));
    // What is open now is few, and all of it is looked at; nothing else is.
    assert!(read <= 100, "{read} rows were read through");
    writer.close().await;
    pool.close().await;
}

#[tokio::test]
async fn a_bill_beyond_the_balance_makes_a_debt_that_stops_the_next_request() {
    let app = TestApp::start().await;
    let person = app.customer("ada").await;
    app.top_up(&person, "0.10").await;
    let (_, key) = app.issue_key(&person).await;
    let ask = async |fault: &str| {
        let request = app
            .request(Method::POST, "/v1/chat/completions")
            .bearer_auth(&key)
            .header("X-Sandbox-Fault", fault)
            .json(&wire::body("How much?", false));
        wire::send(request).await.expect("an answer")
    };
    assert_eq!(ask("wrong-cost=0.5").await.status, 200);
    let position = app.settled().await;
    let path = format!("/v1/client/balance?at_least={position}");
    let balance = app.get(&path, &person.token).await.expect(200);
    assert_eq!(balance["balance_usd"], "-0.3");
    assert_eq!(balance["reserved_usd"], "0");
    assert_eq!(ask("").await.status, 402);
    app.top_up(&person, "0.30").await;
    assert_eq!(ask("").await.status, 402, "nothing is left");
    app.top_up(&person, "0.10").await;
    assert_eq!(ask("").await.status, 200);
    app.settled().await;
    let fates = fate::fates(app.state().database.pool()).await;
    assert_eq!(fates.len(), 2, "a refusal has left something");
    app.audit().await;
}

/// Every function with this name in the tests of the house.
fn sources(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            into.push_str(&fs::read_to_string(&path).expect("a source"));
        }
    }
}

#[test]
fn every_complaint_of_the_table_has_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = String::new();
    for folder in ["tests/it", "domain", "projections/tests", "src"] {
        sources(&root.join(folder), &mut all);
    }
    for readme in ["README.md", "README.ru.md"] {
        let text = fs::read_to_string(root.join(readme)).expect("it is there");
        // One or two digits alone in the first cell; statuses have three.
        let number = |line: &str| line.strip_prefix("| ")?.split_once(" |")?.0.parse::<u8>().ok();
        let rows: Vec<&str> =
            text.lines().filter(|line| number(line).is_some_and(|found| found <= 99)).collect();
        let numbers: Vec<String> =
            rows.iter().filter_map(|row| number(row)).map(|found| found.to_string()).collect();
        let expected: Vec<String> = (1..=20).map(|number| number.to_string()).collect();
        assert_eq!(numbers, expected, "{readme}");
        for row in rows {
            let cells = row.trim_matches(['|', ' ']).rsplit('|').next().expect("a last cell");
            let tests: Vec<&str> = cells.split('`').skip(1).step_by(2).collect();
            assert!(!tests.is_empty(), "{readme}: {row}");
            for test in tests {
                let known = all.contains(&format!("fn {test}("));
                assert!(known, "{readme} names `{test}`, which is no test");
            }
        }
    }
}
