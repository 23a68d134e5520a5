//! The same random commands through our store, cqrs-es's in memory and postgres-es's: the same
//! answers, the same events, the same states.

use std::collections::HashMap;
use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;

use cqrs_es::mem_store::MemStore;
use cqrs_es::persist::{PersistedEventRepository as _, PersistedEventStore, QueryReplay};
use cqrs_es::test::TestFramework;
use cqrs_es::{AggregateContext as _, CqrsFramework, EventEnvelope, EventStore, Query};
use parking_lot::Mutex;
use postgres_es::PostgresEventRepository;
use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::TestRunner;
use sqlx::{Executor as _, PgPool};
use tollgate::ledger::{LedgerOptions, StreamStore, Streams};
use tollgate_domain::{Account, Eventful, MasterAccount, PriceBook};

use super::account::{reservation, settle};
use super::{Node, Stage, commands};
use crate::cluster::TestDatabase;

/// As cqrs-es's book has them.
const STOCK_TABLES: &str = "
    CREATE TABLE events (aggregate_type text NOT NULL, aggregate_id text NOT NULL,
        sequence bigint CHECK (sequence >= 0) NOT NULL, event_type text NOT NULL,
        event_version text NOT NULL, payload json NOT NULL, metadata json NOT NULL,
        PRIMARY KEY (aggregate_type, aggregate_id, sequence));
    CREATE TABLE snapshots (aggregate_type text, aggregate_id text, last_sequence bigint,
        current_snapshot bigint, payload json,
        PRIMARY KEY (aggregate_type, aggregate_id, last_sequence))";

/// Streams that the commands of one list go to.
const STREAMS: usize = 3;

type Envelope = (String, usize, String, Vec<(String, String)>);

fn plain<A: Eventful>(events: &[EventEnvelope<A>]) -> Vec<Envelope> {
    let plain = events.iter().map(|event| {
        let mut metadata: Vec<_> = event.metadata.clone().into_iter().collect();
        metadata.sort();
        (event.aggregate_id.clone(), event.sequence, format!("{:?}", event.payload), metadata)
    });
    plain.collect()
}

/// What somebody who plays the commands sees.
#[derive(Debug, PartialEq)]
struct Seen<A> {
    answers: Vec<String>,
    events: Vec<Vec<Envelope>>,
    states: Vec<A>,
}

/// Keeps what a framework dispatches or a replay reads.
struct Keep<A: Eventful>(Arc<Mutex<Vec<Envelope>>>, std::marker::PhantomData<A>);

impl<A: Eventful> Keep<A> {
    fn new() -> (Box<Self>, Arc<Mutex<Vec<Envelope>>>) {
        let kept = Arc::<Mutex<Vec<Envelope>>>::default();
        (Box::new(Self(kept.clone(), std::marker::PhantomData)), kept)
    }
}

impl<A: Eventful> Query<A> for Keep<A> {
    fn dispatch<'life0, 'life1, 'life2, 'async_trait>(
        &'life0 self,
        _: &'life1 str,
        events: &'life2 [EventEnvelope<A>],
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        'life2: 'async_trait,
        Self: 'async_trait,
    {
        self.0.lock().extend(plain(events));
        Box::pin(std::future::ready(()))
    }
}

async fn play<A, S>(store: S, again: S, case: usize, commands: &[(usize, A::Command)]) -> Seen<A>
where
    A: Eventful,
    A::Command: Clone,
    S: EventStore<A>,
{
    let (query, dispatched) = Keep::<A>::new();
    let framework = CqrsFramework::new(store, vec![query], ());
    let stream = |number: usize| format!("case{case}-{number}");
    let mut answers = Vec::new();
    for (turn, (number, command)) in commands.iter().enumerate() {
        let metadata = HashMap::from([
            ("actor".to_owned(), "system:test".to_owned()),
            ("turn \"\u{e9}\\".to_owned(), turn.to_string()),
        ]);
        let answer =
            framework.execute_with_metadata(&stream(*number), command.clone(), metadata).await;
        answers.push(format!("{answer:?}"));
    }
    let (mut events, mut states) = (Vec::new(), Vec::new());
    for number in 0..STREAMS {
        events.push(plain(&again.load_events(&stream(number)).await.unwrap()));
        states.push(again.load_aggregate(&stream(number)).await.unwrap().aggregate().clone());
    }
    let mut dispatched = std::mem::take(&mut *dispatched.lock());
    dispatched.sort_by_key(|event| (event.0.clone(), event.1));
    assert_eq!(dispatched, events.concat(), "queries are told what is stored");
    Seen { answers, events, states }
}

/// Stock readers on our table and on the stock one.
async fn assert_same_tables<A: Eventful>(ours: &PgPool, stock: &PgPool, cases: usize) {
    let repositories = [ours, stock].map(|pool| PostgresEventRepository::new(pool.clone()));
    for case in 0..cases {
        for number in 0..STREAMS {
            let stream = format!("case{case}-{number}");
            let [ours, stock] = [
                repositories[0].get_events::<A>(&stream).await.unwrap(),
                repositories[1].get_events::<A>(&stream).await.unwrap(),
            ];
            assert_eq!(format!("{ours:?}"), format!("{stock:?}"));
        }
    }
    let mut replayed = Vec::new();
    for repository in repositories {
        let (query, kept) = Keep::<A>::new();
        let mut replay = QueryReplay::new(repository, *query);
        replay.use_error_handler(Box::new(|error| panic!("{error}")));
        replay.replay_all().await.unwrap();
        let mut events = std::mem::take(&mut *kept.lock());
        events.sort();
        replayed.push(events);
    }
    assert!(!replayed[0].is_empty());
    assert_eq!(replayed[0], replayed[1]);
}

async fn conform<A, C>(of: impl Fn(&Node) -> Streams<A>, command: C, cases: usize, length: usize)
where
    A: Eventful,
    A::Command: Clone + Debug,
    C: Strategy<Value = A::Command>,
{
    let stage = Stage::open().await;
    let stock_database = TestDatabase::empty().await;
    let stock_pool = stock_database.pool().await;
    stock_pool.execute(STOCK_TABLES).await.unwrap();
    // Hardly any memory: most commands load their stream, from a snapshot or whole.
    let options = LedgerOptions { resident: 1, snapshot_every: 4, ..LedgerOptions::new("a") };
    let node = Node::with(stage.database.server.clone(), options).await;
    let streams = of(&node);
    let mut runner = TestRunner::deterministic();
    let list = proptest::collection::vec((0..STREAMS, command), length);
    let (mut accepted, mut refused) = (0, 0);
    for case in 0..cases {
        let commands = list.new_tree(&mut runner).unwrap().current();
        let ours = || StreamStore::new(streams.clone());
        let memory = MemStore::<A>::default();
        let stock = || {
            let repository = PostgresEventRepository::new(stock_pool.clone());
            PersistedEventStore::<_, A>::new_event_store(repository)
        };
        let ours = play(ours(), ours(), case, &commands).await;
        assert_eq!(ours, play(memory.clone(), memory, case, &commands).await, "{commands:#?}");
        assert_eq!(ours, play(stock(), stock(), case, &commands).await, "{commands:#?}");
        accepted += ours.answers.iter().filter(|answer| *answer == "Ok(())").count();
        refused += ours.answers.iter().filter(|answer| answer.starts_with("Err(User")).count();
        assert_eq!(accepted + refused, (case + 1) * length, "only refusals are errors");
    }
    assert!(accepted > 0 && refused > 0, "{accepted} accepted, {refused} refused");
    assert_same_tables::<A>(&stage.pool, &stock_pool, cases).await;
    let log = stage.audited().await;
    for stream in (0..cases).flat_map(|case| (0..STREAMS).map(move |n| format!("case{case}-{n}"))) {
        assert_eq!(streams.peek(&stream, A::clone).await.unwrap(), log.fold::<A>(&stream));
    }
    drop(streams);
    node.stop().await;
    stock_pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_behave_the_same_in_all_three_stores() {
    conform(|node| node.ledger.accounts.clone(), commands::account(), 8, 60).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn master_accounts_behave_the_same_in_all_three_stores() {
    conform(|node| node.ledger.master_accounts.clone(), commands::master(), 5, 40).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn price_books_behave_the_same_in_all_three_stores() {
    conform(|node| node.ledger.prices.clone(), commands::prices(), 5, 30).await;
}

/// What was there, what was asked, and what came of it.
struct Step<A: Eventful> {
    given: Vec<A::Event>,
    when: A::Command,
    then: Result<Vec<A::Event>, A::Error>,
}

fn history<A: Eventful>(command: impl Strategy<Value = A::Command>) -> Vec<Step<A>>
where
    A::Command: Clone + Debug,
    A::Error: Clone,
{
    let mut runner = TestRunner::deterministic();
    let (mut state, mut given, mut steps) = (A::default(), Vec::new(), Vec::new());
    for _ in 0..200 {
        let when = command.new_tree(&mut runner).unwrap().current();
        let then = state.decide(when.clone());
        steps.push(Step { given: given.clone(), when, then: then.clone() });
        for event in then.into_iter().flatten() {
            state.evolve(&event);
            given.push(event);
        }
    }
    steps
}

fn assert_framework<A: Eventful>(command: impl Strategy<Value = A::Command>)
where
    A::Command: Clone + Debug,
    A::Error: Clone + PartialEq,
{
    for Step { given, when, then } in history::<A>(command) {
        let result = TestFramework::<A>::with(()).given(given).when(when);
        match then {
            Ok(events) => result.then_expect_events(events),
            Err(error) => result.then_expect_error(error),
        }
    }
}

#[test]
fn the_test_framework_works_with_every_aggregate() {
    assert_framework::<Account>(commands::account());
    assert_framework::<MasterAccount>(commands::master());
    assert_framework::<PriceBook>(commands::prices());
    TestFramework::<Account>::with(())
        .given_no_previous_events()
        .when(settle(reservation(), "1"))
        .then_expect_error_message("the account is not open");
}
