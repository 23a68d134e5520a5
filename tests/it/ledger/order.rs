//! Positions: dense, and in the order in which commits become visible.

use std::collections::HashSet;

use tokio::task::JoinSet;

use super::account::{Funded, reservation, reserve, send, settle};
use super::{Stage, by, fresh, soon};
use crate::ledger::counter::Counter;

/// 64 tasks, each with so many commands.
const EACH: usize = 25;

async fn run(streams: usize) {
    let stage = Stage::open().await;
    let node = stage.node("a").await;
    let mut tasks = JoinSet::new();
    for task in 0..64 {
        let (counters, stream) = (node.counters.clone(), format!("c{}", task % streams));
        tasks.spawn(async move {
            let mut last = 0;
            let mut positions = Vec::new();
            for _ in 0..EACH {
                let command = super::add(fresh());
                let done = counters.execute(&stream, command, &by("test"), None).await.unwrap();
                assert!(done.position > last, "a later command has a later position");
                last = done.position;
                positions.push((done.position, stream.clone()));
            }
            positions
        });
    }
    let mut acknowledged = HashSet::new();
    while let Some(done) = soon("the clients", tasks.join_next()).await {
        acknowledged.extend(done.unwrap());
    }
    let log = stage.audited().await;
    assert_eq!(log.0.len(), 64 * EACH);
    let stored: HashSet<_> =
        log.0.iter().map(|event| (event.position, event.stream.clone())).collect();
    assert_eq!(acknowledged, stored, "each command was told its own event's position");
    assert!(log.added().values().all(|times| *times == 1));
    assert_eq!(*node.engine().head().borrow(), (64 * EACH) as i64);
    assert!(node.engine().stats().batches < (64 * EACH) as u64, "commands share statements");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_are_dense_under_64_tasks_on_many_streams() {
    run(64).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_are_dense_under_64_tasks_on_one_stream() {
    run(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_follows_the_positions_never_sees_a_gap() {
    let stage = Stage::open().await;
    let nodes = [stage.node("a").await, stage.node("b").await];
    let mut tasks = JoinSet::new();
    for task in 0..32 {
        let counters = nodes[task % 2].counters.clone();
        tasks.spawn(async move {
            for _ in 0..EACH {
                let stream = format!("c{task}");
                counters.execute(&stream, super::add(fresh()), &by("test"), None).await.unwrap();
            }
        });
    }
    // As a projection reads: what is above the checkpoint, while others append.
    let mut checkpoint = 0;
    while checkpoint < (32 * EACH) as i64 {
        let positions: Vec<i64> =
            sqlx::query_scalar("SELECT position FROM events WHERE position > $1 ORDER BY position")
                .bind(checkpoint)
                .fetch_all(&stage.pool)
                .await
                .unwrap();
        let end = checkpoint + positions.len() as i64;
        assert_eq!(positions, (checkpoint + 1..=end).collect::<Vec<_>>());
        checkpoint = end;
        if positions.is_empty() && tasks.is_empty() {
            panic!("the log ends at {checkpoint}");
        }
        while let Some(done) = tasks.try_join_next() {
            done.unwrap();
        }
    }
    stage.audited().await;
    for node in nodes {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_on_one_stream_are_pipelined_and_stay_in_order() {
    let stage = Stage::open().await;
    let node = stage.node("a").await;
    node.add("c", fresh()).await;
    let held = super::Held::take(&stage).await;
    let mut pending = Vec::new();
    let by = by("test");
    for _ in 0..100 {
        let id = fresh();
        let begun = node.counters.begin("c", &by, None, |_| super::add(id));
        pending.push(soon("deciding does not wait for the commit before", begun).await.unwrap());
    }
    assert_eq!(node.sum("c").await, 101, "the state is published before it is durable");
    held.release().await;
    for (place, pending) in pending.into_iter().enumerate() {
        let done = soon("the commit", pending.committed()).await.unwrap();
        assert_eq!(done.position, place as i64 + 2);
    }
    let log = stage.audited().await;
    assert_eq!(log.fold::<Counter>("c").sum, 101);
    assert!(node.engine().stats().batches <= 3, "{:?}", node.engine().stats());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_without_events_waits_for_what_it_stands_on() {
    let stage = Stage::open().await;
    let node = stage.node("a").await;
    node.add("c", fresh()).await;
    let held = super::Held::take(&stage).await;
    let by = by("test");
    let set = |sum| node.counters.begin("c", &by, None, move |_| super::Count::SetTo(sum));
    let first = set(5).await.unwrap();
    let second = set(5).await.unwrap();
    assert_eq!((first.events.len(), second.events.len()), (1, 0));
    let mut second = std::pin::pin!(second.committed());
    let early = tokio::time::timeout(std::time::Duration::from_millis(100), &mut second).await;
    assert!(early.is_err(), "told that the sum is 5 before that was durable");
    held.release().await;
    assert_eq!(soon("the first", first.committed()).await.unwrap().position, 2);
    assert_eq!(soon("the second", second).await.unwrap().position, 2);
    stage.audited().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reserving_and_settling_on_a_hot_account_adds_up() {
    let stage = Stage::open().await;
    let node = std::sync::Arc::new(stage.node("a").await);
    let account = Funded::open(&node, "100").await;
    let mut tasks = JoinSet::new();
    for _ in 0..64 {
        let (node, account) = (node.clone(), account.clone());
        tasks.spawn(async move {
            for _ in 0..5 {
                let id = reservation();
                send(&node, &account, reserve(&account, id, "0.02")).await.unwrap();
                send(&node, &account, settle(id, "0.01")).await.unwrap();
            }
        });
    }
    while let Some(done) = soon("the clients", tasks.join_next()).await {
        done.unwrap();
    }
    let log = stage.audited().await;
    let folded: tollgate_domain::Account = log.fold(&account.stream);
    assert_eq!(folded, account.seen_by(&node).await, "memory is the fold of the log");
    // 64 × 5 charges of 0.01 × 0.8.
    assert_eq!(folded.balance(), super::account::dollars("97.44"));
    assert!(folded.reserved().is_zero());
    std::sync::Arc::into_inner(node).unwrap().stop().await;
}
