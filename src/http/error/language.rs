//! In which language somebody wants to be told what is wrong.

use accept_language::parse_with_quality;
use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::{HeaderMap, HeaderValue};

/// The languages of messages. Codes for programs have none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// Where nobody asks for another one.
    #[default]
    English,
    /// Where `Accept-Language` prefers it to English.
    Russian,
}

/// Longer ones are no list of languages that a person reads.
const LONGEST: usize = 500;

impl Language {
    /// What `Accept-Language` asks for.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        headers.get(ACCEPT_LANGUAGE).map_or(Self::English, Self::wanted)
    }

    /// The better of the two in a list with quality values; the earlier one where they are equal.
    #[must_use]
    pub fn wanted(header: &HeaderValue) -> Self {
        let Ok(list) = header.to_str() else { return Self::English };
        if list.len() > LONGEST {
            return Self::English;
        }
        let mut best = (Self::English, 0.0_f32);
        // One entry at a time: the library sorts by quality, and a "quality" that is no number has
        // no order.
        for (tag, quality) in list.split(',').flat_map(parse_with_quality) {
            let primary = tag.split('-').next().unwrap_or_default();
            let language = match primary {
                "*" => Self::English,
                tag if tag.eq_ignore_ascii_case("en") => Self::English,
                tag if tag.eq_ignore_ascii_case("ru") => Self::Russian,
                _ => continue,
            };
            if quality > best.1 {
                best = (language, quality);
            }
        }
        best.0
    }

    /// As in `Content-Language`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Russian => "ru",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_quality_wins_and_the_earlier_one_where_they_are_equal() {
        let russian = ["ru", "ru-RU", "RU", "ru-RU,ru;q=0.9,en-US;q=0.8,en;q=0.7", "de, ru;q=0.1"];
        let english = ["", "*", "en", "de", "en-GB,ru;q=0.9", "ru;q=0", "ru;q=0.5, *", "en,ru"];
        let odd = ["ru;q=nan,ru;q=nan,en;q=nan", "ru;q=", ";;;,,,", "ru;q=1;q=0", "\u{e9}"];
        let wanted = |list: &str| {
            Language::wanted(&HeaderValue::from_bytes(list.as_bytes()).expect("a header"))
        };
        for list in russian {
            assert_eq!(wanted(list), Language::Russian, "{list}");
        }
        for list in english {
            assert_eq!(wanted(list), Language::English, "{list}");
        }
        for list in odd {
            // Whatever they mean, they are understood as something.
            let _ = wanted(list);
        }
        assert_eq!(wanted(&"ru,".repeat(1_000)), Language::English);
    }
}
