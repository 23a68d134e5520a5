//! Counting and cutting text by a real tokenizer (o200k_base).

use tiktoken_rs::{CoreBPE, o200k_base_singleton};

/// Beyond this many bytes the rest is estimated from the start: one request must not hold a core
/// for a second.
const COUNTED_BYTES: usize = 512 * 1024;

fn tokenizer() -> &'static CoreBPE {
    o200k_base_singleton()
}

/// How many tokens a text has.
pub fn count(text: &str) -> u64 {
    if text.len() <= COUNTED_BYTES {
        return tokenizer().encode_ordinary(text).len() as u64;
    }
    let sample = (0..=COUNTED_BYTES).rev().find_map(|end| text.get(..end)).unwrap_or_default();
    let sampled = tokenizer().encode_ordinary(sample).len() as u64;
    sampled * text.len() as u64 / sample.len().max(1) as u64
}

/// Cuts a text after `limit` tokens; whether anything was lost is the second value.
pub fn truncate(text: &str, limit: u64) -> (String, bool) {
    let tokens = tokenizer().encode_ordinary(text);
    match tokens.get(..usize::try_from(limit).unwrap_or(usize::MAX)) {
        Some(kept) if kept.len() < tokens.len() => (decode(kept), true),
        _ => (text.to_owned(), false),
    }
}

fn decode(tokens: &[u32]) -> String {
    let bytes = tokenizer().decode_bytes(tokens).unwrap_or_default();
    // A cut inside a character drops that character.
    let valid = match std::str::from_utf8(&bytes) {
        Ok(_) => bytes.len(),
        Err(error) => error.valid_up_to(),
    };
    String::from_utf8_lossy(&bytes[..valid]).into_owned()
}

/// Splits a text into pieces of a few tokens, as a stream delivers it, each with its token count.
/// Characters that span tokens stay whole.
pub fn pieces(text: &str, mut tokens_per_piece: impl FnMut() -> u64) -> Vec<(String, u64)> {
    let tokens = tokenizer().encode_ordinary(text);
    let mut pieces = Vec::new();
    let (mut pending, mut counted, mut goal) = (Vec::new(), 0, tokens_per_piece().max(1));
    for token in tokens {
        pending.extend(tokenizer().decode_bytes(&[token]).unwrap_or_default());
        counted += 1;
        if counted >= goal
            && let Ok(piece) = std::str::from_utf8(&pending)
        {
            pieces.push((piece.to_owned(), counted));
            (counted, goal) = (0, tokens_per_piece().max(1));
            pending.clear();
        }
    }
    if counted > 0 {
        pieces.push((String::from_utf8_lossy(&pending).into_owned(), counted));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_put_together_are_the_text_and_its_tokens() {
        let text = "Größe zählt: 東京は日本の首都です 🚀 — and some plain words.";
        let pieces = pieces(text, || 2);
        assert_eq!(pieces.iter().map(|(piece, _)| piece.as_str()).collect::<String>(), text);
        assert_eq!(pieces.iter().map(|(_, tokens)| tokens).sum::<u64>(), count(text));
    }

    #[test]
    fn a_text_is_cut_after_the_limit() {
        assert_eq!(truncate("one two three four", 2), ("one two".to_owned(), true));
        assert_eq!(truncate("one two", 2), ("one two".to_owned(), false));
        assert_eq!(truncate("one two", u64::MAX), ("one two".to_owned(), false));
    }
}
