//! Bounded memory, and snapshots, which change nothing but the time of a load.

use sqlx::Executor as _;
use tokio::task::JoinSet;
use tollgate::ledger::{CommandError, LedgerError, LedgerOptions};

use super::counter::{Count, Counter};
use super::{Node, Stage, by, eventually, fresh, soon};

fn small(resident: usize) -> LedgerOptions {
    LedgerOptions { resident, snapshot_every: 100, ..LedgerOptions::new("a") }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_streams_are_right_in_a_memory_for_64() {
    let stage = Stage::open().await;
    let node = Node::with(stage.database.server.clone(), small(64)).await;
    for _ in 0..2 {
        let mut tasks = JoinSet::new();
        for task in 0..32 {
            let counters = node.counters.clone();
            tasks.spawn(async move {
                let by = by("test");
                for stream in (0..2_000).skip(task).step_by(32) {
                    let id = format!("c{stream}");
                    counters.execute(&id, super::add(fresh()), &by, None).await.unwrap();
                }
            });
        }
        while let Some(done) = soon("the clients", tasks.join_next()).await {
            done.unwrap();
        }
        assert!(node.counters.resident_count() <= 64 + 32, "{}", node.counters.resident_count());
    }
    let log = stage.audited().await;
    assert_eq!(log.0.len(), 4_000);
    for stream in (0..2_000).step_by(97) {
        assert_eq!(node.sum(&format!("c{stream}")).await, 2);
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_in_flight_beyond_the_bound_is_let_go_of_later() {
    let stage = Stage::open().await;
    let node = Node::with(stage.database.server.clone(), small(64)).await;
    let held = super::Held::take(&stage).await;
    let by = by("test");
    let mut pending = Vec::new();
    for stream in 0..1_000 {
        let begun =
            node.counters.begin(&format!("c{stream}"), &by, None, |_| super::add(fresh())).await;
        pending.push(begun.unwrap());
    }
    assert_eq!(node.counters.resident_count(), 1_000, "nothing in flight is evicted");
    held.release().await;
    for pending in pending {
        soon("the commit", pending.committed()).await.unwrap();
    }
    // Enough strangers for each part of the memory to make room once.
    for stream in 0..1_000 {
        node.counters.peek(&format!("d{stream}"), |_| ()).await.unwrap();
    }
    assert!(node.counters.resident_count() <= 64, "{}", node.counters.resident_count());
    assert_eq!(stage.audited().await.0.len(), 1_000);
    node.stop().await;
}

/// A stream of 2,000 events with a snapshot of its whole length.
async fn long_stream(stage: &Stage) {
    let node = Node::with(stage.database.server.clone(), small(64)).await;
    let by = by("test");
    for _ in 0..100 {
        let each = Count::AddEach { id: fresh(), times: 20 };
        node.counters.execute("c", each, &by, None).await.unwrap();
    }
    let at = async || {
        sqlx::query_scalar::<_, i64>("SELECT max(last_sequence) FROM snapshots")
            .fetch_one(&stage.pool)
            .await
            .unwrap_or_default()
    };
    eventually("the snapshot is written", async || at().await == 2_000).await;
    node.stop().await;
}

async fn sum_after_restart(stage: &Stage) -> Result<i64, LedgerError> {
    let node = Node::with(stage.database.server.clone(), small(64)).await;
    let sum = node.counters.peek("c", |counter| counter.sum).await;
    node.stop().await;
    sum
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_stream_is_loaded_from_its_snapshot_and_what_follows() {
    let stage = Stage::open().await;
    long_stream(&stage).await;
    let node = Node::with(stage.database.server.clone(), small(64)).await;
    for _ in 0..7 {
        node.add("c", fresh()).await;
    }
    node.stop().await;
    let folded: Counter = stage.audited().await.fold("c");
    let node = Node::with(stage.database.server.clone(), small(64)).await;
    let loaded = node.counters.peek("c", Counter::clone).await.unwrap();
    assert_eq!(loaded, folded);
    node.stop().await;
    // Only what follows the snapshot is read: an event before it may even be unreadable.
    let mut superuser = stage.superuser().await;
    superuser
        .execute(
            "ALTER TABLE events DISABLE TRIGGER events_are_append_only;
             UPDATE events SET payload = '{\"Grown\":{}}' WHERE sequence = 1999;",
        )
        .await
        .unwrap();
    assert_eq!(sum_after_restart(&stage).await.unwrap(), folded.sum);
    superuser.execute("DELETE FROM snapshots").await.unwrap();
    let whole = sum_after_restart(&stage).await;
    assert!(matches!(whole, Err(LedgerError::Unreadable { sequence: 1999, .. })), "{whole:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_that_are_odd_or_gone_change_nothing() {
    let stage = Stage::open().await;
    long_stream(&stage).await;
    let mut superuser = stage.superuser().await;
    let oddities = [
        "UPDATE snapshots SET payload = '{\"applied\":1999,\"sum\":7}'",
        "UPDATE snapshots SET payload = '{\"unknown\":true}'",
        "UPDATE snapshots SET payload = '[]'",
        "UPDATE snapshots SET payload = '{\"applied\":2000,\"sum\":7}', current_snapshot = 0",
        // From a log that was longer than the one that was restored.
        "UPDATE snapshots SET payload = '{\"applied\":2001,\"sum\":7}', current_snapshot = 1,
            last_sequence = 2001",
        "DELETE FROM snapshots",
    ];
    for oddity in oddities {
        superuser.execute(oddity).await.unwrap();
        assert_eq!(sum_after_restart(&stage).await.unwrap(), 2_000, "{oddity}");
    }
    let node = Node::with(stage.database.server.clone(), small(64)).await;
    node.add("c", fresh()).await;
    node.stop().await;
    assert_eq!(stage.audited().await.fold::<Counter>("c").sum, 2_001);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_leaves_no_snapshot() {
    let stage = Stage::open().await;
    let options = |name| LedgerOptions { snapshot_every: 1, ..LedgerOptions::new(name) };
    let a = Node::with(stage.database.server.clone(), options("a")).await;
    let b = Node::with(stage.database.server.clone(), options("b")).await;
    let by = by("test");
    let add = |by_how_much| Count::Add { id: fresh(), by: by_how_much };
    a.counters.execute("c", add(1), &by, None).await.unwrap();
    b.counters.execute("c", add(1), &by, None).await.unwrap();
    // Node a still stands at the first event: these two are decided on it and lose.
    let lost = [
        a.counters.begin("c", &by, None, |_| add(1_000)).await.unwrap(),
        a.counters.begin("c", &by, None, |_| add(1_000)).await.unwrap(),
    ];
    for lost in lost {
        let lost = soon("the refusal", lost.committed()).await;
        assert!(matches!(lost, Err(CommandError::Conflict)), "{lost:?}");
    }
    a.counters.execute("c", add(1), &by, None).await.unwrap();
    let written = async || {
        sqlx::query_as::<_, (i64, String)>("SELECT last_sequence, payload::text FROM snapshots")
            .fetch_one(&stage.pool)
            .await
            .unwrap()
    };
    eventually("the last snapshot is written", async || written().await.0 == 3).await;
    let snapshot: Counter = serde_json::from_str(&written().await.1).unwrap();
    assert_eq!(snapshot, stage.audited().await.fold("c"));
    a.stop().await;
    b.stop().await;
}
