//! How many tokens a prompt can have at most, without a tokenizer.
//!
//! A tokenizer costs more than the rest of the path together, and its figure would still be one
//! tokenizer's. Text has at least three bytes per token in practice, in any script; embedded files
//! are counted by what they are. Where it is short, the settlement takes the rest (INV-2).

use memchr::memmem;

/// What was seen of a prompt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prompt {
    /// At most, in practice.
    pub tokens: u64,
    /// Pictures.
    pub images: u64,
    /// It contains sound.
    pub audio: bool,
    /// It asks for a one-hour cache.
    pub long_cache: bool,
}

const BYTES_PER_TOKEN: u64 = 3;
/// A large picture in the finest resolution.
const TOKENS_PER_IMAGE: u64 = 3_000;
/// Sound and documents have far fewer tokens than base64 characters.
const FILE_BYTES_PER_TOKEN: u64 = 40;
/// Shorter runs are text.
const SHORTEST_FILE: usize = 256;

impl Prompt {
    /// Counts the JSON text of `messages`, `tools` and what else the model reads.
    pub fn add(&mut self, json: &str) {
        let bytes = json.as_bytes();
        if let Some(tokens) = token_ids(bytes) {
            self.tokens = self.tokens.saturating_add(tokens);
            return;
        }
        let images = memmem::find_iter(bytes, b"\"image_url\"").count() as u64;
        // A part names `image_url` as its type and as its member: two mentions, one picture.
        let images = images.div_ceil(2);
        self.images += images;
        self.audio |= memmem::find(bytes, b"\"input_audio\"").is_some();
        self.long_cache |= memmem::find(bytes, b"\"1h\"").is_some();
        let files = embedded(bytes);
        let text = (bytes.len() as u64).saturating_sub(files);
        let tokens = text.div_ceil(BYTES_PER_TOKEN)
            + images * TOKENS_PER_IMAGE
            + files.div_ceil(FILE_BYTES_PER_TOKEN);
        self.tokens = self.tokens.saturating_add(tokens);
    }
}

/// How many, where they are given as numbers: `[1,2]` or `[[1],[2]]`.
fn token_ids(bytes: &[u8]) -> Option<u64> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace() && **byte != b'[')?;
    let numbers = bytes.first() == Some(&b'[') && first.is_ascii_digit();
    numbers.then(|| memchr::memchr_iter(b',', bytes).count() as u64 + 1)
}

/// Bytes that are embedded files: runs of base64 after `base64,` or in a `data` member.
fn embedded(bytes: &[u8]) -> u64 {
    let mut total = 0;
    for mark in [&b"base64,"[..], &b"\"data\":\""[..], &b"\"data\": \""[..]] {
        let mut from = 0;
        while let Some(found) = memmem::find(&bytes[from..], mark) {
            let start = from + found + mark.len();
            let length = memchr::memchr(b'"', &bytes[start..]).unwrap_or(bytes.len() - start);
            if length >= SHORTEST_FILE && !bytes[start..start + length].contains(&b' ') {
                total += length as u64;
            }
            from = start + length;
        }
    }
    total.min(bytes.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_embedded_picture_counts_as_a_picture_and_not_as_text() {
        let picture = "A".repeat(400_000);
        let mut prompt = Prompt::default();
        prompt.add(&format!(
            r#"[{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{picture}"}}}}]"#
        ));
        assert_eq!(prompt.images, 1);
        assert!(prompt.tokens < 15_000, "{} tokens", prompt.tokens);
    }

    #[test]
    fn tokens_that_are_given_as_numbers_are_counted_one_by_one() {
        for (json, tokens) in [("[1,2,3]", 3), ("[ [1, 2],[3] ]", 3), ("[100257]", 1)] {
            let mut prompt = Prompt::default();
            prompt.add(json);
            assert_eq!(prompt.tokens, tokens, "{json}");
        }
    }

    #[test]
    fn words_that_look_like_a_mark_stay_text() {
        let mut prompt = Prompt::default();
        prompt.add(&format!(r#"[{{"data":"{}"}}]"#, "some words ".repeat(300)));
        assert!(prompt.tokens > 1_000, "{} tokens", prompt.tokens);
    }
}
