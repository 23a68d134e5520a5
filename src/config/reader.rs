//! Reads variables and collects everything that is wrong with them.

use std::fmt;

/// One variable that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {problem}; {remedy}")]
pub struct ConfigError {
    /// Its name.
    pub variable: &'static str,
    /// What is wrong. Never the value of a secret.
    pub problem: String,
    /// What to write instead.
    pub remedy: String,
}

/// Everything that is wrong with the configuration, at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the configuration has to be corrected:")?;
        self.0.iter().try_for_each(|error| write!(formatter, "\n  {error}"))
    }
}

impl std::error::Error for ConfigErrors {}

/// Looks variables up and remembers the errors, so that they are reported together.
pub(super) struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    errors: Vec<ConfigError>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup, errors: Vec::new() }
    }

    /// The value without surrounding space; an empty one counts as absent, because compose files
    /// and shells write `NAME=` for "not set".
    pub(super) fn text(&self, variable: &str) -> Option<String> {
        let text = (self.lookup)(variable)?.trim().to_owned();
        (!text.is_empty()).then_some(text)
    }

    /// The value as `parse` understands it; `None` when it is absent or wrong. `expected` names
    /// what to write.
    pub(super) fn parse<T>(
        &mut self,
        variable: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(variable)?;
        let value = parse(&text);
        if value.is_none() {
            self.refuse(variable, format!("`{text}` can't be used"), format!("write {expected}"));
        }
        value
    }

    /// As [`Reader::parse`], for values that must not be shown.
    pub(super) fn parse_secret<T>(
        &mut self,
        variable: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = parse(&self.text(variable)?);
        if value.is_none() {
            self.refuse(variable, "the value can't be used", format!("write {expected}"));
        }
        value
    }

    pub(super) fn refuse(
        &mut self,
        variable: &'static str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let (problem, remedy) = (problem.into(), remedy.into());
        self.errors.push(ConfigError { variable, problem, remedy });
    }

    /// `value`, if nothing was refused. `None` without an error would be a bug of the caller.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, ConfigErrors> {
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => {
                debug_assert!(!self.errors.is_empty(), "a value is missing without a reason");
                Err(ConfigErrors(self.errors))
            }
        }
    }
}
