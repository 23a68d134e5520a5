//! One thread of the audit: hashes, decodes, replays and folds the streams that fall to it.

use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tollgate_domain::account::AccountEvent;
use tollgate_domain::chain::{EventHash, GENESIS, StoredBytes, event_hash};
use tollgate_domain::journal::Side;
use tollgate_domain::ledger_event::{AggregateType, LedgerEvent};
use tollgate_domain::{Account, Eventful, MasterAccount, PriceBook, Timestamp};

use super::report::{Place, Problems};
use super::rules::State;
use crate::digest::{Checksum, position_of};
use crate::error::{FoldError, ProjectionError};
use crate::fold::Fold;
use crate::log::{LogRow, Sealed};
use crate::models::{Projection, entry_of};
use crate::seen::{Body, Models, Seen, decode};
use crate::shards::Worker;

/// Rows of appended tables are compared in blocks of so many positions: memory stays small, and a
/// block that differs is folded again.
pub(super) const BLOCK: i64 = 1_024;

/// A stream's name: aggregate type and id.
pub(super) type StreamName = (AggregateType, Box<str>);

/// What the snapshots claim: stream → sequence.
pub(super) type Claims = Arc<HashMap<StreamName, i64>>;

/// Streams by id, one map per aggregate type: so finding one needs no owned key.
#[derive(Default)]
struct Streams {
    accounts: HashMap<Box<str>, Stream>,
    master_accounts: HashMap<Box<str>, Stream>,
    price_books: HashMap<Box<str>, Stream>,
}

impl Streams {
    fn of(&mut self, kind: AggregateType, id: &str, claims: &Claims) -> &mut Stream {
        let streams = match kind {
            AggregateType::Account => &mut self.accounts,
            AggregateType::MasterAccount => &mut self.master_accounts,
            AggregateType::PriceBook => &mut self.price_books,
        };
        if !streams.contains_key(id) {
            let name = (kind, Box::from(id));
            let claim = claims.get(&name).copied();
            streams.insert(name.1, Stream::new(kind, claim));
        }
        streams.get_mut(id).expect("it was inserted just now")
    }

    fn len(&self) -> usize {
        self.accounts.len() + self.master_accounts.len() + self.price_books.len()
    }
}

struct Stream {
    /// The sequence of its snapshot.
    claim: Option<i64>,
    sequence: i64,
    hash: EventHash,
    /// None: something was wrong with an earlier event, so later ones cannot be judged.
    state: Option<State>,
}

impl Stream {
    fn new(kind: AggregateType, claim: Option<i64>) -> Self {
        Self { claim, sequence: 0, hash: GENESIS, state: Some(State::new(kind)) }
    }

    /// Checks the event against the rules. At the sequence of the stream's snapshot it tells the
    /// checksum of the state.
    fn replay(&mut self, event: &LedgerEvent, at: Timestamp) -> Result<Option<[u8; 32]>, String> {
        let Some(state) = &mut self.state else { return Ok(None) };
        state.take(event, at)?;
        if self.claim != Some(self.sequence) {
            return Ok(None);
        }
        let json = state.to_json().map_err(|error| format!("cannot be a snapshot: {error}"))?;
        Ok(Some(Sha256::digest(json).into()))
    }
}

/// A read model's fold up to its own checkpoint.
pub(super) struct Followed {
    pub(super) projection: &'static Projection,
    pub(super) checkpoint: i64,
    pub(super) fold: Box<dyn Fold>,
    /// Of an appended table, by block.
    pub(super) blocks: HashMap<i64, Checksum>,
}

impl Followed {
    pub(super) fn new(projection: &'static Projection, checkpoint: i64) -> Self {
        Self { projection, checkpoint, fold: (projection.start)(), blocks: HashMap::new() }
    }

    /// Turns finished lines into checksums.
    fn drain(&mut self) {
        let Some(lines) = self.fold.lines() else { return };
        let bytes = lines.take();
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            self.blocks.entry(position_of(line) / BLOCK).or_default().add(line);
        }
    }

    pub(super) fn absorb(&mut self, other: Self) -> Result<(), FoldError> {
        for (block, sum) in other.blocks {
            self.blocks.entry(block).or_default().merge(sum);
        }
        self.fold.absorb(other.fold)
    }
}

/// What one thread knows.
pub(super) struct Checker {
    streams: Streams,
    models: Models,
    claims: Claims,
    pub(super) problems: Problems,
    pub(super) followed: Vec<Followed>,
    /// The journal up to the head.
    pub(super) journal: Box<dyn Fold>,
    /// What the fold makes of streams at the sequence of their snapshot.
    pub(super) folded: HashMap<StreamName, [u8; 32]>,
}

impl Checker {
    pub(super) fn new(followed: Vec<Followed>, claims: Claims, most: usize) -> Self {
        Self {
            streams: Streams::default(),
            models: Models::default(),
            claims,
            problems: Problems::new(most),
            followed,
            journal: crate::models::journal(),
            folded: HashMap::new(),
        }
    }

    pub(super) fn streams(&self) -> u64 {
        self.streams.len() as u64
    }

    fn check(&mut self, row: &LogRow<'_>, sealed: Sealed<'_>) {
        let mut found = vec![];
        let Some(kind) = AggregateType::find(row.aggregate_type) else {
            let what = format!("unknown aggregate type `{}`", row.aggregate_type);
            return self.report(row, sealed, vec![what]);
        };
        let stream = self.streams.of(kind, row.aggregate_id, &self.claims);
        if follow(stream, row, sealed, &mut found) {
            match decode(row) {
                Ok(event) => self.judge(kind, row, sealed, &event, &mut found),
                Err(error) => found.push(error.to_string()),
            }
        }
        if !found.is_empty() {
            // Everything after it would only repeat the finding.
            self.streams.of(kind, row.aggregate_id, &self.claims).state = None;
            self.report(row, sealed, found);
        }
    }

    fn judge(
        &mut self,
        kind: AggregateType,
        row: &LogRow<'_>,
        sealed: Sealed<'_>,
        event: &LedgerEvent,
        found: &mut Vec<String>,
    ) {
        if (event.name(), version_of(event)) != (sealed.event_type, sealed.event_version) {
            found.push(format!("is stored as {} but is {}", sealed.event_type, event.name()));
        }
        let stream = self.streams.of(kind, row.aggregate_id, &self.claims);
        match stream.replay(event, row.recorded_at) {
            Ok(None) => {}
            Ok(Some(state)) => {
                self.folded.insert((kind, Box::from(row.aggregate_id)), state);
            }
            Err(what) => found.push(what),
        }
        if let Err(error) = self.fold(row, event, found) {
            found.push(error.to_string());
        }
    }

    fn fold(
        &mut self,
        row: &LogRow<'_>,
        event: &LedgerEvent,
        found: &mut Vec<String>,
    ) -> Result<(), FoldError> {
        let seen = Seen::new(row, event, &mut self.models)?;
        if let Body::Account(stream, AccountEvent::AccountOpened { account, .. }, _) = &seen.body
            && account != stream
        {
            found.push(format!("opens {account} in another account's stream"));
        }
        if let Some(entry) = entry_of(&seen.body)
            && entry.total(Side::Debit) != entry.total(Side::Credit)
        {
            found.push("its debits and credits differ".to_owned());
        }
        self.journal.apply(&seen)?;
        for followed in &mut self.followed {
            if row.position <= followed.checkpoint {
                followed.fold.apply(&seen)?;
            }
        }
        Ok(())
    }

    fn report(&mut self, row: &LogRow<'_>, sealed: Sealed<'_>, found: Vec<String>) {
        let place = Place {
            position: Some(row.position),
            stream: Some(format!("{} {}", row.aggregate_type, row.aggregate_id)),
            sequence: Some(sealed.sequence),
            row: None,
        };
        self.problems.add(place, found.join("; "));
    }
}

/// The event's number and its place in the chain; tells whether its bytes can be trusted.
fn follow(
    stream: &mut Stream,
    row: &LogRow<'_>,
    sealed: Sealed<'_>,
    found: &mut Vec<String>,
) -> bool {
    let expected = stream.sequence + 1;
    let hash = event_hash(
        &stream.hash,
        StoredBytes {
            aggregate_type: row.aggregate_type,
            aggregate_id: row.aggregate_id,
            sequence: u64::try_from(sealed.sequence).unwrap_or(0),
            event_type: sealed.event_type,
            event_version: sealed.event_version,
            recorded_at: row.recorded_at,
            payload: row.payload,
            metadata: row.metadata,
        },
    );
    let gap = sealed.sequence != expected;
    if gap {
        found.push(format!("sequence {expected} of the stream is missing before it"));
    } else if hash != *sealed.hash {
        found
            .push("its bytes do not match its hash: it was changed after it was stored".to_owned());
    }
    stream.sequence = sealed.sequence;
    // The next event was chained to the hash that is stored here, right or wrong: so only the
    // event that was changed is named, and not every one after it.
    stream.hash = sealed.hash.try_into().unwrap_or(hash);
    !gap && hash == *sealed.hash
}

fn version_of(event: &LedgerEvent) -> &'static str {
    match event {
        LedgerEvent::Account(event) => Account::event_version(event),
        LedgerEvent::MasterAccount(event) => MasterAccount::event_version(event),
        LedgerEvent::PriceBook(event) => PriceBook::event_version(event),
    }
}

impl Worker for Checker {
    fn take(&mut self, row: &LogRow<'_>) -> Result<(), ProjectionError> {
        let sealed = row.sealed.ok_or(ProjectionError::Protocol)?;
        self.check(row, sealed);
        Ok(())
    }

    fn pause(&mut self) -> Result<(), ProjectionError> {
        self.followed.iter_mut().for_each(Followed::drain);
        Ok(())
    }
}
