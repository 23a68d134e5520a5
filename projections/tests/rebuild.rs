//! A rebuild equals the live copy, also while that moves, or says where it does not.

mod support;

use std::time::Duration;

use sqlx::{Executor, PgPool};
use support::ledger::Ledger;
use support::{Database, Running, assert_clean, audit, project};
use tollgate_projections::rebuild::{Compared, RebuildOptions, RebuildStage, rebuild};
use tollgate_projections::{PROJECTIONS, ProjectionError, ensure};

/// Customers who come, spend and leave something open.
async fn traffic(ledger: &mut Ledger, rounds: usize) -> i64 {
    let master = ledger.buy("100.00", "30.00");
    let mut head = 0;
    for _ in 0..rounds {
        let (account, key) = ledger.open("10.00");
        for _ in 0..5 {
            let reservation = ledger.reserve(account, key, "0.10");
            ledger.settle(account, reservation, master, "0.00123456789");
        }
        ledger.reserve(account, key, "0.10");
        head = ledger.flush().await;
    }
    head
}

async fn oid(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT 'read.requests'::regclass::oid::bigint")
        .fetch_one(pool)
        .await
        .expect("the table is there")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_equals_the_live_copy_and_takes_its_place() {
    let database = Database::new().await;
    let head = traffic(&mut Ledger::new(&database.pool), 40).await;
    project(&database.pool).await;
    let before = oid(&database.pool).await;
    let mut stages = vec![];
    let options = RebuildOptions { most_rows: 16, ..RebuildOptions::default() };
    let report = rebuild(&database.pool, &[], options, |stage| stages.push(stage)).await;
    let report = report.expect("the rebuild runs");
    assert!(report.switched, "{report}");
    assert_eq!((report.position, report.tables.len()), (head, PROJECTIONS.len()));
    assert!(report.tables.iter().all(|table| matches!(table.compared, Compared::Equal(_))));
    assert_ne!(oid(&database.pool).await, before, "it is another table");
    assert_eq!(stages.last(), Some(&RebuildStage::Switched));
    assert_clean(&database.pool).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_and_the_runner_do_not_notice_a_rebuild() {
    let database = Database::new().await;
    let pool = &database.pool;
    let mut ledger = Ledger::new(pool);
    traffic(&mut ledger, 20).await;
    ensure(pool).await.expect("readers need tables");
    let runner = Running::start(pool, 40);
    let (done, rebuilt) = tokio::sync::watch::channel(false);
    let writing = async {
        let mut head = 0;
        while !*rebuilt.borrow() {
            head = traffic(&mut ledger, 3).await;
        }
        head
    };
    let reading = async {
        let mut last = 0;
        while !*rebuilt.borrow() {
            let page = tollgate_projections::queries::PageRequest::default();
            let filter = tollgate_projections::queries::RequestFilter::default();
            let found = tollgate_projections::queries::requests(pool, &filter, &page).await;
            let found = found.expect("an answer at any time");
            assert!(found.as_of_position >= last, "time does not go backwards");
            last = found.as_of_position;
        }
    };
    let rebuilding = async {
        for _ in 0..2 {
            let report = rebuild(pool, &[], RebuildOptions::default(), |_| {}).await;
            let report = report.expect("the rebuild runs");
            assert!(report.switched, "{report}");
        }
        done.send_replace(true);
    };
    let (head, (), ()) = tokio::join!(writing, reading, rebuilding);
    runner.progress.wait_for(head, Duration::from_secs(30)).await.expect("it goes on");
    runner.stop().await.expect("a quiet end");
    assert_clean(pool).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_difference_is_reported_and_only_an_order_replaces_the_live_copy() {
    let database = Database::new().await;
    let pool = &database.pool;
    traffic(&mut Ledger::new(pool), 5).await;
    project(pool).await;
    pool.execute(
        "UPDATE read.account_balances SET spent = spent + 0.5 WHERE account_id = \
           (SELECT max(account_id) FROM read.account_balances); \
         DELETE FROM read.requests WHERE position = (SELECT max(position) FROM read.requests)",
    )
    .await
    .expect("a superuser may");
    let before = oid(pool).await;
    let options = RebuildOptions::default();
    let report = rebuild(pool, &[], options, |_| {}).await.expect("the rebuild runs");
    assert!(!report.switched, "{report}");
    let different: Vec<_> = report
        .tables
        .iter()
        .filter_map(|table| match &table.compared {
            Compared::Different { live, rebuilt, first } => {
                Some((table.name, live.abs_diff(*rebuilt), first.contains("rebuilt (")))
            }
            Compared::Equal(_) | Compared::OtherVersion => None,
        })
        .collect();
    assert_eq!(different, [("account_balances", 0, true), ("requests", 1, true)], "{report}");
    assert_eq!(oid(pool).await, before, "the live copy stays");
    assert!(!audit(pool).await.is_clean());
    let left: i64 =
        sqlx::query_scalar("SELECT count(*) FROM pg_tables WHERE schemaname = 'read_next'")
            .fetch_one(pool)
            .await
            .expect("a count");
    assert_eq!(left, 0, "nothing is left lying about");

    let options = RebuildOptions { switch_despite_differences: true, ..options };
    let names = ["account_balances", "requests"];
    let report = rebuild(pool, &names, options, |_| {}).await.expect("the rebuild runs");
    assert!(report.switched, "{report}");
    assert_clean(pool).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_without_a_runner_brings_both_copies_to_the_head() {
    let database = Database::new().await;
    let pool = &database.pool;
    let mut ledger = Ledger::new(pool);
    traffic(&mut ledger, 5).await;
    project(pool).await;
    let head = traffic(&mut ledger, 200).await;
    let report = rebuild(pool, &["usage_hourly"], RebuildOptions::default(), |_| {}).await;
    let report = report.expect("the rebuild runs");
    assert!(report.switched, "{report}");
    assert_eq!(report.position, head);
    project(pool).await;
    assert_clean(pool).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_one_rebuild_runs_at_a_time_and_unknown_names_are_refused() {
    let database = Database::new().await;
    let pool = &database.pool;
    traffic(&mut Ledger::new(pool), 30).await;
    project(pool).await;
    let options = RebuildOptions::default();
    let (first, second) =
        tokio::join!(rebuild(pool, &[], options, |_| {}), rebuild(pool, &[], options, |_| {}),);
    let refused =
        [&first, &second].iter().filter(|r| matches!(r, Err(ProjectionError::Busy))).count();
    assert!(refused <= 1, "{first:?} {second:?}");
    assert!(first.is_ok() || second.is_ok());
    let unknown = rebuild(pool, &["profits"], options, |_| {}).await;
    assert!(matches!(unknown, Err(ProjectionError::Unknown(name)) if name == "profits"));
    assert_clean(pool).await;
}
