//! The fold: events in, rows out. The runner, the rebuild and the audit use the same ones, so what
//! is proved about one holds for all.

use std::any::Any;
use std::collections::HashMap;
use std::hash::Hash;

use crate::error::FoldError;
use crate::seen::Seen;
use crate::sink::{CopyText, Sink};

/// What a projection has made of a run of events, from any position on.
pub(crate) trait Fold: Send + Sync {
    /// Takes one event in.
    fn apply(&mut self, seen: &Seen<'_>) -> Result<(), FoldError>;
    /// Rows that would be written.
    fn len(&self) -> usize;
    /// Adds what another fold has made of other streams.
    fn absorb(&mut self, other: Box<dyn Fold>) -> Result<(), FoldError>;
    /// For [`Fold::absorb`].
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
    /// Every row, in the order of its key: two workers that write the same rows then lock them in
    /// the same order.
    fn write(&self, sink: &mut dyn Sink);
    /// Keys of rows that an earlier fold wrote and that are gone now.
    fn removed(&self) -> &[String] {
        &[]
    }
    /// Finished lines, where the table is only appended to.
    fn lines(&mut self) -> Option<&mut CopyText> {
        None
    }
}

/// Rows that are added up under a key.
pub(crate) type Rows<R> = HashMap<<R as Row>::Key, R>;

/// One row of a grouped table, or the change to it.
pub(crate) trait Row: Default + Send + Sync + 'static {
    /// What the row is found by.
    type Key: Hash + Eq + Ord + Clone + Send + Sync;
    /// What an event does to the rows.
    fn apply(rows: &mut Rows<Self>, seen: &Seen<'_>) -> Result<(), FoldError>;
    /// Adds what other streams did to the same row.
    fn merge(&mut self, other: Self) -> Result<(), FoldError>;
    /// The cells in the order of the table's columns.
    fn write(&self, key: &Self::Key, sink: &mut dyn Sink);
}

/// A fold into a grouped table.
pub(crate) struct Grouped<R: Row>(Rows<R>);

impl<R: Row> Grouped<R> {
    /// An empty one.
    pub(crate) fn start() -> Box<dyn Fold> {
        Box::new(Self(HashMap::new()))
    }
}

impl<R: Row> Fold for Grouped<R> {
    fn apply(&mut self, seen: &Seen<'_>) -> Result<(), FoldError> {
        R::apply(&mut self.0, seen)
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn absorb(&mut self, other: Box<dyn Fold>) -> Result<(), FoldError> {
        for (key, row) in same::<Self>(other).0 {
            self.0.entry(key).or_default().merge(row)?;
        }
        Ok(())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn write(&self, sink: &mut dyn Sink) {
        let mut rows: Vec<_> = self.0.iter().collect();
        rows.sort_unstable_by_key(|(key, _)| *key);
        for (key, row) in rows {
            row.write(key, sink);
            sink.end_row();
        }
    }
}

/// A table with one row per event of some kind.
pub(crate) trait Line: Default + Send + Sync + 'static {
    /// Writes the event's row, if it has one; tells whether it did.
    fn write(seen: &Seen<'_>, sink: &mut dyn Sink) -> Result<bool, FoldError>;
}

/// A fold into an appended table: its rows are lines of COPY at once.
#[derive(Default)]
pub(crate) struct Appended<L> {
    text: CopyText,
    rows: usize,
    line: std::marker::PhantomData<L>,
}

impl<L: Line> Appended<L> {
    /// An empty one.
    pub(crate) fn start() -> Box<dyn Fold> {
        Box::new(Self::default())
    }
}

impl<L: Line> Fold for Appended<L> {
    fn apply(&mut self, seen: &Seen<'_>) -> Result<(), FoldError> {
        if L::write(seen, &mut self.text)? {
            self.text.end_row();
            self.rows += 1;
        }
        Ok(())
    }

    fn len(&self) -> usize {
        self.rows
    }

    fn absorb(&mut self, other: Box<dyn Fold>) -> Result<(), FoldError> {
        let other = same::<Self>(other);
        self.text.append(other.text.bytes());
        self.rows += other.rows;
        Ok(())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn write(&self, _: &mut dyn Sink) {
        // Its rows leave as the lines that they are.
    }

    fn lines(&mut self) -> Option<&mut CopyText> {
        Some(&mut self.text)
    }
}

/// The same projection's fold; another one here is a mistake in this crate.
pub(crate) fn same<F: 'static>(other: Box<dyn Fold>) -> F {
    match other.into_any().downcast() {
        Ok(fold) => *fold,
        Err(_) => panic!("folds of two projections cannot be added up"),
    }
}
