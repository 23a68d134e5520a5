//! Idempotency keys: one command, one answer, for ever.

use tokio::task::JoinSet;
use tollgate::ledger::{CommandError, Idempotency, KeptResult};

use super::counter::{Count, Counter, TooLittle};
use super::{Held, Node, Stage, by, fresh, soon};

fn key(name: &str, content: &str) -> Option<Idempotency> {
    Some(Idempotency::new("admin:top_up", name, content, format!("{{\"told\":\"{content}\"}}")))
}

fn used(outcome: Result<impl std::fmt::Debug, CommandError<TooLittle>>) -> KeptResult {
    match outcome {
        Err(CommandError::KeyUsed(kept)) => kept,
        other => panic!("the key was used, and the answer is {other:?}"),
    }
}

async fn send(node: &Node, stream: &str, key: Option<Idempotency>) -> Option<KeptResult> {
    let add = super::add(fresh());
    match node.counters.execute(stream, add, &by("test"), key).await {
        Ok(_) => None,
        refused => Some(used(refused)),
    }
}

/// From 32 tasks at once, on the streams and nodes in turn.
async fn at_once(stage: &Stage, nodes: &[&Node], streams: usize) {
    let mut tasks = JoinSet::new();
    for task in 0..32 {
        let counters = nodes[task % nodes.len()].counters.clone();
        tasks.spawn(async move {
            let (stream, command) = (format!("c{}", task % streams), super::add(fresh()));
            counters.execute(&stream, command, &by("test"), key("k", "ten dollars")).await
        });
    }
    let mut done = 0;
    while let Some(outcome) = soon("the clients", tasks.join_next()).await {
        match outcome.unwrap() {
            Ok(_) => done += 1,
            refused => {
                let kept = used(refused);
                assert_eq!(kept.result, r#"{"told":"ten dollars"}"#);
                let ours = key("k", "ten dollars").unwrap();
                assert_eq!(kept.fingerprint, ours.fingerprint, "the same command");
            }
        }
    }
    assert_eq!(done, 1);
    assert_eq!(stage.audited().await.0.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_from_32_tasks_at_once_is_one_event() {
    for streams in [1, 8] {
        let stage = Stage::open().await;
        let node = stage.node("a").await;
        at_once(&stage, &[&node], streams).await;
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_from_two_nodes_at_once_is_one_event() {
    let stage = Stage::open().await;
    let (a, b) = (stage.node("a").await, stage.node("b").await);
    at_once(&stage, &[&a, &b], 4).await;
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_content_under_a_used_key_is_told_apart() {
    let stage = Stage::open().await;
    let node = stage.node("a").await;
    assert_eq!(send(&node, "c", key("k", "ten dollars")).await, None);
    let kept = send(&node, "c", key("k", "twenty dollars")).await.expect("the key was used");
    assert_eq!(kept.result, r#"{"told":"ten dollars"}"#);
    assert_ne!(kept.fingerprint, key("k", "twenty dollars").unwrap().fingerprint);
    let other = Idempotency { scope: "admin:refund".into(), ..key("k", "ten dollars").unwrap() };
    assert_eq!(send(&node, "c", Some(other)).await, None, "a key belongs to its scope");
    assert_eq!(stage.audited().await.0.len(), 2);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_stand_behind_a_used_key_each_is_told_so() {
    let stage = Stage::open().await;
    let node = stage.one_writer().await;
    assert_eq!(send(&node, "c", key("k", "x")).await, None);
    node.add("d", fresh()).await;
    let held = Held::take(&stage).await;
    let counters = node.counters.clone();
    let blocked =
        tokio::spawn(
            async move { counters.execute("d", super::add(fresh()), &by("test"), None).await },
        );
    held.until_the_writer_waits(&stage).await;
    // Each is decided on what the one before it would have made of the stream.
    let mut tasks = JoinSet::new();
    for _ in 0..200 {
        let counters = node.counters.clone();
        tasks.spawn(async move {
            counters.execute("c", super::add(fresh()), &by("test"), key("k", "x")).await
        });
    }
    super::eventually("all of them wait", || async { node.engine().waiting() == 200 }).await;
    held.release().await;
    soon("the first one", blocked).await.unwrap().unwrap();
    while let Some(outcome) = soon("the others", tasks.join_next()).await {
        used(outcome.unwrap());
    }
    assert_eq!(stage.audited().await.0.len(), 3);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_survive_a_restart() {
    let stage = Stage::open().await;
    let node = stage.node("a").await;
    assert_eq!(send(&node, "c", key("k", "ten dollars")).await, None);
    node.stop().await;
    let node = stage.node("a").await;
    let kept = node.ledger.find_kept("admin:top_up", "k").await.unwrap().expect("it is kept");
    assert_eq!(send(&node, "c", key("k", "ten dollars")).await, Some(kept));
    assert_eq!(node.ledger.find_kept("admin:top_up", "other").await.unwrap(), None);
    assert_eq!(stage.audited().await.0.len(), 1);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_twice_in_one_batch_disturbs_nobody_else() {
    let stage = Stage::open().await;
    let node = stage.one_writer().await;
    for stream in ["a", "b", "c", "d"] {
        node.add(stream, fresh()).await;
    }
    let held = Held::take(&stage).await;
    let begin = async |stream: &'static str, key| {
        let command = super::add(fresh());
        node.counters.begin(stream, &by("test"), key, |_| command.clone()).await.unwrap()
    };
    let blocked = begin("d", None).await;
    held.until_the_writer_waits(&stage).await;
    // One batch: two commands under one key, one after the second on its stream, and strangers.
    let first = begin("a", key("k", "x")).await;
    let stranger = begin("c", key("other", "y")).await;
    let second = begin("b", key("k", "x")).await;
    let after_second = begin("b", None).await;
    let last = begin("a", None).await;
    held.release().await;
    for done in [blocked, first, stranger, last] {
        soon("the commit", done.committed()).await.unwrap();
    }
    used(soon("the second", second.committed()).await);
    // It stood on the refused one, so it is decided anew by whoever wants it.
    let orphan = soon("what stood on it", after_second.committed()).await;
    assert!(matches!(orphan, Err(CommandError::Conflict)), "{orphan:?}");
    let log = stage.audited().await;
    let sums = ["a", "b", "c", "d"].map(|stream| log.fold::<Counter>(stream).sum);
    assert_eq!(sums, [3, 1, 2, 2]);
    assert_eq!(node.sum("b").await, 1, "memory follows the log");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_key_in_a_batch_leaves_the_other_streams_alone() {
    let stage = Stage::open().await;
    let node = stage.one_writer().await;
    assert_eq!(send(&node, "a", key("k", "x")).await, None);
    let held = Held::take(&stage).await;
    let begin = async |stream: &str, key| {
        let command = super::add(fresh());
        node.counters.begin(stream, &by("test"), key, |_| command.clone()).await.unwrap()
    };
    let blocked = begin("d", None).await;
    held.until_the_writer_waits(&stage).await;
    let mut others = vec![blocked];
    for stream in 0..20 {
        others.push(begin(&format!("s{stream}"), None).await);
    }
    let again = begin("b", key("k", "x")).await;
    for stream in 0..20 {
        others.push(begin(&format!("s{stream}"), key(&stream.to_string(), "y")).await);
    }
    held.release().await;
    used(soon("the used key", again.committed()).await);
    for done in others {
        soon("a stranger", done.committed()).await.unwrap();
    }
    assert_eq!(stage.audited().await.0.len(), 42);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_kept_for_a_command_that_had_nothing_to_do() {
    let stage = Stage::open().await;
    let node = stage.node("a").await;
    let nothing = node.counters.execute("c", Count::SetTo(0), &by("test"), key("k", "x")).await;
    assert!(nothing.unwrap().events.is_empty());
    let kept = send(&node, "c", key("k", "another command")).await.expect("the key was used");
    assert_eq!(kept.result, r#"{"told":"x"}"#);
    assert_eq!(stage.audited().await.0.len(), 0);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_postgres_cannot_store_fails_alone() {
    let stage = Stage::open().await;
    let node = stage.one_writer().await;
    let held = Held::take(&stage).await;
    let begin = async |stream: &str, key| {
        let command = super::add(fresh());
        node.counters.begin(stream, &by("test"), key, |_| command.clone()).await.unwrap()
    };
    let mut good = vec![begin("first", None).await];
    held.until_the_writer_waits(&stage).await;
    // Longer than an index entry may be, and not compressible.
    let long: String = (0..200_u64).map(|n| format!("{:x}", sha2_of(n))).collect();
    let mut bad = Vec::new();
    for stream in 0..12 {
        good.push(begin(&format!("s{stream}"), None).await);
        match stream {
            3 => bad.push(begin("long", key(&long, "x")).await),
            7 => bad.push(begin("zero", key("a\0b", "x")).await),
            9 => {
                let odd = Idempotency::new("s", "odd", "x", "not JSON".into());
                bad.push(begin("odd", Some(odd)).await);
            }
            _ => {}
        }
    }
    held.release().await;
    for refused in bad {
        let refused = soon("what cannot be stored", refused.committed()).await;
        assert!(matches!(refused, Err(CommandError::Ledger(_))), "{refused:?}");
    }
    for done in good {
        soon("a stranger", done.committed()).await.unwrap();
    }
    assert_eq!(stage.audited().await.0.len(), 13);
    assert_eq!(node.engine().stats().reconnects, 0);
    node.stop().await;
}

fn sha2_of(number: u64) -> u128 {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(number.to_be_bytes());
    u128::from_be_bytes(digest[..16].try_into().expect("16 bytes"))
}
