//! Comparing tables: lines of COPY, their checksums, and the cells in which two lines differ.

use std::collections::HashMap;

use futures_util::TryStreamExt;
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;

use crate::error::ProjectionError;
use crate::table::Table;

/// A checksum of lines in any order: their number and the sum of their hashes.
///
/// A sum and not an exclusive or, which two equal lines would leave unchanged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Checksum {
    pub(crate) rows: u64,
    sum: u128,
}

impl Checksum {
    /// Adds a line, without its line feed.
    pub(crate) fn add(&mut self, line: &[u8]) {
        let hash = Sha256::digest(line);
        let half = hash.first_chunk::<16>().map_or(0, |half| u128::from_be_bytes(*half));
        self.rows += 1;
        self.sum = self.sum.wrapping_add(half);
    }

    /// Adds the lines of another part.
    pub(crate) fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        self.sum = self.sum.wrapping_add(other.sum);
    }
}

/// Streams a table's canonical lines, without their line feeds. The connection's time zone must
/// be UTC, and it must be closed if this fails.
pub(crate) async fn lines(
    connection: &mut PgConnection,
    statement: &str,
    mut each: impl FnMut(&[u8]) + Send,
) -> Result<(), ProjectionError> {
    let mut rows = connection.copy_out_raw(statement).await?;
    let mut since_pause = 0;
    while let Some(row) = rows.try_next().await? {
        each(row.strip_suffix(b"\n").unwrap_or(&row));
        since_pause += 1;
        if since_pause == 512 {
            since_pause = 0;
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

/// The checksum of a table's rows that pass the filter.
pub(crate) async fn checksum(
    connection: &mut PgConnection,
    table: &Table,
    schema: &str,
    filter: &str,
) -> Result<Checksum, ProjectionError> {
    let mut sum = Checksum::default();
    lines(connection, &table.copy_out(schema, filter), |line| sum.add(line)).await?;
    Ok(sum)
}

/// The key of a line: its first cells.
pub(crate) fn key_of<'l>(table: &Table, line: &'l [u8]) -> &'l [u8] {
    let mut tabs = line.iter().enumerate().filter(|(_, byte)| **byte == b'\t');
    match tabs.nth(table.key_width() - 1) {
        Some((at, _)) => &line[..at],
        None => line,
    }
}

/// The position that a line of an appended table begins with.
pub(crate) fn position_of(line: &[u8]) -> i64 {
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |value, digit| value * 10 + i64::from(digit - b'0'))
}

/// Finished lines by their keys.
pub(crate) fn by_key<'l>(table: &Table, lines: &'l [u8]) -> HashMap<&'l [u8], &'l [u8]> {
    lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| (key_of(table, line), line))
        .collect()
}

/// One cell in which a row differs from the fold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CellDifference {
    pub(crate) column: &'static str,
    pub(crate) expected: String,
    pub(crate) found: String,
}

/// The cells in which two lines differ.
pub(crate) fn differences(table: &Table, expected: &[u8], found: &[u8]) -> Vec<CellDifference> {
    let cells = |line: &[u8]| -> Vec<String> {
        let cells = line.split(|byte| *byte == b'\t');
        cells.map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
    };
    let (expected, found) = (cells(expected), cells(found));
    let pairs = expected.into_iter().zip(found).zip(table.columns);
    pairs
        .filter(|((expected, found), _)| expected != found)
        .map(|((expected, found), column)| CellDifference { column: column.name, expected, found })
        .collect()
}

/// A key as people read it.
pub(crate) fn readable(key: &[u8]) -> String {
    String::from_utf8_lossy(key).replace('\t', " / ")
}
