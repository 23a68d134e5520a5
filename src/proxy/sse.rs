//! Server-sent events on their way through: forwarded as they came, but for the bill.

use std::ops::Range;

use super::endpoint::Endpoint;
use super::failure::{Fault, ended_by_error};
use super::usage::{Billed, Charged, for_customer};
use crate::members::Members;
use bytes::{Bytes, BytesMut};
use memchr::{memchr, memmem, memrchr};

/// Longest line that is kept while its end has not come.
const LONGEST_LINE: usize = 8 << 20;

/// The line has no end within what a real event needs.
#[derive(Debug, PartialEq, Eq)]
pub struct EndlessLine;

/// What a stream has shown so far.
#[derive(Debug, Default)]
pub struct Seen {
    /// The bill.
    pub billed: Option<Billed>,
    /// An error after the stream had begun.
    pub fault: Option<Fault>,
    /// A choice ended by an error of the provider.
    pub failed: bool,
    /// A line that may have been the bill cannot be read.
    pub garbled: bool,
    /// `[DONE]` came.
    pub done: bool,
    /// Bytes of text, reasoning and arguments that were delivered.
    pub delivered: u64,
    /// Who generates, as the upstream names it.
    pub provider: Option<String>,
    /// Who answers is asked for.
    pub wants_model: bool,
    /// The name of the model that answers.
    pub model: Option<String>,
    /// What is delivered stands in `text`. In a chat that name is a second copy of the reasoning.
    pub texts: bool,
}

/// Splits the stream into lines and rewrites those with a bill.
#[derive(Debug, Default)]
pub struct Filter {
    partial: BytesMut,
    /// What was seen.
    pub seen: Seen,
}

impl Filter {
    /// For the answers of one endpoint.
    pub fn new(endpoint: Endpoint) -> Self {
        let seen = Seen { texts: endpoint == Endpoint::Completions, ..Seen::default() };
        Self { partial: BytesMut::new(), seen }
    }
}

impl Filter {
    /// What may be sent on after these bytes came. Bytes of a line without its end wait.
    ///
    /// # Errors
    /// [`EndlessLine`]: this is no event stream.
    pub fn feed(
        &mut self,
        bytes: Bytes,
        charge: &impl Fn(&Billed, Option<u64>) -> Option<Charged>,
    ) -> Result<Bytes, EndlessLine> {
        if self.partial.is_empty() && bytes.last() == Some(&b'\n') {
            // The common case: whole lines, and none of them a bill. Nothing is copied.
            if !is_special(&bytes) {
                self.seen.look(&bytes);
                return Ok(bytes);
            }
            return Ok(self.lines(&bytes, charge));
        }
        // Only what is new can hold an end: a long line in many pieces is not searched again.
        let before = self.partial.len();
        self.partial.extend_from_slice(&bytes);
        match memrchr(b'\n', &bytes) {
            Some(end) => {
                let whole = self.partial.split_to(before + end + 1).freeze();
                Ok(self.lines(&whole, charge))
            }
            None if self.partial.len() > LONGEST_LINE => Err(EndlessLine),
            None => Ok(Bytes::new()),
        }
    }

    /// What is left when the stream has ended.
    pub fn finish(&mut self, charge: &impl Fn(&Billed, Option<u64>) -> Option<Charged>) -> Bytes {
        let rest = self.partial.split().freeze();
        self.lines(&rest, charge)
    }

    fn lines(
        &mut self,
        bytes: &Bytes,
        charge: &impl Fn(&Billed, Option<u64>) -> Option<Charged>,
    ) -> Bytes {
        let mut out = BytesMut::with_capacity(bytes.len());
        let mut rest = 0..bytes.len();
        while let Some(line) = next_line(bytes, &mut rest) {
            let line = &bytes[line];
            match line.strip_prefix(b"data:").filter(|_| is_special(line)) {
                Some(data) => match self.special(data, charge) {
                    Some(rewritten) => {
                        out.extend_from_slice(b"data: ");
                        out.extend_from_slice(rewritten.as_bytes());
                        out.extend_from_slice(b"\n");
                    }
                    None => out.extend_from_slice(line),
                },
                None => {
                    self.seen.look(line);
                    out.extend_from_slice(line);
                }
            }
        }
        out.freeze()
    }

    /// A chunk that may carry a bill or an error; rewritten where it does.
    fn special(
        &mut self,
        data: &[u8],
        charge: &impl Fn(&Billed, Option<u64>) -> Option<Charged>,
    ) -> Option<String> {
        self.seen.look(data);
        let read = std::str::from_utf8(data).ok().map(str::trim);
        let read = read.and_then(|text| Some((text, Members::read(text).ok()?)));
        let Some((text, mut members)) = read else {
            self.seen.garbled = true;
            return None;
        };
        if members.get("error").is_some() {
            self.seen.fault = Fault::read(text).or(self.seen.fault.take());
        }
        self.seen.failed |= members.get("choices").is_some_and(ended_by_error);
        let billed = Billed::of(&members)?;
        let failed_after = self.seen.has_failed().then_some(self.seen.delivered);
        let charged = charge(&billed, failed_after);
        let usage = for_customer(members.get("usage")?, charged.map(|charged| charged.charge));
        // A later bill is the fuller one: some providers send a running count.
        self.seen.billed = Some(billed);
        members.set("usage", usage);
        if let Some(charged) = charged {
            members.set("tollgate", charged.json());
        }
        Some(members.write())
    }
}

/// Whether something in these bytes may be a bill or an error.
fn is_special(bytes: &[u8]) -> bool {
    memmem::find(bytes, b"\"usage\"").is_some() || memmem::find(bytes, b"\"error\"").is_some()
}

fn next_line(bytes: &[u8], rest: &mut Range<usize>) -> Option<Range<usize>> {
    if rest.start >= rest.end {
        return None;
    }
    let end = memchr(b'\n', &bytes[rest.clone()]).map_or(rest.end, |at| rest.start + at + 1);
    let line = rest.start..end;
    rest.start = end;
    Some(line)
}

impl Seen {
    /// The provider told of an error.
    pub const fn has_failed(&self) -> bool {
        self.failed || self.fault.is_some()
    }

    fn look(&mut self, bytes: &[u8]) {
        const CHAT: [&[u8]; 3] = [b"\"content\":", b"\"reasoning\":", b"\"arguments\":"];
        const TEXT: [&[u8]; 1] = [b"\"text\":"];
        let marks = if self.texts { &TEXT[..] } else { &CHAT };
        for mark in marks {
            for at in memmem::find_iter(bytes, mark) {
                let value = bytes[at + mark.len()..].trim_ascii_start();
                self.delivered += value.strip_prefix(b"\"").map_or(0, string_length);
            }
        }
        if self.provider.is_none() {
            self.provider = text_after(bytes, b"\"provider\":\"");
        }
        if self.wants_model && self.model.is_none() {
            self.model = text_after(bytes, b"\"model\":\"");
        }
        self.done |= memmem::find(bytes, b"data: [DONE]").is_some();
    }
}

/// A JSON string without escapes.
fn text_after(bytes: &[u8], mark: &[u8]) -> Option<String> {
    let name = &bytes[memmem::find(bytes, mark)? + mark.len()..];
    let name = &name[..memchr(b'"', name)?];
    Some(String::from_utf8_lossy(name).into_owned())
}

/// Bytes until the quote that ends a JSON string.
fn string_length(bytes: &[u8]) -> u64 {
    let mut escaped = false;
    let end = bytes.iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.unwrap_or(bytes.len()) as u64
}

#[cfg(test)]
mod tests {
    use tollgate_domain::Money;

    use super::*;

    const STREAM: &str = ": OPENROUTER PROCESSING\n\n\
        data: {\"provider\":\"Groq\",\"choices\":[{\"delta\":{\"content\":\"Hi \\\"you\\\"\"}}]}\n\n\
        data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,\"cost\":0.010,\"cost_details\":{}}}\n\n\
        data: [DONE]\n\n";

    fn charge(billed: &Billed, _: Option<u64>) -> Option<Charged> {
        let charge = billed.cost?.decimal() * rust_decimal::Decimal::new(8, 1);
        Some(Charged { charge: Money::rounded(charge).ok()?, balance: Money::parse("1.5").ok() })
    }

    #[test]
    fn however_the_stream_is_cut_the_customer_reads_the_same() {
        let mut whole = Filter::default();
        let expected = whole.feed(Bytes::from(STREAM), &charge).expect("lines");
        let text = std::str::from_utf8(&expected).expect("text");
        assert!(text.contains("\"cost\":0.008}"), "{text}");
        let told = r#""tollgate":{"charge_usd":"0.008","balance_after_usd":"1.5"}"#;
        assert!(text.contains(told), "{text}");
        assert!(!text.contains("cost_details"), "{text}");
        for size in 1..STREAM.len() {
            let mut filter = Filter::default();
            let mut got = Vec::new();
            for part in STREAM.as_bytes().chunks(size) {
                got.extend(filter.feed(Bytes::copy_from_slice(part), &charge).expect("lines"));
            }
            got.extend(filter.finish(&charge));
            assert_eq!(got, expected, "cut every {size} bytes");
            assert!(filter.seen.done && filter.seen.billed.is_some(), "cut every {size} bytes");
            assert_eq!(filter.seen.delivered, 10, "cut every {size} bytes");
            assert_eq!(filter.seen.provider.as_deref(), Some("Groq"));
        }
    }

    #[test]
    fn a_line_without_an_end_is_given_up() {
        let mut filter = Filter::default();
        let piece = Bytes::from(vec![b'x'; 1 << 20]);
        let fed = (0..10).find_map(|_| filter.feed(piece.clone(), &charge).err());
        assert_eq!(fed, Some(EndlessLine));
    }

    #[test]
    fn spaces_between_members_change_nothing() {
        let mut filter = Filter::default();
        let line = "data: {\"choices\": [{\"delta\": {\"content\": \"Hello\"}, \"finish_reason\": \"error\"}]}\n\n";
        filter.feed(Bytes::from(line), &charge).expect("lines");
        assert_eq!((filter.seen.delivered, filter.seen.failed), (5, true));
    }

    #[test]
    fn an_error_in_the_middle_is_seen_with_its_bill() {
        let mut filter = Filter::default();
        let line = "data: {\"error\":{\"code\":502,\"message\":\"lost\"},\"usage\":{\"prompt_tokens\":4,\"cost\":0}}\n\n";
        filter.feed(Bytes::from(line), &charge).expect("lines");
        assert_eq!(filter.seen.fault.map(|fault| fault.status), Some(502));
        assert_eq!(
            filter.seen.billed.and_then(|bill| bill.cost).map(|c| c.to_string()),
            Some("0".into())
        );
    }
}
