//! Replacing the keys of an installation.

use serde_json::json;
use tollgate::config::{EncryptionKey, Secret};
use tollgate::identity::{Sealer, UpstreamKeys};
use tollgate::operations::rotation::{RotationError, rotate};

use super::spend;
use crate::app::TestApp;

/// The key of the application under test.
const OLD: [u8; 32] = [0x42; 32];
const NEW: [u8; 32] = [0x43; 32];

fn keys(app: &TestApp, sealer: Sealer) -> UpstreamKeys {
    UpstreamKeys::new(app.state().database.pool().clone(), sealer)
}

fn both() -> Sealer {
    Sealer::new(&EncryptionKey::new(NEW)).opening_also(Some(&EncryptionKey::new(OLD)))
}

/// What stands in the table, in order.
async fn sealed(app: &TestApp) -> Vec<String> {
    sqlx::query_scalar("SELECT sealed_key FROM upstream_keys ORDER BY master_account_id")
        .fetch_all(app.state().database.pool())
        .await
        .expect("the table")
}

async fn add_master(app: &TestApp, key: &str) {
    let admin = app.admin().await.token;
    let body = json!({
        "label": key, "provider": "sandbox", "base_url": "http://127.0.0.1:9", "api_key": key,
    });
    app.post("/v1/admin/master-accounts", &admin, &body).await.expect(201);
}

#[tokio::test]
async fn secrets_are_sealed_again_only_when_every_node_knows_the_new_key() {
    let app = TestApp::start().await;
    add_master(&app, "sk-second").await;
    let (pool, gone) = (app.state().database.pool(), app.state().config.recovery.gone);
    let before = sealed(&app).await;
    let refused = rotate(pool, &keys(&app, both()), gone).await;
    assert!(matches!(refused, Err(RotationError::Nodes(nodes)) if nodes.len() == 1));
    assert_eq!(sealed(&app).await, before);

    // As if it had been started again with both.
    sqlx::query("UPDATE nodes SET encryption_keys = $1")
        .bind(both().names())
        .execute(pool)
        .await
        .expect("the node");
    let done = rotate(pool, &keys(&app, both()), gone).await.expect("all nodes know it");
    assert_eq!((done.all, done.changed), (2, 2));
    let done = rotate(pool, &keys(&app, both()), gone).await.expect("again");
    assert_eq!((done.all, done.changed), (2, 0));
    let name = Sealer::new(&EncryptionKey::new(NEW)).name();
    assert!(sealed(&app).await.iter().all(|text| text.starts_with(&format!("v2:{name}:"))));
    app.audit().await;
}

#[tokio::test]
async fn a_rotation_that_cannot_end_leaves_every_secret_as_it_was() {
    let app = TestApp::start().await;
    add_master(&app, "sk-second").await;
    let pool = app.state().database.pool();
    let before = sealed(&app).await;
    // Somebody holds the last row; then the process is killed, and its connection with it.
    let mut lock = pool.begin().await.expect("a transaction");
    sqlx::query("SELECT 1 FROM upstream_keys ORDER BY master_account_id DESC LIMIT 1 FOR UPDATE")
        .execute(&mut *lock)
        .await
        .expect("the row");
    let rotating = keys(&app, both());
    let task = tokio::spawn(async move { rotating.reseal().await });
    let waiting = async || {
        let sql = "SELECT count(*) FROM pg_stat_activity
                   WHERE wait_event_type = 'Lock' AND query LIKE '%FROM upstream_keys%'";
        sqlx::query_scalar::<_, i64>(sql).fetch_one(pool).await.expect("the activity") > 0
    };
    while !waiting().await {
        tokio::task::yield_now().await;
    }
    task.abort();
    assert!(task.await.expect_err("it was killed").is_cancelled());
    lock.rollback().await.expect("the end of the lock");
    assert_eq!(sealed(&app).await, before);

    // One that does not open stops all of it.
    sqlx::query(
        "UPDATE upstream_keys SET sealed_key = 'v1:AAAA' WHERE master_account_id =
            (SELECT max(master_account_id) FROM upstream_keys)",
    )
    .execute(pool)
    .await
    .expect("the damage");
    let damaged = sealed(&app).await;
    let error = keys(&app, both()).reseal().await.expect_err("one does not open");
    assert!(error.to_string().contains("nothing was changed"), "{error}");
    assert_eq!(sealed(&app).await, damaged);
    app.audit().await;
}

#[tokio::test]
async fn a_server_with_both_keys_opens_what_either_has_sealed() {
    let app = TestApp::start_with(|config| {
        config.encryption_key = EncryptionKey::new(NEW);
        config.encryption_key_previous = Some(EncryptionKey::new(OLD));
        config.secret_key_previous = Some(Secret::new("the secret key before, long enough"));
    })
    .await;
    let (ada, key) = app.paying_customer("ada").await;
    spend(&app, &key, 1).await.expect(200);
    // Put back as the old key had sealed it: the next refresh opens it all the same.
    let old = keys(
        &app,
        Sealer::new(&EncryptionKey::new(OLD)).opening_also(Some(&EncryptionKey::new(NEW))),
    );
    assert_eq!(old.reseal().await.expect("both open").changed, 1);
    let masters = app.state().gateway.masters();
    let count = masters.refresh(&app.state().ledger, &app.state().upstream_keys).await;
    assert_eq!(count.expect("the database"), 1);
    spend(&app, &key, 1).await.expect(200);
    app.get("/v1/client/balance", &ada.token).await.expect(200);
    app.audit().await;
}
