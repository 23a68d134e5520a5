//! Exactly once, whatever happens to the processes that apply.

mod support;

use std::time::Duration;

use sqlx::PgPool;
use support::ledger::Ledger;
use support::{Database, Running, assert_clean, project};
use tollgate_domain::ids::MasterAccountId;
use tollgate_projections::{ProjectionError, ensure, find};

const LONG: Duration = Duration::from_secs(30);

/// Appends `rounds` batches of mixed traffic; returns the head.
async fn traffic(ledger: &mut Ledger, master: MasterAccountId, rounds: usize) -> i64 {
    let mut head = 0;
    for _ in 0..rounds {
        let (account, key) = ledger.open("10.00");
        let mut open = vec![];
        for _ in 0..7 {
            open.push(ledger.reserve(account, key, "0.10"));
            if open.len() > 3 {
                let oldest = open.remove(0);
                ledger.settle(account, oldest, master, "0.0123456789");
            }
        }
        head = ledger.flush().await;
    }
    head
}

async fn requests(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM read.requests").fetch_one(pool).await.expect("a count")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_apply_each_event_exactly_once() {
    let database = Database::new().await;
    let mut ledger = Ledger::new(&database.pool);
    let master = ledger.buy("100.00", "30.00");
    let first = Running::start(&database.pool, 13);
    let second = Running::start(&database.pool, 7);
    let head = traffic(&mut ledger, master, 120).await;
    first.progress.wait_for(head, LONG).await.expect("they get there");
    second.progress.wait_for(head, LONG).await.expect("they get there");
    first.stop().await.expect("a quiet end");
    second.stop().await.expect("a quiet end");
    assert_eq!(requests(&database.pool).await, 120 * 4);
    assert_clean(&database.pool).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_killed_in_the_middle_is_continued() {
    let database = Database::new().await;
    let mut ledger = Ledger::new(&database.pool);
    let master = ledger.buy("100.00", "30.00");
    let head = traffic(&mut ledger, master, 150).await;
    for round in 0..6_i64 {
        let runner = Running::start(&database.pool, 17);
        let some = (round * 150).min(head / 2);
        runner.progress.wait_for(some, LONG).await.expect("it gets on");
        runner.kill().await;
    }
    project(&database.pool).await;
    assert_eq!(requests(&database.pool).await, 150 * 4);
    assert_clean(&database.pool).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_survives_the_loss_of_its_connections() {
    let database = Database::new().await;
    let mut ledger = Ledger::new(&database.pool);
    let master = ledger.buy("100.00", "30.00");
    let runner = Running::start(&database.pool, 11);
    let mut head = 0;
    for _ in 0..5 {
        head = traffic(&mut ledger, master, 20).await;
        // Everybody's connections, that of this statement excepted.
        let _ = sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .execute(&database.pool)
        .await;
    }
    runner.progress.wait_for(head, LONG).await.expect("it tries again");
    runner.stop().await.expect("a quiet end");
    assert_clean(&database.pool).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_cannot_be_decoded_stops_everything_before_it() {
    let database = Database::new().await;
    let mut ledger = Ledger::new(&database.pool);
    let master = ledger.buy("100.00", "30.00");
    let head = traffic(&mut ledger, master, 3).await;
    sqlx::query(
        "WITH head AS (UPDATE ledger_head SET position = position + 1 RETURNING position) \
         INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version, \
           payload, metadata, recorded_at, hash, position) \
         SELECT 'account', 'acct_0', 1, 'AccountBlessed', '1', '{\"AccountBlessed\":{}}', '{}', \
           now(), sha256(''), position FROM head",
    )
    .execute(&database.pool)
    .await
    .expect("the row is stored");
    let runner = Running::start(&database.pool, 10_000);
    let progress = runner.progress.clone();
    match runner.ended().await {
        Err(ProjectionError::Event { position, .. }) => assert_eq!(position, head + 1),
        other => panic!("it must stop there, not {other:?}"),
    }
    let lag = progress.lag().await.expect("an answer");
    assert_eq!((lag.applied, lag.behind), (head, 1), "what stands before it is shown");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_projection_that_lags_behind_joins_the_others() {
    let database = Database::new().await;
    let mut ledger = Ledger::new(&database.pool);
    let master = ledger.buy("100.00", "30.00");
    let head = traffic(&mut ledger, master, 10).await;
    project(&database.pool).await;
    // One read model is thrown away: it comes back by itself.
    sqlx::query("DROP TABLE read.usage_hourly").execute(&database.pool).await.expect("dropped");
    let ensured = ensure(&database.pool).await.expect("an answer");
    assert_eq!(ensured.created, ["usage_hourly"]);
    let runner = Running::start(&database.pool, 10);
    runner.progress.wait_for(head, LONG).await.expect("it gets there");
    runner.stop().await.expect("a quiet end");
    assert_clean(&database.pool).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_model_of_an_older_build_is_rebuilt_and_of_a_newer_one_left_alone() {
    let database = Database::new().await;
    let mut ledger = Ledger::new(&database.pool);
    let master = ledger.buy("100.00", "30.00");
    let head = traffic(&mut ledger, master, 5).await;
    project(&database.pool).await;
    let set = "UPDATE projection_checkpoints SET version = $2 WHERE name = $1";
    let older = find("profit_daily").expect("a projection");
    sqlx::query(set)
        .bind(older.name)
        .bind(older.version - 1)
        .execute(&database.pool)
        .await
        .expect("set");
    sqlx::query("ALTER TABLE read.profit_daily RENAME COLUMN drift TO delta")
        .execute(&database.pool)
        .await
        .expect("another layout");
    let newer = find("top_ups").expect("a projection");
    sqlx::query(set)
        .bind(newer.name)
        .bind(newer.version + 1)
        .execute(&database.pool)
        .await
        .expect("set");
    let ensured = ensure(&database.pool).await.expect("an answer");
    assert_eq!(ensured.outdated, ["profit_daily"]);
    assert_eq!(ensured.newer, ["top_ups"]);
    let runner = Running::start(&database.pool, 100);
    for _ in 0..500 {
        if ensure(&database.pool).await.expect("an answer").outdated.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    runner.progress.wait_for(head, LONG).await.expect("it gets there");
    runner.stop().await.expect("a quiet end");
    sqlx::query(set)
        .bind(newer.name)
        .bind(newer.version)
        .execute(&database.pool)
        .await
        .expect("set");
    assert_clean(&database.pool).await;
}
