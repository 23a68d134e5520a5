//! Commits whose answer was lost: stored exactly once if acknowledged, never twice, and not at all
//! where "nothing was recorded" was said.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqlx::Executor as _;
use tokio::task::JoinSet;
use tollgate::ledger::{CommandError, LedgerError, LedgerOptions};

use super::audit::Log;
use super::counter::{Count, Counter, TooLittle};
use super::proxy::{Cut, Proxy};
use super::{Held, Node, Stage, by, eventually, fresh, soon};

/// What a client was told about each of its commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    Done,
    Nothing,
    InDoubt,
}

impl Told {
    fn of<T>(outcome: &Result<T, CommandError<TooLittle>>) -> Self {
        match outcome {
            Ok(_) => Self::Done,
            Err(CommandError::Ledger(LedgerError::InDoubt)) => Self::InDoubt,
            Err(CommandError::Ledger(LedgerError::Unavailable(_)) | CommandError::Conflict) => {
                Self::Nothing
            }
            Err(other) => panic!("{other}"),
        }
    }
}

/// Clients that send until they are told to stop.
pub struct Load {
    tasks: JoinSet<Vec<(u64, Told)>>,
    enough: Arc<AtomicBool>,
}

impl Load {
    pub fn start(node: &Node, clients: usize) -> Self {
        let (mut tasks, enough) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
        for client in 0..clients {
            let (counters, enough) = (node.counters.clone(), enough.clone());
            tasks.spawn(async move {
                let (mut told, by) = (Vec::new(), by("test"));
                while !enough.load(Ordering::Relaxed) {
                    let (id, stream) = (fresh(), format!("c{}", client % 5));
                    let sent = counters.execute(&stream, super::add(id), &by, None);
                    let outcome = soon("a command ends in bounded time", sent).await;
                    told.push((id, Told::of(&outcome)));
                    if outcome.is_err() {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                }
                told
            });
        }
        Self { tasks, enough }
    }

    pub async fn stop(mut self) -> HashMap<u64, Told> {
        self.enough.store(true, Ordering::Relaxed);
        let mut all = HashMap::new();
        while let Some(told) = soon("the clients", self.tasks.join_next()).await {
            all.extend(told.unwrap());
        }
        all
    }
}

pub fn assert_exactly_once(log: &Log, told: &HashMap<u64, Told>) {
    let added = log.added();
    for (id, told) in told {
        let times = added.get(id).copied().unwrap_or_default();
        match told {
            Told::Done => assert_eq!(times, 1, "command {id} was acknowledged"),
            Told::Nothing => assert_eq!(times, 0, "command {id} was said to be not recorded"),
            Told::InDoubt => assert!(times <= 1, "command {id} was stored {times} times"),
        }
    }
    assert!(added.keys().all(|id| told.contains_key(id)));
}

fn count(told: &HashMap<u64, Told>, what: Told) -> usize {
    told.values().filter(|told| **told == what).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_is_ended_again_and_again_loses_and_doubles_nothing() {
    let stage = Stage::open().await;
    let node = stage.node("a").await;
    let load = Load::start(&node, 32);
    let mut superuser = stage.superuser().await;
    let mut seen = 0;
    while node.engine().stats().reconnects < 25 {
        superuser
            .execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name = 'tollgate ledger'",
            )
            .await
            .unwrap();
        // Not before it works again, or it would never come to a commit.
        let batches = node.engine().stats().batches;
        eventually("the writer goes on", async || node.engine().stats().batches > batches).await;
        seen = node.engine().stats().reconnects;
    }
    let told = load.stop().await;
    assert!(seen >= 25);
    assert_exactly_once(&stage.audited().await, &told);
    assert_eq!(count(&told, Told::Done), told.len(), "a session that ends is no client's trouble");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_lost_at_any_place_is_read_back() {
    let stage = Stage::open().await;
    let proxy = Proxy::before(&stage.database.server);
    let node = Node::with(proxy.options(), LedgerOptions::new("a")).await;
    let load = Load::start(&node, 16);
    let cuts = [Cut::BeforeTheAnswer, Cut::Meanwhile, Cut::BeforeTheServer];
    for (round, cut) in cuts.into_iter().cycle().take(24).enumerate() {
        proxy.cut(1 + (round as u32 % 3), cut);
        soon("the cut", proxy.until_cut(round as u32 + 1)).await;
    }
    let told = load.stop().await;
    assert_exactly_once(&stage.audited().await, &told);
    assert_eq!(count(&told, Told::Done), told.len());
    assert!(node.engine().stats().reconnects >= 24);
    node.stop().await;
    proxy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_command_is_acknowledged_although_its_answer_never_came() {
    let stage = Stage::open().await;
    let proxy = Proxy::before(&stage.database.server);
    let node = Node::with(proxy.options(), LedgerOptions::new("a")).await;
    node.add("c", fresh()).await;
    for (cut, reconnects) in [(Cut::BeforeTheAnswer, 1), (Cut::BeforeTheServer, 2)] {
        proxy.cut(1, cut);
        let position = node.add("c", fresh()).await;
        assert_eq!(position, reconnects as i64 + 1, "{cut:?}");
        assert_eq!(node.engine().stats().reconnects, reconnects);
    }
    let log = stage.audited().await;
    assert_eq!(log.fold::<Counter>("c").sum, 3);
    node.stop().await;
    proxy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_fails_is_taken_again_before_anything_is_sent_again() {
    let stage = Stage::open().await;
    let proxy = Proxy::before(&stage.database.server);
    let node = Node::with(proxy.options(), LedgerOptions::new("a")).await;
    node.add("c", fresh()).await;
    proxy.cut(1, Cut::BeforeTheAnswer);
    proxy.cut_at("SELECT position FROM events", 1, Cut::BeforeTheServer);
    let by = by("test");
    let pending = node.counters.begin("c", &by, None, |_| super::add(fresh())).await.unwrap();
    let done = soon("the commit", pending.committed()).await.unwrap();
    assert_eq!((done.position, proxy.cuts()), (2, 2), "it was stored by the first statement");
    node.stop().await;
    assert_eq!(stage.audited().await.fold::<Counter>("c").sum, 2);
    proxy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_is_refused_says_nothing_about_the_commit() {
    let stage = Stage::open().await;
    let proxy = Proxy::before(&stage.database.server);
    let node =
        Node::with(proxy.options(), LedgerOptions { writers: 1, ..LedgerOptions::new("a") }).await;
    node.add("c", fresh()).await;
    let mut superuser = stage.superuser().await;
    // It may append and not read.
    superuser.execute("REVOKE SELECT ON events FROM tollgate").await.unwrap();
    proxy.cut(1, Cut::BeforeTheAnswer);
    let by = by("test");
    let pending = node.counters.begin("c", &by, None, |_| super::add(fresh())).await.unwrap();
    let outcome = soon("the outcome", pending.committed()).await;
    assert_eq!(Told::of(&outcome), Told::InDoubt);
    superuser.execute("GRANT SELECT ON events TO tollgate").await.unwrap();
    eventually("it works again", async || {
        let again = node.counters.execute("d", super::add(fresh()), &by, None).await;
        Told::of(&again) == Told::Done
    })
    .await;
    let stats = node.engine().stats();
    assert_eq!((stats.batches, stats.conflicts), (3, 0), "it was found, not sent again");
    node.stop().await;
    assert_eq!(stage.audited().await.fold::<Counter>("c").sum, 2);
    proxy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_still_waits_is_ended_before_it_is_sent_again() {
    let stage = Stage::open().await;
    let proxy = Proxy::before(&stage.database.server);
    let node = Node::with(proxy.options(), LedgerOptions::new("a")).await;
    node.add("c", fresh()).await;
    let held = Held::take(&stage).await;
    proxy.cut(1, Cut::Meanwhile);
    let (by, id) = (by("test"), fresh());
    let counters = node.counters.clone();
    let mut command = Box::pin(counters.execute("c", super::add(id), &by, None));
    // Two statements may wait for the row: the one whose client is gone, and the one after it.
    tokio::select! {
        done = &mut command => panic!("{done:?}"),
        () = async {
            let begun = || async { node.engine().stats().reconnects >= 1 };
            eventually("a new connection", begun).await;
            held.until_the_writer_waits(&stage).await;
        } => {}
    }
    held.release().await;
    assert_eq!(soon("the command", command).await.unwrap().position, 2);
    drop(counters);
    assert_eq!(stage.audited().await.added()[&id], 1);
    assert_eq!(node.engine().stats().conflicts, 0);
    node.stop().await;
    proxy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_counts_as_away_after_a_while() {
    let stage = Stage::open().await;
    let proxy = Proxy::before(&stage.database.server);
    let node = Node::with(proxy.options(), LedgerOptions::new("a")).await;
    node.add("c", fresh()).await;
    proxy.cut(1, Cut::SilentBeforeTheAnswer);
    let position = soon("the command ends", node.add("c", fresh())).await;
    assert_eq!(position, 2);
    assert_eq!(stage.audited().await.fold::<Counter>("c").sum, 2);
    node.stop().await;
    proxy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_commands_fail_in_bounded_time_and_work_again_later() {
    let stage = Stage::open().await;
    let proxy = Proxy::before(&stage.database.server);
    let node =
        Node::with(proxy.options(), LedgerOptions { writers: 1, ..LedgerOptions::new("a") }).await;
    for stream in ["c", "d"] {
        node.add(stream, fresh()).await;
    }
    let by = by("test");
    for cut in [Cut::BeforeTheAnswer, Cut::BeforeTheServer] {
        proxy.set_away(true);
        proxy.cut(1, cut);
        let in_doubt = node.counters.begin("c", &by, None, |_| super::add(1)).await;
        let in_doubt = in_doubt.unwrap();
        soon("the cut", proxy.until_cut(if cut == Cut::BeforeTheAnswer { 1 } else { 2 })).await;
        let begun = Instant::now();
        let behind = node.counters.execute("d", Count::Add { id: 2, by: 1 }, &by, None);
        assert_eq!(Told::of(&soon("the one behind", behind).await), Told::Nothing);
        let outcome = soon("the one in doubt", in_doubt.committed()).await;
        assert_eq!(Told::of(&outcome), Told::InDoubt);
        let at_once = Instant::now();
        let later = node.counters.execute("d", Count::Add { id: 3, by: 1 }, &by, None);
        assert_eq!(Told::of(&soon("a later one", later).await), Told::Nothing);
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        assert!(at_once.elapsed() < Duration::from_secs(6), "{:?}", at_once.elapsed());
        proxy.set_away(false);
        eventually("it works again", async || {
            let again = node.counters.execute("d", super::add(fresh()), &by, None).await;
            Told::of(&again) == Told::Done
        })
        .await;
    }
    let log = stage.audited().await;
    let added = log.added();
    assert!(!added.contains_key(&2) && !added.contains_key(&3), "they were told: nothing");
    // The first was stored before its answer was lost; the second never reached the server, and
    // the writer sent it when the server was back.
    assert_eq!(added[&1], 2);
    assert_eq!(node.sum("c").await, log.fold::<Counter>("c").sum);
    node.stop().await;
    proxy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_process_can_end_while_the_database_is_away() {
    let stage = Stage::open().await;
    let proxy = Proxy::before(&stage.database.server);
    let node =
        Node::with(proxy.options(), LedgerOptions { writers: 1, ..LedgerOptions::new("a") }).await;
    node.add("c", fresh()).await;
    // In memory before the database goes: it can be loaded no more then.
    node.counters.peek("d", |_| ()).await.unwrap();
    proxy.set_away(true);
    proxy.cut(1, Cut::BeforeTheServer);
    let by = by("test");
    let pending = node.counters.begin("c", &by, None, |_| super::add(fresh())).await.unwrap();
    let behind = node.counters.begin("d", &by, None, |_| super::add(fresh())).await.unwrap();
    soon("the end", node.stop()).await;
    let outcome = soon("the one in doubt", pending.committed()).await;
    assert_eq!(Told::of(&outcome), Told::InDoubt);
    // One batch with the first, or behind it.
    let outcome = soon("the one behind", behind.committed()).await;
    assert_ne!(Told::of(&outcome), Told::Done);
    assert_eq!(stage.audited().await.0.len(), 1);
    proxy.stop().await;
}
