//! Commands that break, are cancelled or abandoned, and the end of the process.

use std::sync::Arc;

use cqrs_es::CqrsFramework;
use futures_util::FutureExt as _;
use tokio::task::JoinSet;
use tollgate::ledger::{CommandError, LedgerError, LedgerOptions, StreamStore};

use super::counter::{Count, Counter, TooLittle};
use super::{Held, Node, Stage, by, eventually, fresh, soon};

/// Runs a command whose event breaks an invariant half-way.
async fn break_it(node: &Node, stream: &str) {
    let by = by("test");
    let broken = node.counters.begin(stream, &by, None, |_| Count::Break);
    let unwound = std::panic::AssertUnwindSafe(broken).catch_unwind().await;
    assert!(unwound.is_err(), "the invariant stops the command");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_invariant_stops_its_command_and_nothing_else() {
    let stage = Stage::open().await;
    let node = stage.node("a").await;
    node.add("c", fresh()).await;
    break_it(&node, "c").await;
    assert_eq!(node.sum("c").await, 1, "half of a broken command is not seen");
    node.add("c", fresh()).await;
    assert_eq!(stage.audited().await.fold::<Counter>("c").sum, 2);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_invariant_disturbs_no_other_stream_of_the_batch() {
    let stage = Stage::open().await;
    let node = stage.one_writer().await;
    node.add("c", fresh()).await;
    let held = Held::take(&stage).await;
    let by = by("test");
    let begin = async |stream: &str| {
        node.counters.begin(stream, &by, None, |_| super::add(fresh())).await.unwrap()
    };
    let blocked = begin("first").await;
    held.until_the_writer_waits(&stage).await;
    let before = begin("c").await;
    let stranger = begin("d").await;
    break_it(&node, "c").await;
    let after = begin("c").await;
    held.release().await;
    for done in [blocked, stranger] {
        soon("a stranger", done.committed()).await.unwrap();
    }
    // Its own stream is loaded again; what was waiting on it is decided anew.
    let lost = soon("before", before.committed()).await;
    assert!(matches!(lost, Ok(_) | Err(CommandError::Conflict)), "{lost:?}");
    let kept = soon("after", after.committed()).await;
    assert!(matches!(kept, Ok(_) | Err(CommandError::Conflict)), "{kept:?}");
    node.add("c", fresh()).await;
    let sum = stage.audited().await.fold::<Counter>("c").sum;
    assert_eq!(sum, 2 + i64::from(lost.is_ok()) + i64::from(kept.is_ok()));
    assert_eq!(node.sum("c").await, sum);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_while_deciding_leaves_the_stream_usable() {
    let stage = Stage::open().await;
    let node = stage.node("a").await;
    node.add("c", fresh()).await;
    let by = by("test");
    let deciding = node.counters.begin("c", &by, None, |_| panic!("deciding"));
    assert!(std::panic::AssertUnwindSafe(deciding).catch_unwind().await.is_err());
    node.add("c", fresh()).await;
    assert_eq!(stage.audited().await.fold::<Counter>("c").sum, 2);
    assert_eq!(node.engine().stats().conflicts, 0);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_cancelled_at_any_point_leave_the_log_right() {
    let stage = Stage::open().await;
    // A small memory, so that many of them are cancelled while they load.
    let options = LedgerOptions { resident: 1, ..LedgerOptions::new("a") };
    let node = Node::with(stage.database.server.clone(), options).await;
    let mut tasks = JoinSet::new();
    for task in 0..300_u64 {
        let counters = node.counters.clone();
        tasks.spawn(async move {
            let by = by("test");
            let stream = format!("c{}", task % 100);
            let command = counters.execute(&stream, super::add(fresh()), &by, None);
            let patience = std::time::Duration::from_micros(task * 23);
            match tokio::time::timeout(patience, command).await {
                Ok(done) => done.map(|_| 1).unwrap_or(0),
                Err(_) => 0,
            }
        });
    }
    let mut done = 0;
    while let Some(one) = soon("the clients", tasks.join_next()).await {
        done += one.unwrap();
    }
    // Connections that were cancelled while they were made keep the server busy for a moment: then
    // a command may fail, and nothing was recorded.
    let by = by("test");
    for stream in 0..100 {
        let (stream, id) = (format!("c{stream}"), fresh());
        eventually("the stream is usable", async || {
            node.counters.execute(&stream, super::add(id), &by, None).await.is_ok()
        })
        .await;
    }
    let log = stage.audited().await;
    assert!(log.added().values().all(|times| *times == 1));
    assert!(log.0.len() >= 100 + done, "{} events, {done} acknowledged", log.0.len());
    for stream in 0..100 {
        let stream = format!("c{stream}");
        assert_eq!(node.sum(&stream).await, log.fold::<Counter>(&stream).sum);
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_nobody_awaits_still_commits() {
    let stage = Stage::open().await;
    let node = stage.node("a").await;
    let mut head = node.engine().head();
    let by = by("test");
    drop(node.counters.begin("c", &by, None, |_| super::add(fresh())).await.unwrap());
    soon("the commit", head.wait_for(|head| *head == 1)).await.unwrap();
    assert_eq!(stage.audited().await.0.len(), 1);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shutting_down_writes_everything_that_was_decided() {
    let stage = Stage::open().await;
    let node = stage.node("a").await;
    let held = Held::take(&stage).await;
    let by = by("test");
    let mut pending = Vec::new();
    for stream in 0..500 {
        let stream = format!("c{}", stream % 50);
        let begun = node.counters.begin(&stream, &by, None, |_| super::add(fresh()));
        pending.push(begun.await.unwrap());
    }
    let stopping = tokio::spawn(node.stop());
    tokio::task::yield_now().await;
    assert!(!stopping.is_finished(), "it waits for the database");
    held.release().await;
    soon("the end", stopping).await.unwrap();
    for done in pending {
        done.committed().await.unwrap();
    }
    assert_eq!(stage.audited().await.0.len(), 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_moves_on_whoever_waits_for_a_place() {
    let stage = Stage::open().await;
    let options = LedgerOptions { queue: 1, ..LedgerOptions::new("a") };
    let node = Arc::new(Node::with(stage.database.server.clone(), options).await);
    let framework = StreamStore::new(node.counters.clone());
    let framework = Arc::new(CqrsFramework::new(framework, vec![], ()));
    let mut tasks = JoinSet::new();
    for task in 0..48 {
        let (node, framework) = (node.clone(), framework.clone());
        tasks.spawn(async move {
            for _ in 0..10 {
                match task % 2 {
                    0 => framework.execute("c", super::add(fresh())).await.unwrap(),
                    _ => drop(node.add("c", fresh()).await),
                }
            }
        });
    }
    while let Some(done) = soon("the clients", tasks.join_next()).await {
        done.unwrap();
    }
    assert_eq!(stage.audited().await.fold::<Counter>("c").sum, 480);
    drop(framework);
    Arc::into_inner(node).unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_command_changes_nothing() {
    let stage = Stage::open().await;
    let node = stage.node("a").await;
    node.add("c", fresh()).await;
    let by = by("test");
    let take = Count::Take { id: fresh(), by: 2 };
    let refused = node.counters.execute("c", take, &by, None).await;
    assert!(matches!(refused, Err(CommandError::Refused(TooLittle(1)))), "{refused:?}");
    let before = stage.audited().await;
    assert_eq!((before.0.len(), node.sum("c").await), (1, 1));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_event_that_cannot_be_read_stops_its_stream_only() {
    let stage = Stage::open().await;
    let node = stage.node("a").await;
    sqlx::query(
        "WITH head AS (UPDATE ledger_head SET position = position + 1 RETURNING position)
         INSERT INTO events SELECT 'counter', 'odd', 1, 'Grown', '9', '{\"Grown\":{}}', '{}',
            position, now(), sha256('') FROM head",
    )
    .execute(&mut stage.superuser().await)
    .await
    .unwrap();
    let by = by("test");
    let refused = node.counters.execute("odd", super::add(fresh()), &by, None).await;
    assert!(
        matches!(refused, Err(CommandError::Ledger(LedgerError::Unreadable { sequence: 1, .. }))),
        "{refused:?}"
    );
    assert_eq!(node.add("c", fresh()).await, 2, "the others go on");
    node.stop().await;
}
