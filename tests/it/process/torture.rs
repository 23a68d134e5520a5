//! Two gateways on one database and one hot account, while everything that can end suddenly does:
//! the gateways, PostgreSQL, single backends of it, and the connection to it at any byte.
//!
//! Two minutes of it are a test like any other; `make torture` runs 200 rounds.
//! `TORTURE_SEED` repeats a run's choices.

use std::env;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

use super::keyed::assert_one_outcome_each;
use super::kill::{answers, assert_balances, assert_told, top_ups};
use super::load::{Load, Memories};
use super::wire::Wire;
use super::{Gateway, Place, Process, START, signal, until};
use crate::fate;

/// How long the rounds of an ordinary run take.
const TIME: Duration = Duration::from_secs(110);
/// Fewer would not be worth the start.
const LEAST_ROUNDS: u32 = 5;
/// Answers between two blows.
const ANSWERS: u64 = 40;
/// Longer than a killed PostgreSQL needs to come back, so that only a dead process counts as gone.
const GONE_SECONDS: &str = "12";
const RECOVERY: Duration = Duration::from_secs(60);

/// What happens in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    /// SIGKILL to one of the gateways.
    Gateway(usize),
    /// SIGKILL to both.
    BothGateways,
    /// SIGKILL to PostgreSQL's first process.
    Postmaster,
    /// SIGKILL to one of its backends, whereupon it restarts all of them.
    Backend,
    /// One connection of the second gateway ends after some byte.
    Wire,
    /// A gateway and PostgreSQL together.
    GatewayAndPostmaster(usize),
}

impl Blow {
    fn choose(random: &mut StdRng) -> Self {
        let gateway = random.random_range(0..2);
        match random.random_range(0..10) {
            0..=1 => Self::Gateway(gateway),
            2 => Self::BothGateways,
            3 => Self::Postmaster,
            4 => Self::Backend,
            5..=8 => Self::Wire,
            _ => Self::GatewayAndPostmaster(gateway),
        }
    }

    fn kills(self, gateway: usize) -> bool {
        match self {
            Self::Gateway(killed) | Self::GatewayAndPostmaster(killed) => killed == gateway,
            Self::BothGateways => true,
            Self::Postmaster | Self::Backend | Self::Wire => false,
        }
    }
}

struct Scene {
    place: Place,
    /// A process of its own, so that it remembers what it billed.
    _sandbox: Process,
    upstream: String,
    wire: Option<Wire>,
}

impl Scene {
    async fn set() -> Self {
        let place = Place::new();
        let arguments = ["sandbox", "--listen", "127.0.0.1:0"];
        let mut sandbox = Process::spawn(place.path(), &arguments, &[]);
        let upstream = sandbox.said("upstream listens on ").await;
        Self { place, _sandbox: sandbox, upstream, wire: None }
    }

    /// The first gateway cares for the private PostgreSQL, the second one comes over the wire.
    async fn serve(&self, number: usize) -> Gateway {
        let mut variables = vec![
            ("OPENROUTER_BASE_URL", self.upstream.clone()),
            ("OPENROUTER_MASTER_KEYS", "sk-or-test".to_owned()),
            ("RECOVERY_GONE_SECONDS", GONE_SECONDS.to_owned()),
            ("RECOVERY_LOOK_SECONDS", "1".to_owned()),
        ];
        if let (1, Some(wire)) = (number, &self.wire) {
            variables.extend(self.place.variables_beside(wire.directory()).await);
        }
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Gateway::serve_again(&self.place, &variables).await
    }
}

/// The process of some backend that serves one of us.
async fn some_backend(place: &Place, random: &mut StdRng) -> Option<u32> {
    let options = place.postgres().await.server_options();
    let mut connection = PgConnection::connect_with(&options).await.ok()?;
    let found: Vec<i32> = sqlx::query_scalar(
        "SELECT pid FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
    )
    .fetch_all(&mut connection)
    .await
    .ok()?;
    connection.close().await.ok()?;
    let found = found.get(random.random_range(0..found.len().max(1)))?;
    u32::try_from(*found).ok()
}

fn is_running(pid: u32) -> bool {
    Path::new("/proc").join(pid.to_string()).exists()
        || Command::new("kill").args(["-0", &pid.to_string()]).status().is_ok_and(|s| s.success())
}

async fn strike(scene: &Scene, blow: Blow, random: &mut StdRng) {
    match blow {
        Blow::Gateway(_) | Blow::BothGateways => {}
        Blow::Postmaster | Blow::GatewayAndPostmaster(_) => {
            // It may be on its way back from an earlier blow.
            let pid = until("PostgreSQL runs", START, async || {
                scene.place.postgres().await.pid().filter(|pid| is_running(*pid))
            });
            signal("KILL", pid.await);
        }
        Blow::Backend => {
            if let Some(pid) = some_backend(&scene.place, random).await {
                // It may have ended by itself meanwhile.
                let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
            }
        }
        Blow::Wire => {
            let wire = scene.wire.as_ref().expect("it is there");
            let cuts = wire.cuts();
            wire.cut_after(random.random_range(1..60_000));
            until("the wire is cut", RECOVERY, async || (wire.cuts() > cuts).then_some(())).await;
        }
    }
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_under_blows_lose_nothing_and_charge_nothing_twice() {
    let seed = number("TORTURE_SEED").unwrap_or_else(|| rand::rng().random_range(0..1_000_000));
    let rounds = number("TORTURE_ROUNDS");
    println!("TORTURE_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut scene = Scene::set().await;
    let first = scene.serve(0).await;
    let server = scene.place.postgres().await.server_options();
    let socket = server.get_socket().expect("it has one").clone();
    scene.wire = Some(Wire::before(&socket, scene.place.path().join("w")));
    let mut gateways = [first, scene.serve(1).await];

    let (account, one) = gateways[0].customer("hot", &super::kill::DOLLARS.to_string()).await;
    let session = gateways[0].sign_in("hot@example.com").await;
    let another = serde_json::json!({ "name": "another" });
    let another = gateways[0].post("/v1/auth/api-keys", &session, &another).await;
    let keys = [one, another["key"].as_str().expect("a key").to_owned()];
    let admin = gateways[0].sign_in(super::ADMIN).await;
    let load = Load::start(&[&gateways[0], &gateways[1]], &keys, admin, &account);

    let (mut killed, mut blows) = (Vec::new(), 0);
    let begun = Instant::now();
    let more = |blows: u32| match rounds {
        Some(rounds) => u64::from(blows) < rounds,
        None => blows < LEAST_ROUNDS || begun.elapsed() < TIME,
    };
    while more(blows) {
        answers(&load, ANSWERS).await;
        let blow = Blow::choose(&mut random);
        println!("{blows}: {blow:?} after {:?}", begun.elapsed());
        let mut nodes = Vec::new();
        for gateway in &gateways {
            nodes.push(gateway.node().await);
        }
        strike(&scene, blow, &mut random).await;
        for (index, node) in nodes.into_iter().enumerate() {
            if blow.kills(index) {
                killed.push(node);
                gateways[index].process.stop_at_once();
            }
        }
        for (index, gateway) in gateways.iter_mut().enumerate() {
            if blow.kills(index) {
                *gateway = scene.serve(index).await;
                load.follow(index, gateway);
            }
        }
        blows += 1;
    }
    answers(&load, ANSWERS).await;
    let Memories { told, outcomes, dollars } = load.stop().await;
    let cuts = scene.wire.as_ref().map_or(0, Wire::cuts);
    println!("{blows} blows, {cuts} of them cut the wire, in {:?}", begun.elapsed());

    let pool = scene.place.pool().await;
    let fates = fate::all_ended(&pool, RECOVERY).await;
    assert_told(&told, &fates, &killed);
    assert_one_outcome_each(&pool, &outcomes, &fates).await;
    for gateway in gateways.into_iter().rev() {
        gateway.process.terminate();
        assert!(gateway.process.ended().await.success());
    }
    let booked = top_ups(&pool, &account).await;
    assert!((dollars..=dollars + 1).contains(&booked), "{booked} booked, {dollars} acknowledged");
    assert_balances(&pool, &fates, &[account], booked).await;
    pool.close().await;
    scene.place.audit().await;
}
