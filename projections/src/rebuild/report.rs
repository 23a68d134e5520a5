//! What a rebuild says.

use std::fmt;

use serde::Serialize;

/// How to rebuild.
#[derive(Debug, Clone, Copy)]
pub struct RebuildOptions {
    /// Events per transaction once the copy follows the log.
    pub batch: i64,
    /// Rows of one table that are held in memory while the copy is filled.
    pub most_rows: usize,
    /// Switch although the copies differ: for when the live one is known to be wrong.
    pub switch_despite_differences: bool,
    /// How often the switch is tried while readers hold the tables.
    pub attempts: u32,
}

impl Default for RebuildOptions {
    fn default() -> Self {
        Self { batch: 10_000, most_rows: 400_000, switch_despite_differences: false, attempts: 30 }
    }
}

/// How far a rebuild is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RebuildStage {
    /// Filling the copy.
    Filling {
        /// Folded so far.
        position: i64,
        /// The head of the log when it began.
        head: i64,
    },
    /// Making a table's indexes.
    Indexing(&'static str),
    /// Catching up with what was written meanwhile.
    Following {
        /// Applied so far.
        position: i64,
        /// The head of the log.
        head: i64,
    },
    /// Comparing a table with the live one.
    Comparing(&'static str),
    /// The new copy is live.
    Switched,
}

/// What became of a rebuild.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RebuildReport {
    /// The position of both copies when they were compared.
    pub position: i64,
    /// Each table.
    pub tables: Vec<TableReport>,
    /// Whether the new copy is live now.
    pub switched: bool,
}

/// What became of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableReport {
    /// Its name.
    pub name: &'static str,
    /// How it compares with the one that was live.
    pub compared: Compared,
}

/// How a new table compares with the live one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Compared {
    /// Both have the same rows: so many.
    Equal(u64),
    /// They differ.
    Different {
        /// Rows of the live table.
        live: u64,
        /// Rows of the new table.
        rebuilt: u64,
        /// The first row that differs, in both.
        first: String,
    },
    /// The live one was made by another version, so nothing says that they should be equal.
    OtherVersion,
}

impl fmt::Display for RebuildReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for table in &self.tables {
            let name = table.name;
            match &table.compared {
                Compared::Equal(rows) => writeln!(f, "  {name:<20} equal, {rows} rows")?,
                Compared::OtherVersion => writeln!(f, "  {name:<20} of a new version")?,
                Compared::Different { live, rebuilt, first } => writeln!(
                    f,
                    "  {name:<20} DIFFERENT: {live} rows live, {rebuilt} rebuilt; first: {first}"
                )?,
            }
        }
        match self.switched {
            true => writeln!(f, "The new copy is live at position {}.", self.position),
            false => writeln!(f, "The live copy was left as it is."),
        }
    }
}
