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
