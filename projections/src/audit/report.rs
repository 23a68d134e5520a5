//! What the audit says.

use std::fmt;

use serde::Serialize;

/// The result of an audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Events that were read.
    pub events: i64,
    /// Streams that they belong to.
    pub streams: u64,
    /// The newest position; everything up to it was audited.
    pub head: i64,
    /// Debits and credits by ledger account at `head`; customers are one line.
    pub trial_balance: Vec<TrialLine>,
    /// Snapshots that equal the fold of their stream; others of another layout are not counted.
    pub snapshots: u64,
    /// What was found about each read model.
    pub read_models: Vec<ReadModel>,
    /// The first problems, at most as many as the options say.
    pub problems: Vec<Problem>,
    /// All problems.
    pub problem_count: u64,
}

/// One line of the trial balance; amounts are exact decimal text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrialLine {
    /// Such as `income:usage`.
    pub account: String,
    /// Everything debited.
    pub debit: String,
    /// Everything credited.
    pub credit: String,
    /// Lines of the journal.
    pub postings: i64,
}

/// A read model as the audit found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReadModel {
    /// Its name.
    pub name: String,
    /// The position that it has reached.
    pub as_of_position: i64,
    /// Rows that a fold of the log up to there has, if they were compared.
    pub rows: Option<u64>,
    /// `equal`, `different`, or why it was not compared.
    pub outcome: String,
}

/// Where something is wrong; what is not known is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The event's position.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// The stream: aggregate type and id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// The event's number in its stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<i64>,
    /// The table and key of a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What.
    pub what: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.position.map(|position| format!("position {position}")),
            self.stream.clone(),
            self.sequence.map(|sequence| format!("sequence {sequence}")),
            self.row.clone(),
        ];
        let known: Vec<_> = parts.into_iter().flatten().collect();
        f.write_str(&known.join(", "))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

impl Report {
    /// Nothing is wrong.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.problem_count == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} events in {} streams, positions 1 to {}, {} snapshots",
            self.events, self.streams, self.head, self.snapshots
        )?;
        writeln!(f, "\nTrial balance at position {}", self.head)?;
        for line in &self.trial_balance {
            let TrialLine { account, debit, credit, .. } = line;
            writeln!(f, "  {account:<48} {debit:>24} {credit:>24}")?;
        }
        writeln!(f, "\nRead models")?;
        for model in &self.read_models {
            let rows = model.rows.map_or(String::new(), |rows| format!(", {rows} rows"));
            let ReadModel { name, as_of_position, outcome, .. } = model;
            writeln!(f, "  {name:<20} at position {as_of_position}{rows}: {outcome}")?;
        }
        if self.is_clean() {
            return writeln!(f, "\nThe books are right.");
        }
        writeln!(f, "\n{} problems", self.problem_count)?;
        for problem in &self.problems {
            writeln!(f, "  {problem}")?;
        }
        match self.problem_count.checked_sub(self.problems.len() as u64) {
            None | Some(0) => Ok(()),
            Some(more) => writeln!(f, "  … and {more} more"),
        }
    }
}

/// Problems as they are found: all are counted, the first are kept.
#[derive(Debug, Default)]
pub(super) struct Problems {
    pub(super) kept: Vec<Problem>,
    pub(super) count: u64,
    pub(super) most: usize,
}

impl Problems {
    pub(super) fn new(most: usize) -> Self {
        Self { kept: vec![], count: 0, most }
    }

    pub(super) fn add(&mut self, place: Place, what: impl Into<String>) {
        self.count += 1;
        if self.kept.len() < self.most {
            self.kept.push(Problem { place, what: what.into() });
        }
    }

    /// Adds those of another worker and keeps the earliest.
    pub(super) fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.kept.extend(other.kept);
        self.kept.sort_by_key(|problem| problem.place.position.unwrap_or(i64::MAX));
        self.kept.truncate(self.most);
    }
}
