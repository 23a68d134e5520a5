//! Where rows go: one row is written once, as text for COPY or as arrays for UNNEST.

use std::fmt::{Display, Write as _};

use chrono::{DateTime, NaiveDate, Utc};
use tollgate_domain::Timestamp;

/// Takes the cells of a row in the order of its table's columns.
pub trait Sink {
    /// Text or JSON; none is NULL.
    fn text(&mut self, value: Option<&str>);
    /// An id, written as its text.
    fn id(&mut self, value: &dyn Display);
    /// A whole number; none is NULL.
    fn int(&mut self, value: Option<i64>);
    /// An exact decimal number, already without trailing zeros; none is NULL.
    fn number(&mut self, value: Option<&dyn Display>);
    /// A moment; none is NULL.
    fn time(&mut self, value: Option<Timestamp>);
    /// A UTC day, counted from 1970-01-01.
    fn day(&mut self, value: i64);
    /// Yes or no; none is NULL.
    fn flag(&mut self, value: Option<bool>);
    /// The row is complete.
    fn end_row(&mut self);
}

/// The text format of COPY, byte for byte as PostgreSQL would write it in UTC: so the audit can
/// compare lines, and takes cells apart only where two lines differ.
#[derive(Debug, Default)]
pub struct CopyText {
    bytes: Vec<u8>,
    scratch: String,
    in_row: bool,
}

impl CopyText {
    /// Everything written so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes what was written and starts anew.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// Adds complete rows of the same table.
    pub fn append(&mut self, rows: &[u8]) {
        self.bytes.extend_from_slice(rows);
    }

    fn cell(&mut self) {
        if self.in_row {
            self.bytes.push(b'\t');
        }
        self.in_row = true;
    }

    fn null(&mut self) {
        self.bytes.extend_from_slice(b"\\N");
    }

    fn display(&mut self, value: &dyn Display) {
        self.scratch.clear();
        // Writing to a string cannot fail.
        let _ = write!(self.scratch, "{value}");
        self.bytes.extend_from_slice(self.scratch.as_bytes());
    }

    fn escaped(&mut self, text: &str) {
        for byte in text.bytes() {
            let letter = match byte {
                // PostgreSQL cannot store NUL, and one hostile model name must not stop the books.
                0 => {
                    self.bytes.extend_from_slice("\u{fffd}".as_bytes());
                    continue;
                }
                8 => b'b',
                9 => b't',
                10 => b'n',
                11 => b'v',
                12 => b'f',
                13 => b'r',
                b'\\' => b'\\',
                plain => {
                    self.bytes.push(plain);
                    continue;
                }
            };
            self.bytes.extend_from_slice(&[b'\\', letter]);
        }
    }
}

impl Sink for CopyText {
    fn text(&mut self, value: Option<&str>) {
        self.cell();
        match value {
            Some(text) => self.escaped(text),
            None => self.null(),
        }
    }

    fn id(&mut self, value: &dyn Display) {
        self.cell();
        self.display(value);
    }

    fn int(&mut self, value: Option<i64>) {
        self.cell();
        match value {
            Some(value) => self.display(&value),
            None => self.null(),
        }
    }

    fn number(&mut self, value: Option<&dyn Display>) {
        self.cell();
        match value {
            Some(value) => self.display(value),
            None => self.null(),
        }
    }

    fn time(&mut self, value: Option<Timestamp>) {
        self.cell();
        match value.and_then(moment) {
            Some(at) => self.display(&PgTime(at)),
            None => self.null(),
        }
    }

    fn day(&mut self, value: i64) {
        self.cell();
        match date(value) {
            Some(day) => self.display(&day.format("%Y-%m-%d")),
            None => self.null(),
        }
    }

    fn flag(&mut self, value: Option<bool>) {
        self.cell();
        match value {
            Some(true) => self.bytes.push(b't'),
            Some(false) => self.bytes.push(b'f'),
            None => self.null(),
        }
    }

    fn end_row(&mut self) {
        self.bytes.push(b'\n');
        self.in_row = false;
    }
}

/// `2026-08-08 12:00:00.5+00`: ISO style in UTC, without trailing zeros in the fraction.
struct PgTime(DateTime<Utc>);

impl Display for PgTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use chrono::{Datelike, Timelike};
        let (day, time) = (self.0.date_naive(), self.0.time());
        write!(f, "{:04}-{:02}-{:02}", day.year(), day.month(), day.day())?;
        write!(f, " {:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())?;
        let mut micros = time.nanosecond() / 1_000;
        if micros > 0 {
            let mut digits = 6;
            while micros.is_multiple_of(10) {
                micros /= 10;
                digits -= 1;
            }
            write!(f, ".{micros:0digits$}")?;
        }
        f.write_str("+00")
    }
}

/// One array per column: the parameters of a set-based statement.
#[derive(Debug)]
pub struct Arrays {
    columns: Vec<Cells>,
    next: usize,
    rows: usize,
}

/// The cells of one column.
#[derive(Debug, Clone)]
pub enum Cells {
    /// Text, JSON and exact numbers, which are cast in SQL: a sum may have more digits than a
    /// `Decimal`, and text keeps them all.
    Text(Vec<Option<String>>),
    /// Whole numbers.
    Int(Vec<Option<i64>>),
    /// Moments.
    Time(Vec<Option<DateTime<Utc>>>),
    /// Days.
    Day(Vec<Option<NaiveDate>>),
    /// Yes or no.
    Flag(Vec<Option<bool>>),
}

impl Arrays {
    /// Empty columns of these kinds.
    pub fn new(columns: Vec<Cells>) -> Self {
        Self { columns, next: 0, rows: 0 }
    }

    /// No row was written.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The filled columns.
    pub fn into_columns(self) -> Vec<Cells> {
        self.columns
    }

    fn push(&mut self, cell: Cell) {
        let at = self.next;
        self.next += 1;
        match (&mut self.columns[at], cell) {
            (Cells::Text(cells), Cell::Text(value)) => cells.push(value),
            (Cells::Int(cells), Cell::Int(value)) => cells.push(value),
            (Cells::Time(cells), Cell::Time(value)) => cells.push(value),
            (Cells::Day(cells), Cell::Day(value)) => cells.push(value),
            (Cells::Flag(cells), Cell::Flag(value)) => cells.push(value),
            // A read model that writes another kind than its table declares fails its first test.
            (column, cell) => panic!("column {at} takes {column:?}, not {cell:?}"),
        }
    }
}

#[derive(Debug)]
enum Cell {
    Text(Option<String>),
    Int(Option<i64>),
    Time(Option<DateTime<Utc>>),
    Day(Option<NaiveDate>),
    Flag(Option<bool>),
}

impl Sink for Arrays {
    fn text(&mut self, value: Option<&str>) {
        self.push(Cell::Text(value.map(|text| text.replace('\0', "\u{fffd}"))));
    }

    fn id(&mut self, value: &dyn Display) {
        self.push(Cell::Text(Some(value.to_string())));
    }

    fn int(&mut self, value: Option<i64>) {
        self.push(Cell::Int(value));
    }

    fn number(&mut self, value: Option<&dyn Display>) {
        self.push(Cell::Text(value.map(ToString::to_string)));
    }

    fn time(&mut self, value: Option<Timestamp>) {
        self.push(Cell::Time(value.and_then(moment)));
    }

    fn day(&mut self, value: i64) {
        self.push(Cell::Day(date(value)));
    }

    fn flag(&mut self, value: Option<bool>) {
        self.push(Cell::Flag(value));
    }

    fn end_row(&mut self) {
        self.rows += 1;
        self.next = 0;
    }
}

fn moment(at: Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(at.micros())
}

fn date(days: i64) -> Option<NaiveDate> {
    NaiveDate::from_epoch_days(i32::try_from(days).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_postgresql_would_write() {
        let mut out = CopyText::default();
        out.text(Some("a\tb\\c\u{0}"));
        out.text(None);
        out.int(Some(-3));
        out.time(Some(Timestamp(1_786_190_400_250_000)));
        out.time(Some(Timestamp::from_seconds(1_786_190_400)));
        out.day(20_000);
        out.flag(Some(true));
        out.end_row();
        let line = "a\\tb\\\\c\u{fffd}\t\\N\t-3\t2026-08-08 12:00:00.25+00\t\
                    2026-08-08 12:00:00+00\t2024-10-04\tt\n";
        assert_eq!(std::str::from_utf8(out.bytes()), Ok(line));
    }
}
