//! Tables as CSV: streamed, so that a long one needs no more memory than a short one.
//!
//! Spreadsheets take a cell that begins with `=`, `+`, `-` or `@` for a formula, and what stands in
//! names and references was written by others: such a cell begins with an apostrophe here, unless
//! it is a number.

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use rust_decimal::Decimal;

use super::ApiError;
use super::error::both;

/// What lists have as a member.
const AS_OF: HeaderName = HeaderName::from_static("x-tollgate-as-of-position");
/// The most rows of one table.
pub const MOST_ROWS: i64 = 100_000;

/// Lines of a table.
#[derive(Debug, Default)]
pub struct Csv {
    text: String,
    /// Is the line that is being written empty?
    begun: bool,
}

impl Csv {
    /// A table with these names of columns.
    pub fn with_header(names: &[&str]) -> Self {
        let mut csv = Self::default();
        names.iter().for_each(|name| csv.text(name));
        csv.end();
        csv
    }

    fn raw(&mut self, cell: &str) {
        if self.begun {
            self.text.push(',');
        }
        self.begun = true;
        self.text.push_str(cell);
    }

    /// A cell that anybody may have written.
    pub fn text(&mut self, cell: &str) {
        let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
            && Decimal::from_str_exact(cell).is_err();
        let quoted = formula || cell.contains([',', '"', '\n', '\r']);
        if !quoted {
            return self.raw(cell);
        }
        let mark = if formula { "'" } else { "" };
        self.raw(&format!("\"{mark}{}\"", cell.replace('"', "\"\"")));
    }

    /// A cell that may be empty.
    pub fn maybe(&mut self, cell: Option<&str>) {
        self.text(cell.unwrap_or_default());
    }

    /// An amount.
    pub fn amount(&mut self, amount: Option<Decimal>) {
        let text = amount.map(|amount| amount.normalize().to_string());
        self.raw(text.as_deref().unwrap_or_default());
    }

    /// A count.
    pub fn count(&mut self, count: Option<i64>) {
        self.raw(&count.map(|count| count.to_string()).unwrap_or_default());
    }

    /// A moment.
    pub fn moment(&mut self, at: DateTime<Utc>) {
        self.raw(&at.to_rfc3339_opts(SecondsFormat::Micros, true));
    }

    /// Ends the line.
    pub fn end(&mut self) {
        self.text.push_str("\r\n");
        self.begun = false;
    }

    /// What was written since.
    pub fn take(&mut self) -> Bytes {
        Bytes::from(std::mem::take(&mut self.text))
    }
}

/// Refuses a table that would be too long: one that is cut would look whole.
pub fn check_rows(rows: i64, most: i64) -> Result<(), ApiError> {
    if rows <= most {
        return Ok(());
    }
    let message = both!(
        "There are more than {most} rows. Ask for a shorter span of time.",
        "Строк больше {most}. Выберите промежуток короче."
    );
    Err(ApiError::invalid("from", message))
}

/// A file with this name and the position of the log that it reflects: `first`, and then what
/// `next` makes of its state until there is none.
///
/// What goes wrong on the way breaks the connection: the answer has begun, and a table that only
/// ends would look whole.
pub fn file<S, F>(
    name: &str,
    as_of_position: i64,
    first: Bytes,
    state: S,
    next: impl FnMut(S) -> F + Send + 'static,
) -> Response
where
    S: Send + 'static,
    F: Future<Output = Result<Option<(Bytes, S)>, ApiError>> + Send + 'static,
{
    let rest = stream::try_unfold(state, next);
    let whole = stream::once(std::future::ready(Ok(first))).chain(rest);
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(AS_OF, HeaderValue::from(as_of_position));
    // Names are made of letters, digits, dots and hyphens by their callers.
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    let body = whole.map_err(|error| {
        tracing::warn!(?error, "a table broke off");
        std::io::Error::other("the table broke off")
    });
    (headers, Body::from_stream(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(cell: &str) -> String {
        let mut csv = Csv::default();
        csv.text(cell);
        csv.count(Some(-1));
        csv.end();
        String::from_utf8(csv.take().to_vec()).unwrap()
    }

    #[test]
    fn a_cell_that_a_spreadsheet_would_compute_is_text() {
        assert_eq!(line("invoice 42"), "invoice 42,-1\r\n");
        assert_eq!(line("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\",-1\r\n");
        assert_eq!(line("+49 170"), "\"'+49 170\",-1\r\n");
        assert_eq!(line("-2+3"), "\"'-2+3\",-1\r\n");
        assert_eq!(line("@SUM(A1)"), "\"'@SUM(A1)\",-1\r\n");
        assert_eq!(line("\t=1"), "\"'\t=1\",-1\r\n");
        assert_eq!(line("-0.5"), "-0.5,-1\r\n");
        assert_eq!(line("+7"), "+7,-1\r\n");
    }

    #[test]
    fn a_cell_with_a_comma_a_quote_or_a_line_break_is_quoted() {
        assert_eq!(line("a,b"), "\"a,b\",-1\r\n");
        assert_eq!(line("say \"no\""), "\"say \"\"no\"\"\",-1\r\n");
        assert_eq!(line("a\nb"), "\"a\nb\",-1\r\n");
        assert_eq!(line(""), ",-1\r\n");
    }
}
