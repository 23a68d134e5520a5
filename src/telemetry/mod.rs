//! Logs: lines for people or one JSON object per line, on standard error. Figures: [`metrics`], and
//! each second a picture of them: [`live`].
//!
//! What commands print for their caller goes to standard output and stays apart.

pub mod live;
pub mod metrics;

use std::io::IsTerminal;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::config::{LogConfig, LogFormat};

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The directives can't be read.
    #[error("LOG_FILTER: {0}; write directives as in info,tollgate=debug")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// It was set up before.
    #[error("logging is set up already: {0}")]
    Twice(#[from] TryInitError),
}

/// Sets up the process's log. To be called once.
pub fn init(config: &LogConfig) -> Result<(), TelemetryError> {
    let colours = std::io::stderr().is_terminal();
    subscriber(config, colours, std::io::stderr)?.try_init()?;
    Ok(())
}

fn subscriber<W>(
    config: &LogConfig,
    colours: bool,
    writer: W,
) -> Result<Box<dyn Subscriber + Send + Sync>, TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&config.filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    Ok(match config.format {
        LogFormat::Text => Box::new(builder.with_ansi(colours).finish()),
        LogFormat::Json => Box::new(builder.json().flatten_event(true).finish()),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(config: &LogConfig, write: impl FnOnce()) -> String {
        let lines = Lines::default();
        let sink = lines.clone();
        let subscriber = subscriber(config, false, move || sink.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, write);
        let bytes = lines.0.lock().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_default_filter_keeps_our_lines_and_drops_the_database_s_chatter() {
        let text = logged(&LogConfig::default(), || {
            tracing::info!(account.id = "acct_1", "account acct_1 was opened");
            tracing::info!(target: "sqlx::query", "a statement");
            tracing::debug!("a detail");
        });
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("account acct_1 was opened account.id=\"acct_1\""), "{text}");
    }

    #[test]
    fn a_json_line_is_one_object_with_the_fields_beside_the_message() {
        let config = LogConfig { format: LogFormat::Json, ..LogConfig::default() };
        let text = logged(&config, || tracing::warn!(account.id = "acct_1", "refused"));
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&line["message"], &line["level"]), (&"refused".into(), &"WARN".into()));
        assert_eq!(line["account.id"], "acct_1");
    }
}
