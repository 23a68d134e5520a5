//! What people are told, in both languages at once.

use std::borrow::Cow;
use std::fmt;

use super::Language;

/// A sentence in English and in Russian. Made by [`both!`], which cannot forget one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    english: Cow<'static, str>,
    russian: Cow<'static, str>,
}

/// The two texts of one message, beside each other. Members in braces are filled in as by
/// `format!`, and `name = expression` may follow. That the first has no Cyrillic letter and the
/// second has one is checked when it is compiled.
macro_rules! both {
    ($english:literal, $russian:literal $(, $name:ident = $value:expr)* $(,)?) => {{
        const {
            assert!(!$crate::http::error::is_russian($english), "English comes first");
            assert!($crate::http::error::is_russian($russian), "Russian comes second");
        }
        $crate::http::error::Text::new(
            ::std::format!($english $(, $name = $value)*),
            ::std::format!($russian $(, $name = $value)*),
        )
    }};
}
pub(crate) use both;

impl Text {
    /// Use [`both!`].
    #[doc(hidden)]
    #[must_use]
    pub fn new(english: String, russian: String) -> Self {
        Self { english: english.into(), russian: russian.into() }
    }

    /// Somebody else's words, which nobody has translated.
    #[must_use]
    pub fn foreign(text: impl Into<Cow<'static, str>>) -> Self {
        let english = text.into();
        Self { russian: english.clone(), english }
    }

    /// In one language.
    #[must_use]
    pub fn of(&self, language: Language) -> &str {
        match language {
            Language::English => &self.english,
            Language::Russian => &self.russian,
        }
    }
}

/// In English, for the log; `{:#}` in Russian, for a text that is part of another one.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if f.alternate() { &self.russian } else { &self.english })
    }
}

/// Whether there is a Cyrillic letter in it.
#[must_use]
pub const fn is_russian(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        // The first byte of U+0400 to U+047F in UTF-8.
        if bytes[at] == 0xD0 || bytes[at] == 0xD1 {
            return true;
        }
        at += 1;
    }
    false
}
