//! What a command says: lines for people, or JSON.

use serde::Serialize;
use serde_json::Value;

use crate::operations::Outcome;

/// Both forms of an answer.
#[derive(Debug)]
pub(super) struct Output {
    lines: Vec<String>,
    json: Value,
}

impl Output {
    /// An answer with its lines.
    pub(super) fn new(
        lines: Vec<String>,
        answer: &impl Serialize,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self { lines, json: serde_json::to_value(answer)? })
    }

    /// What was done to the books, and where they say so.
    pub(super) fn done<T: Serialize>(
        line: String,
        outcome: &Outcome<T>,
    ) -> Result<Self, serde_json::Error> {
        let mut json = serde_json::to_value(&outcome.answer)?;
        if let Some(members) = json.as_object_mut() {
            members.insert("position".to_owned(), outcome.position.into());
            members.insert("replayed".to_owned(), outcome.replayed.into());
        }
        let when = match outcome.replayed {
            true => "done before under this key".to_owned(),
            false => format!("position {}", outcome.position),
        };
        Ok(Self { lines: vec![format!("{line} ({when})")], json })
    }

    pub(super) fn print(self, json: bool) -> Result<(), serde_json::Error> {
        match json {
            true => println!("{}", serde_json::to_string_pretty(&self.json)?),
            false => self.lines.iter().for_each(|line| println!("{line}")),
        }
        Ok(())
    }
}

/// Columns of equal width.
pub(super) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> Vec<String> {
    let wide = |at: usize| {
        let cells = rows.iter().map(|row| row[at].chars().count());
        cells.chain([head[at].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..N).map(wide).collect();
    let line = |cells: [&str; N]| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(head)];
    lines.extend(rows.iter().map(|row| line(std::array::from_fn(|at| row[at].as_str()))));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_as_wide_as_its_widest_cell() {
        let rows = [["a".to_owned(), "1".to_owned()], ["long".to_owned(), String::new()]];
        assert_eq!(table(["id", "n"], &rows), ["id    n", "a     1", "long"]);
    }
}
