//! The hash chain, computed again from what is stored.

use sha2::{Digest as _, Sha256};
use sqlx::Executor as _;
use tollgate_domain::account::AccountCommand;
use tollgate_domain::chain::event_hash;
use tollgate_domain::ids::AdjustmentId;

use super::account::{Funded, dollars, reservation, reserve, send, settle};
use super::audit::{Log, Stored};
use super::{Count, Stage, by, fresh};

async fn history() -> Stage {
    let stage = Stage::open().await;
    let node = stage.node("a").await;
    let account = Funded::open(&node, "10").await;
    // What JSON, SQL and jsonb trip over is stored as it was written.
    let odd = AccountCommand::PostAdjustment {
        adjustment: AdjustmentId::from_uuid(uuid::Uuid::from_u128(1)),
        amount: dollars("0.000000000001"),
        reason: "\u{0}\u{1} \"quoted\" \\ \u{7f}".into(),
        reference: "Zürich 🧾 ' ; -- \u{2028}".into(),
    };
    send(&node, &account, odd).await.unwrap();
    for _ in 0..5 {
        let id = reservation();
        send(&node, &account, reserve(&account, id, "0.02")).await.unwrap();
        send(&node, &account, settle(id, "0.0076509169000000005")).await.unwrap();
    }
    let many = Count::AddEach { id: fresh(), times: 7 };
    node.counters.execute("c", many, &by("test"), None).await.unwrap();
    node.add("c", fresh()).await;
    node.stop().await;
    stage
}

/// The format as the migration documents it, written down without the domain's code.
fn by_hand(previous: &[u8], event: &Stored) -> Vec<u8> {
    let mut bytes = previous.to_vec();
    for field in [
        event.kind.as_bytes(),
        event.stream.as_bytes(),
        &event.sequence.to_be_bytes(),
        event.name.as_bytes(),
        event.version.as_bytes(),
        &event.recorded_at.to_be_bytes(),
        event.payload.as_bytes(),
        event.metadata.as_bytes(),
    ] {
        bytes.extend((field.len() as u64).to_be_bytes());
        bytes.extend(field);
    }
    Sha256::digest(&bytes).to_vec()
}

#[tokio::test]
async fn every_hash_follows_from_the_stored_bytes_by_the_documented_format() {
    let stage = history().await;
    let log = stage.audited().await;
    let streams: std::collections::BTreeSet<_> = log.0.iter().map(|event| &event.stream).collect();
    assert_eq!(streams.len(), 2);
    for stream in streams {
        let mut previous = vec![0; 32];
        for event in log.of(stream) {
            previous = by_hand(&previous, event);
            assert_eq!(event.hash, previous, "{stream} {}", event.sequence);
        }
    }
}

#[tokio::test]
async fn one_changed_byte_breaks_the_chain_at_its_event() {
    let stage = history().await;
    let before = stage.audited().await;
    let mut superuser = stage.superuser().await;
    let changes = [
        "payload = replace(payload::text, '1', '2')::json",
        "metadata = replace(metadata::text, 'system', 'System')::json",
        "recorded_at = recorded_at + interval '1 microsecond'",
        "event_version = '2'",
        "event_type = event_type || ' '",
    ];
    for change in changes {
        let tamper = format!(
            "BEGIN; ALTER TABLE events DISABLE TRIGGER events_are_append_only;
             UPDATE events SET {change} WHERE aggregate_id = 'c' AND sequence = 3; COMMIT"
        );
        superuser.execute(tamper.as_str()).await.unwrap();
        let after = Log::read(&stage.pool).await;
        let broken = after.of("c").windows(2).position(|pair| {
            let previous = pair[0].hash.as_slice().try_into().unwrap();
            event_hash(&previous, pair[1].bytes()).as_slice() != pair[1].hash
        });
        assert_eq!(broken, Some(1), "{change}: the third event is named");
        let third = before.of("c")[2].clone();
        sqlx::query(
            "UPDATE events SET payload = $1::json, metadata = $2::json, event_version = '1',
                event_type = 'Added',
                recorded_at = to_timestamp(0) + $3 * interval '1 microsecond'
             WHERE aggregate_id = 'c' AND sequence = 3",
        )
        .bind(&third.payload)
        .bind(&third.metadata)
        .bind(third.recorded_at as f64)
        .execute(&mut superuser)
        .await
        .unwrap();
    }
    superuser.execute("ALTER TABLE events ENABLE TRIGGER events_are_append_only").await.unwrap();
    assert_eq!(before.0, stage.audited().await.0);
}
