//! PostgreSQL killed without warning under load.

use std::process::Command;

use sqlx::postgres::PgPoolOptions;
use tollgate::database::{self, PrivatePostgres};
use tollgate::ledger::LedgerOptions;

use super::audit::Log;
use super::commits::{Load, Told, assert_exactly_once};
use super::{Node, eventually};
use crate::cluster::CaredDirectory;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_postgres_loses_nothing_acknowledged_and_doubles_nothing() {
    // A server of its own: the other tests need theirs.
    let directory = CaredDirectory::new();
    let postgres = PrivatePostgres::start(directory.path()).await.unwrap();
    database::migrate(&postgres.owner_options()).await.unwrap();
    let node = Node::with(postgres.server_options(), LedgerOptions::new("a")).await;
    let load = Load::start(&node, 32);
    let goes_on = async || {
        let events = node.engine().stats().events;
        eventually("commands are acknowledged", async || {
            node.engine().stats().events > events + 300
        })
        .await;
    };
    for _ in 0..4 {
        goes_on().await;
        let pid = postgres.pid().expect("it runs").to_string();
        assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
        // Its sessions notice the end of their parent one after the other.
        eventually("it is started again", async || postgres.ensure_running().await.unwrap()).await;
    }
    goes_on().await;
    let told = load.stop().await;
    let done = told.values().filter(|told| **told == Told::Done).count();
    assert!(done > 1_500, "{done} of {}", told.len());
    let pool = PgPoolOptions::new().connect_with(postgres.owner_options()).await.unwrap();
    assert_exactly_once(&Log::audited(&pool).await, &told);
    assert!(node.engine().stats().reconnects >= 4);
    pool.close().await;
    node.stop().await;
    postgres.stop().await.unwrap();
}
