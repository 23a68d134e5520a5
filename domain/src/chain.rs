//! The hash chain that makes a rewritten history visible.

use sha2::{Digest, Sha256};

use crate::time::Timestamp;

/// SHA-256 of one stored event, chained to the event before it in its stream.
pub type EventHash = [u8; 32];

/// What the first event of a stream is chained to.
pub const GENESIS: EventHash = [0; 32];

/// One event exactly as it is stored.
#[derive(Debug, Clone, Copy)]
pub struct StoredBytes<'a> {
    /// `account`, `master_account`, `price_book`.
    pub aggregate_type: &'a str,
    /// The stream's id.
    pub aggregate_id: &'a str,
    /// From 1, without gaps.
    pub sequence: u64,
    /// The event's name.
    pub event_type: &'a str,
    /// The event's version.
    pub event_version: &'a str,
    /// When the writing process recorded it.
    pub recorded_at: Timestamp,
    /// The JSON text as stored, never re-encoded.
    pub payload: &'a str,
    /// The JSON text as stored, never re-encoded.
    pub metadata: &'a str,
}

/// `SHA-256(previous ‖ length-prefixed fields)`; lengths and numbers are 8 bytes, big-endian.
///
/// The length prefixes keep two different events from having the same bytes.
#[must_use]
pub fn event_hash(previous: &EventHash, event: StoredBytes<'_>) -> EventHash {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    let mut field = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_be_bytes());
        hasher.update(bytes);
    };
    field(event.aggregate_type.as_bytes());
    field(event.aggregate_id.as_bytes());
    field(&event.sequence.to_be_bytes());
    field(event.event_type.as_bytes());
    field(event.event_version.as_bytes());
    field(&event.recorded_at.micros().to_be_bytes());
    field(event.payload.as_bytes());
    field(event.metadata.as_bytes());
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(hash: &EventHash) -> String {
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn first() -> StoredBytes<'static> {
        StoredBytes {
            aggregate_type: "account",
            aggregate_id: "acct_01k2g00000e008000000000001",
            sequence: 1,
            event_type: "AccountOpened",
            event_version: "1",
            recorded_at: Timestamp(1_786_147_200_000_000),
            payload: "{\"AccountOpened\":{\"account\":\"acct_01k2g00000e008000000000001\",\
                      \"owner\":\"usr_01k2g00000e008000000000002\"}}",
            metadata: "{\"actor\":\"system:test\",\"node\":\"n1\"}",
        }
    }

    /// The digests were computed by another implementation (Python's hashlib).
    #[test]
    fn the_chain_is_what_an_independent_implementation_computes() {
        let one = event_hash(&GENESIS, first());
        assert_eq!(hex(&one), "0628525ad25b78fb0d177f98787215299b57ece7341e7beaa96dd4c081157442");
        let second = StoredBytes {
            sequence: 2,
            event_type: "AccountSuspended",
            recorded_at: Timestamp(-1),
            payload: "{\"AccountSuspended\": {\"reason\": \"жалоба\"}}",
            ..first()
        };
        let two = event_hash(&one, second);
        assert_eq!(hex(&two), "fffc7847dac42671dc3232574351209afa8e413a4e9662f24cc514ce73a18394");
    }

    #[test]
    fn every_field_and_the_border_between_two_fields_count() {
        let others = [
            StoredBytes { aggregate_type: "accounts", ..first() },
            StoredBytes { aggregate_id: "acct_02", ..first() },
            StoredBytes { sequence: 2, ..first() },
            StoredBytes { event_type: "AccountOpene", event_version: "d1", ..first() },
            StoredBytes { event_version: "2", ..first() },
            StoredBytes { recorded_at: Timestamp(0), ..first() },
            StoredBytes { payload: "{}", ..first() },
            StoredBytes { metadata: "{}", ..first() },
        ];
        let mut hashes: Vec<_> = others.map(|event| event_hash(&GENESIS, event)).to_vec();
        hashes.push(event_hash(&GENESIS, first()));
        hashes.push(event_hash(&[1; 32], first()));
        let count = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), count);
    }
}
