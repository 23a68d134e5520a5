//! `kill -9` of the gateway and of its PostgreSQL under load, in turn.

use std::collections::BTreeMap;
use std::time::Duration;

use rust_decimal::Decimal;
use sqlx::PgPool;
use tollgate_domain::account::{CostSource, ReleaseReason};
use tollgate_domain::{AccountEvent, Money};
use tollgate_projections::queries::{OpenFilter, PageRequest, balance, open_reservations};

use super::keyed::assert_one_outcome_each;
use super::load::{Load, Memories, Told};
use super::{Gateway, Place, Process, signal, until};
use crate::fate::{self, End, Fate};

const ROUNDS: u64 = 20;
/// Answers between two kills.
const ANSWERS: u64 = 60;
/// How long recovery may take: two seconds until the process counts as gone, one until somebody
/// looks, and the rest for a busy machine.
const RECOVERY: Duration = Duration::from_secs(30);
const CUSTOMERS: usize = 3;
/// What each customer begins with.
pub const DOLLARS: u32 = 20;

struct Scene {
    place: Place,
    /// A process of its own, so that it remembers what it billed when the gateway is killed.
    _sandbox: Process,
    upstream: String,
}

impl Scene {
    async fn set() -> Self {
        let place = Place::new();
        let arguments = ["sandbox", "--listen", "127.0.0.1:0"];
        let mut sandbox = Process::spawn(place.path(), &arguments, &[]);
        let upstream = sandbox.said("upstream listens on ").await;
        Self { place, _sandbox: sandbox, upstream }
    }

    async fn serve(&self) -> Gateway {
        let variables = [
            ("OPENROUTER_BASE_URL", self.upstream.as_str()),
            ("OPENROUTER_MASTER_KEYS", "sk-or-test"),
            ("RECOVERY_GONE_SECONDS", "2"),
            ("RECOVERY_LOOK_SECONDS", "1"),
        ];
        Gateway::serve(&self.place, &variables).await
    }

    /// Waits until nothing is open that another process than `node` has begun.
    async fn recovered(&self, node: &str) {
        let pool = self.place.pool().await;
        let filter = OpenFilter { not_nodes: Some(vec![node.to_owned()]), ..OpenFilter::default() };
        until("recovery", RECOVERY, async || {
            let open = open_reservations(&pool, &filter, &PageRequest::default()).await.ok()?;
            open.items.is_empty().then_some(())
        })
        .await;
        pool.close().await;
    }
}

pub async fn answers(load: &Load, more: u64) {
    let enough = load.count() + more;
    until("answers", RECOVERY * 2, async || (load.count() >= enough).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_kills_under_load_lose_nothing_and_charge_nothing_twice() {
    let scene = Scene::set().await;
    let mut gateway = scene.serve().await;
    scene.place.postgres().await;
    let (mut accounts, mut keys) = (Vec::new(), Vec::new());
    for number in 0..CUSTOMERS {
        let name = format!("customer{number}");
        let (account, key) = gateway.customer(&name, &DOLLARS.to_string()).await;
        accounts.push(account);
        keys.push(key);
    }
    let admin = gateway.sign_in(super::ADMIN).await;
    let load = Load::start(&[&gateway], &keys, admin, &accounts[0]);
    let mut killed = Vec::new();
    for round in 0..ROUNDS {
        answers(&load, ANSWERS).await;
        let node = gateway.node().await;
        // In turn: the gateway, its PostgreSQL, the gateway, both.
        if round % 2 == 1 {
            signal("KILL", scene.place.postgres().await.pid().expect("it runs"));
        }
        if round % 4 != 1 {
            killed.push(node);
            gateway.process.kill();
            gateway = scene.serve().await;
            load.follow(0, &gateway);
            scene.recovered(&gateway.node().await).await;
        }
    }
    answers(&load, ANSWERS).await;
    let Memories { told, outcomes, dollars } = load.stop().await;
    assert!(told.len() as u64 >= ROUNDS * ANSWERS);

    let pool = scene.place.pool().await;
    let fates = fate::all_ended(&pool, RECOVERY).await;
    assert_told(&told, &fates, &killed);
    assert_one_outcome_each(&pool, &outcomes, &fates).await;
    gateway.process.terminate();
    assert!(gateway.process.ended().await.success());
    let booked = top_ups(&pool, &accounts[0]).await;
    assert!((dollars..=dollars + 1).contains(&booked), "{booked} booked, {dollars} acknowledged");
    assert_balances(&pool, &fates, &accounts, booked).await;
    pool.close().await;
    scene.place.audit().await;
}

/// What a client was told is what the books say. Only what was open when its process was killed may
/// have been given back instead, by recovery, with that reason.
pub fn assert_told(told: &[Told], fates: &[Fate], killed: &[String]) {
    let by_request: BTreeMap<&str, &Fate> =
        fates.iter().map(|fate| (fate.request.as_str(), fate)).collect();
    assert_eq!(by_request.len(), fates.len(), "a request has two reservations");
    for told in told {
        let fate = by_request.get(told.request.as_str());
        let fate = fate.unwrap_or_else(|| panic!("{} was acknowledged and is lost", told.request));
        let recovered = fate.ended_by == "system:recovery";
        assert!(!recovered || killed.contains(&fate.node), "recovered without need: {fate:?}");
        match &fate.end {
            Some(End::Settled(settled)) => {
                assert_eq!(settled.charge, told.cost, "{settled:?}");
                assert_eq!(settled.source == CostSource::GenerationRecord, recovered);
            }
            Some(End::Released(ReleaseReason::Recovered)) if recovered => {}
            other => panic!("{} was acknowledged and ended so: {other:?}", told.request),
        }
    }
    let recovered = || fates.iter().filter(|fate| fate.ended_by == "system:recovery");
    let charged = recovered().filter(|fate| fate.charge().is_positive()).count();
    let (all, acknowledged, recovered) = (fates.len(), told.len(), recovered().count());
    println!(
        "{all} requests, {acknowledged} acknowledged, {recovered} recovered, {charged} of these charged"
    );
    // Without these the kills hit nothing that was open, and the test shows nothing.
    assert!(charged > 0 && recovered > charged, "{charged} of {recovered} were charged");
}

/// How many single dollars an account was topped up with.
pub async fn top_ups(pool: &PgPool, account: &str) -> u64 {
    let one = |event: &AccountEvent| match event {
        AccountEvent::FundsToppedUp { amount, .. } => *amount == Money::dollars(1),
        _ => false,
    };
    let events = fate::account_events(pool).await;
    events.iter().filter(|stored| stored.account == account && one(&stored.event)).count() as u64
}

/// The read model, which lived through all of it, has each balance to the last digit.
pub async fn assert_balances(pool: &PgPool, fates: &[Fate], accounts: &[String], more: u64) {
    for (number, account) in accounts.iter().enumerate() {
        let ours = fates.iter().filter(|fate| &fate.account == account);
        let charged = fate::sum(ours.map(Fate::charge)).decimal();
        let found = balance(pool, account.parse().expect("an id")).await;
        let found = found.expect("the read model").data.expect("the account");
        let dollars = Decimal::from(DOLLARS) + Decimal::from(if number == 0 { more } else { 0 });
        assert_eq!((found.spent, found.reserved), (charged, Decimal::ZERO));
        assert_eq!((found.topped_up, found.balance), (dollars, dollars - charged));
    }
}
