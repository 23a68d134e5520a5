//! Real servers in temporary directories.

use std::process::Command;
use std::time::Duration;

use sqlx::{ConnectOptions, Connection, Row};

use super::*;
use crate::test_directory::TestDirectory;

async fn connect(options: PgConnectOptions) -> PgConnection {
    options.connect().await.unwrap()
}

async fn write_one_row(private: &PrivatePostgres) {
    let mut owner = connect(private.owner_options()).await;
    owner.execute("CREATE TABLE kept (id int8); INSERT INTO kept VALUES (42)").await.unwrap();
    owner.close().await.unwrap();
}

async fn read_the_row(private: &PrivatePostgres) -> i64 {
    let mut owner = connect(private.owner_options()).await;
    let id = owner.fetch_one("SELECT id FROM kept").await.unwrap().get(0);
    owner.close().await.unwrap();
    id
}

fn kill(pid: u32) {
    let status = Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    assert!(status.success());
}

fn is_alive(pid: u32) -> bool {
    Command::new("kill").args(["-0", &pid.to_string()]).output().unwrap().status.success()
}

#[tokio::test]
async fn a_stopped_server_starts_again_with_its_data_and_leaves_no_process() {
    let directory = TestDirectory::new();
    let private = PrivatePostgres::start(directory.path()).await.unwrap();
    let pid = private.pid().unwrap();
    write_one_row(&private).await;
    private.stop().await.unwrap();
    assert!(!is_alive(pid));

    let private = PrivatePostgres::start(directory.path()).await.unwrap();
    assert_ne!(private.pid(), Some(pid));
    assert_eq!(read_the_row(&private).await, 42);
    let pid = private.pid().unwrap();
    drop(private);
    assert!(!is_alive(pid), "dropping the guard stops the server as well");
}

#[tokio::test]
async fn data_survives_a_killed_server_and_the_guard_starts_it_again() {
    let directory = TestDirectory::new();
    let private = PrivatePostgres::start(directory.path()).await.unwrap();
    assert!(!private.ensure_running().await.unwrap());
    write_one_row(&private).await;
    let first = private.pid().unwrap();
    kill(first);
    // The kernel may still be taking the process down; connections fail soon, not at once.
    while private.try_connect().await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(private.ensure_running().await.unwrap());
    assert_ne!(private.pid(), Some(first));
    assert_eq!(read_the_row(&private).await, 42);
    private.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_left_behind_by_a_killed_gateway_is_used_on() {
    let directory = TestDirectory::new();
    let first = PrivatePostgres::start(directory.path()).await.unwrap();
    let pid = first.pid();
    write_one_row(&first).await;

    // A second user of the same directory stands for the gateway after its kill: the server runs,
    // and it is nobody's child here.
    let second = PrivatePostgres::start(directory.path()).await.unwrap();
    assert_eq!(second.pid(), pid);
    first.stop().await.unwrap();
    assert_eq!(read_the_row(&second).await, 42, "the first user's stop took the server away");
    let pid_file = second.server.layout.cluster.join("postmaster.pid");
    second.stop().await.unwrap();
    assert!(!pid_file.exists(), "the last user stops it, whoever started it");
}

#[tokio::test]
async fn the_serving_role_can_create_nothing_and_each_role_needs_its_password() {
    let directory = TestDirectory::new();
    let private = PrivatePostgres::start(directory.path()).await.unwrap();
    let mut server = connect(private.server_options()).await;
    let refused = server.execute("CREATE TABLE mine (id int)").await.unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("42501"));
    server.close().await.unwrap();
    let refused = private.owner_options().password("guess").connect().await.unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("28P01"));

    let (owner, _) = private.create_database("beside").await.unwrap();
    let mut owner = connect(owner).await;
    owner.execute("CREATE TABLE mine (id int)").await.unwrap();
    owner.close().await.unwrap();
    let (_, copy) = private.create_database_from("beside", "copied").await.unwrap();
    let mut copy = connect(copy).await;
    let found: i64 = copy
        .fetch_one("SELECT count(*) FROM pg_tables WHERE tablename = 'mine'")
        .await
        .unwrap()
        .get(0);
    assert_eq!(found, 1);
    let quoted = private.create_database("a\"; DROP DATABASE tollgate").await.unwrap_err();
    assert!(matches!(quoted, PrivatePostgresError::DatabaseName(_)));
    private.stop().await.unwrap();
}

#[tokio::test]
async fn a_directory_with_a_long_path_gets_its_socket_elsewhere() {
    let directory = TestDirectory::new();
    let long = directory.path().join("a".repeat(100));
    let private = PrivatePostgres::start(&long).await.unwrap();
    let socket = private.server.layout.socket.clone();
    assert!(!socket.starts_with(&long));
    write_one_row(&private).await;
    private.stop().await.unwrap();
    std::fs::remove_dir(socket).unwrap();
}

#[tokio::test]
async fn a_directory_that_the_server_cannot_enter_gets_its_cluster_elsewhere() {
    use std::os::unix::fs::PermissionsExt;

    let directory = TestDirectory::new();
    let closed = directory.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    let data_dir = closed.join("data");
    let private = PrivatePostgres::start(&data_dir).await.unwrap();
    let cluster = private.server.layout.cluster.clone();
    write_one_row(&private).await;
    private.stop().await.unwrap();

    let private = PrivatePostgres::start(&data_dir).await.unwrap();
    assert_eq!(private.server.layout.cluster, cluster);
    assert_eq!(read_the_row(&private).await, 42);
    private.stop().await.unwrap();
    if !cluster.starts_with(&data_dir) {
        std::fs::remove_dir_all(cluster.parent().unwrap()).unwrap();
    }
}

#[tokio::test]
async fn books_that_have_disappeared_are_not_replaced_by_empty_ones() {
    let directory = TestDirectory::new();
    PrivatePostgres::start(directory.path()).await.unwrap().stop().await.unwrap();
    let home = directory.path().join("postgres");
    std::fs::rename(&home, directory.path().join("unmounted")).unwrap();
    let refused = PrivatePostgres::start(directory.path()).await.unwrap_err();
    assert!(matches!(refused, PrivatePostgresError::ClusterGone { .. }), "{refused}");
    std::fs::rename(directory.path().join("unmounted"), &home).unwrap();
    PrivatePostgres::start(directory.path()).await.unwrap().stop().await.unwrap();
}
