//! History cannot be rewritten: the trigger refuses the owner, the rights refuse the server.

use sqlx::{ConnectOptions as _, Executor as _};
use tollgate::ledger::Idempotency;

use super::{Stage, by, fresh};

const REWRITES: [&str; 4] = [
    "UPDATE events SET payload = '{}' WHERE sequence = 1",
    "DELETE FROM events",
    "TRUNCATE events",
    "INSERT INTO events SELECT aggregate_type, aggregate_id, 0, event_type, event_version, payload,
        metadata, 99, recorded_at, hash FROM events",
];
const KEY_REWRITES: [&str; 3] = [
    "UPDATE idempotency_keys SET result = '{}'",
    "DELETE FROM idempotency_keys",
    "TRUNCATE idempotency_keys",
];

async fn written() -> Stage {
    let stage = Stage::open().await;
    let node = stage.node("a").await;
    node.add("c", fresh()).await;
    let key = Idempotency::new("test", "k", "content", "{}".into());
    let add = super::add(fresh());
    node.counters.execute("c", add, &by("test"), Some(key)).await.unwrap();
    node.stop().await;
    stage
}

#[tokio::test]
async fn the_owner_of_the_tables_cannot_update_delete_or_truncate_history() {
    let stage = written().await;
    let before = stage.audited().await;
    let mut owner = stage.database.owner.connect().await.unwrap();
    for rewrite in REWRITES[..3].iter().chain(&KEY_REWRITES) {
        let refused = owner.execute(*rewrite).await.expect_err(rewrite);
        let message = refused.as_database_error().expect(rewrite).message().to_owned();
        assert!(message.contains("history is append-only"), "{rewrite}: {message}");
    }
    // Even a statement that meets no row: refused for what it is, not for what it finds.
    owner.execute("DELETE FROM events WHERE false").await.unwrap_err();
    assert_eq!(before.0, stage.audited().await.0);
}

#[tokio::test]
async fn the_role_of_the_server_has_no_right_to_rewrite_history() {
    let stage = written().await;
    let before = stage.audited().await;
    let mut server = stage.database.server.connect().await.unwrap();
    let more = [
        "DROP TABLE events",
        "ALTER TABLE events DISABLE TRIGGER ALL",
        "DROP TRIGGER events_are_append_only ON events",
        "DELETE FROM ledger_head",
        "INSERT INTO ledger_head VALUES (false, 1)",
        "SET session_replication_role = replica",
    ];
    for rewrite in REWRITES[..3].iter().chain(&KEY_REWRITES).chain(&more) {
        let refused = server.execute(*rewrite).await.expect_err(rewrite);
        let code = refused.as_database_error().expect(rewrite).code().unwrap_or_default();
        assert_eq!(code, "42501", "{rewrite}: {refused}");
    }
    assert_eq!(before.0, stage.audited().await.0);
}

#[tokio::test]
async fn a_stream_begins_at_one() {
    let stage = written().await;
    let mut server = stage.database.server.connect().await.unwrap();
    let refused = server.execute(REWRITES[3]).await.unwrap_err();
    let database = refused.as_database_error().unwrap();
    assert_eq!(database.constraint(), Some("events_sequence_from_one"));
    stage.audited().await;
}
