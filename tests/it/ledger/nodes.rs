//! Two nodes on one database.

use std::sync::Arc;

use tokio::task::JoinSet;
use tollgate::ledger::CommandError;
use tollgate_domain::account::AccountCommand;
use tollgate_domain::{Account, AccountError};

use super::account::{Funded, dollars, release, reservation, reserve, send, settle, top_up};
use super::counter::{Count, Counter};
use super::{Node, Stage, by, eventually, fresh, soon};

async fn two(stage: &Stage) -> [Arc<Node>; 2] {
    [Arc::new(stage.node("a").await), Arc::new(stage.node("b").await)]
}

async fn stop(nodes: [Arc<Node>; 2]) {
    for node in nodes {
        Arc::into_inner(node).expect("the last handle").stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_on_the_same_streams_lose_and_double_nothing() {
    let stage = Stage::open().await;
    let nodes = two(&stage).await;
    let mut tasks = JoinSet::new();
    for task in 0..64 {
        let node = nodes[task % 2].clone();
        tasks.spawn(async move {
            let mut outcomes = Vec::new();
            for turn in 0..12 {
                let (id, stream) = (fresh(), format!("c{}", (task + turn) % 4));
                let done = node.counters.execute(&stream, super::add(id), &by("test"), None).await;
                outcomes.push((id, done.is_ok()));
                assert!(matches!(done, Ok(_) | Err(CommandError::Conflict)), "{done:?}");
            }
            outcomes
        });
    }
    let mut outcomes = Vec::new();
    while let Some(done) = soon("the clients", tasks.join_next()).await {
        outcomes.extend(done.unwrap());
    }
    let log = stage.audited().await;
    let added = log.added();
    for (id, acknowledged) in &outcomes {
        let times = added.get(id).copied().unwrap_or_default();
        assert_eq!(times, usize::from(*acknowledged), "command {id}");
    }
    let refused = outcomes.iter().filter(|(_, acknowledged)| !acknowledged).count();
    let conflicts: u64 = nodes.iter().map(|node| node.engine().stats().conflicts).sum();
    assert!(conflicts > 0, "the nodes never met, so nothing was tested");
    assert!(refused * 10 <= outcomes.len(), "{refused} of {} were refused", outcomes.len());
    stop(nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_for_ten_requests_serves_exactly_ten_of_64_clients_on_two_nodes() {
    for _ in 0..3 {
        let stage = Stage::open().await;
        let nodes = two(&stage).await;
        let account = Funded::open(&nodes[0], "1.00").await;
        let mut tasks = JoinSet::new();
        for client in 0..64 {
            let (node, account) = (nodes[client % 2].clone(), account.clone());
            tasks.spawn(async move {
                loop {
                    let command = reserve(&account, reservation(), "0.10");
                    match send(&node, &account, command).await {
                        Ok(()) => return true,
                        Err(CommandError::Refused(AccountError::InsufficientFunds { .. })) => {
                            return false;
                        }
                        Err(CommandError::Conflict) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
            });
        }
        let mut served = 0;
        while let Some(done) = soon("the clients", tasks.join_next()).await {
            served += usize::from(done.unwrap());
        }
        assert_eq!(served, 10);
        let log = stage.audited().await;
        let mut folded = Account::default();
        for event in log.of(&account.stream) {
            tollgate_domain::Eventful::evolve(
                &mut folded,
                &serde_json::from_str(&event.payload).unwrap(),
            );
            assert!(!folded.available().is_negative(), "after event {}", event.sequence);
        }
        assert!(folded.available().is_zero());
        stop(nodes).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_on_old_state_is_looked_at_again() {
    let stage = Stage::open().await;
    let nodes = two(&stage).await;
    let account = Funded::open(&nodes[0], "1.00").await;
    let command = || reserve(&account, reservation(), "1.50");
    let refused = send(&nodes[1], &account, command()).await.unwrap_err();
    assert!(matches!(refused, CommandError::Refused(AccountError::InsufficientFunds { .. })));
    send(&nodes[0], &account, top_up("1.00")).await.unwrap();
    // A refusal may be a second old, and no older.
    let begun = std::time::Instant::now();
    eventually("node b sees the top-up", || async {
        send(&nodes[1], &account, command()).await.is_ok()
    })
    .await;
    assert!(begun.elapsed().as_millis() < 3_000, "{:?}", begun.elapsed());
    stage.audited().await;
    stop(nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_one_node_revoked_is_refused_by_the_other_at_once() {
    let stage = Stage::open().await;
    let nodes = two(&stage).await;
    let account = Funded::open(&nodes[0], "1.00").await;
    send(&nodes[1], &account, reserve(&account, reservation(), "0.10")).await.unwrap();
    send(&nodes[0], &account, AccountCommand::RevokeKey { key: account.key }).await.unwrap();
    let refused = send(&nodes[1], &account, reserve(&account, reservation(), "0.10")).await;
    assert!(
        matches!(refused, Err(CommandError::Refused(AccountError::KeyRevoked(_)))),
        "{refused:?}"
    );
    stage.audited().await;
    stop(nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_left_to_do_is_not_said_on_old_state() {
    let stage = Stage::open().await;
    let nodes = two(&stage).await;
    let set = async |node: &Node, sum| {
        let done = node.counters.execute("c", Count::SetTo(sum), &by("test"), None).await;
        done.unwrap().events.len()
    };
    assert_eq!(set(&nodes[0], 5).await, 1);
    assert_eq!(set(&nodes[1], 7).await, 1);
    assert_eq!(set(&nodes[0], 5).await, 1, "node a believed that it still was 5");
    assert_eq!(set(&nodes[0], 5).await, 0);
    assert_eq!(stage.audited().await.fold::<Counter>("c").sum, 5);
    stop(nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn balances_are_right_after_two_nodes_charged_the_same_account() {
    let stage = Stage::open().await;
    let nodes = two(&stage).await;
    let account = Funded::open(&nodes[0], "50").await;
    let mut tasks = JoinSet::new();
    for client in 0..16 {
        let (node, account) = (nodes[client % 2].clone(), account.clone());
        tasks.spawn(async move {
            for turn in 0..4 {
                let id = reservation();
                let end = || if turn % 2 == 0 { settle(id, "0.10") } else { release(id) };
                for command in [reserve(&account, id, "0.20"), end()] {
                    while let Err(error) = send(&node, &account, command.clone()).await {
                        assert!(matches!(error, CommandError::Conflict), "{error}");
                    }
                }
            }
        });
    }
    while let Some(done) = soon("the clients", tasks.join_next()).await {
        done.unwrap();
    }
    let folded: Account = stage.audited().await.fold(&account.stream);
    assert!(folded.reserved().is_zero());
    // 16 × 2 charges of 0.10 × 0.8.
    assert_eq!(folded.balance(), dollars("47.44"));
    stop(nodes).await;
}
