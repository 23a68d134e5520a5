//! Each group of variables, with its defaults.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use axum::http::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rust_decimal::Decimal;
use sqlx::postgres::PgConnectOptions;
use tracing_subscriber::EnvFilter;

use super::reader::Reader;
use super::{
    AdminConfig, Config, DatabaseConfig, EncryptionKey, IdempotencyConfig, LogConfig, LogFormat,
    RecoveryTimes, ReserveMode, Secret, UpstreamConfig, UpstreamTimeouts, edge, kept, people,
};
use crate::identity::password;

const PRIVATE_ADMIN: &str = "admin@tollgate.local";
/// Where a private run keeps its key for secrets at rest, and the one before while it is replaced.
pub(crate) const ENCRYPTION_KEY: &str = "encryption-key";
pub(crate) const PREVIOUS_ENCRYPTION_KEY: &str = "encryption-key-previous";

/// The whole configuration; `None` after an error that left nothing to go on with.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Config> {
    let listen = reader
        .parse("LISTEN_ADDR", "an address and a port, as in 0.0.0.0:8000", |text| text.parse().ok())
        .unwrap_or_else(|| ([127, 0, 0, 1], 8000).into());
    let metrics =
        reader.parse("METRICS_ADDR", "an address and a port, as in 127.0.0.1:9464", |text| {
            text.parse().ok()
        });
    let database = database(reader);
    let data_dir = match &database {
        Some(DatabaseConfig::Private { data_dir }) => Some(data_dir.as_path()),
        _ => None,
    };
    let upstream = upstream(reader);
    let upstream_timeouts = timeouts(reader);
    let client_stall = seconds(reader, "CLIENT_STALL_TIMEOUT_SECONDS", Duration::from_secs(120));
    let secret_key = secret_key(reader, data_dir);
    let secret_key_previous = secret_key_previous(reader);
    let encryption_key = encryption_key(reader, data_dir);
    let encryption_key_previous = encryption_key_previous(reader, data_dir);
    let admin = admin(reader, data_dir);
    let reserve = reader
        .parse("RESERVE", "overlapped or durable_first", |text| match text {
            "overlapped" => Some(ReserveMode::Overlapped),
            "durable_first" => Some(ReserveMode::DurableFirst),
            _ => None,
        })
        .unwrap_or(ReserveMode::Overlapped);
    let default_sale_ratio = reader
        .parse("DEFAULT_SALE_RATIO", "a decimal above 0 and up to 100, as in 0.80", sale_ratio)
        .unwrap_or(Decimal::new(80, 2));
    let body_limit_bytes =
        count(reader, "BODY_LIMIT_BYTES", "bytes from 1024, as in 20971520", 1024..=1 << 32)
            .unwrap_or(20 * 1024 * 1024);
    let max_concurrent_requests =
        count(reader, "MAX_CONCURRENT_REQUESTS", "a number from 1, as in 4096", 1..=1_000_000)
            .unwrap_or(4096);
    let idempotency = idempotency(reader);
    let recovery = recovery(reader);
    let cors_allowed_origins = cors(reader);
    let edge = edge::read(reader);
    let people = people::read(reader, listen);
    let log = log(reader);
    Some(Config {
        listen,
        metrics,
        database: database?,
        upstream,
        upstream_timeouts,
        client_stall,
        secret_key: secret_key?,
        secret_key_previous,
        encryption_key: encryption_key?,
        encryption_key_previous,
        admin,
        reserve,
        default_sale_ratio,
        body_limit_bytes,
        idempotency,
        recovery,
        max_concurrent_requests,
        cors_allowed_origins,
        edge,
        people,
        log,
    })
}

pub(super) fn database(reader: &mut Reader<'_>) -> Option<DatabaseConfig> {
    let expected = "a URL as in postgres://user:password@host:5432/tollgate";
    let url = |text: &str| {
        let known = ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
        known.then(|| PgConnectOptions::from_str(text).ok()).flatten()
    };
    if reader.text("DATABASE_URL").is_none() {
        let data_dir = reader.text("TOLLGATE_DATA_DIR").unwrap_or_else(|| "./.tollgate".to_owned());
        return Some(DatabaseConfig::Private { data_dir: PathBuf::from(data_dir) });
    }
    let server = reader.parse_secret("DATABASE_URL", expected, url);
    let owner = reader.parse_secret("DATABASE_OWNER_URL", expected, url);
    let server = Box::new(server?);
    let owner = owner.map_or_else(|| server.clone(), Box::new);
    Some(DatabaseConfig::Server { server, owner })
}

fn idempotency(reader: &mut Reader<'_>) -> IdempotencyConfig {
    let expected = "bytes up to 67108864, as in 1048576; 0 keeps none";
    let answer = count(reader, "IDEMPOTENCY_ANSWER_BYTES", expected, 0..=64 << 20);
    let expected = "bytes, as in 1073741824";
    let store = count(reader, "IDEMPOTENCY_STORE_BYTES", expected, 0..=1 << 40);
    IdempotencyConfig {
        answer_bytes: answer.unwrap_or(1 << 20),
        store_bytes: store.unwrap_or(1 << 30) as u64,
    }
}

fn cors(reader: &mut Reader<'_>) -> Vec<HeaderValue> {
    let expected = "origins with commas between them, as in https://app.example.com, or *";
    let origin = |text: &str| {
        let known = text == "*" || {
            let url = reqwest::Url::parse(text).ok()?;
            // What a browser sends as `Origin` has no path, not even a slash.
            url.origin().is_tuple() && url.origin().ascii_serialization() == text
        };
        known.then(|| HeaderValue::from_str(text).ok()).flatten()
    };
    let parse = |text: &str| {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let origins: Option<Vec<HeaderValue>> = parts.map(origin).collect();
        origins.filter(|origins| origins.len() == 1 || !origins.iter().any(|one| one == "*"))
    };
    reader.parse("CORS_ALLOWED_ORIGINS", expected, parse).unwrap_or_default()
}

pub(super) fn log(reader: &mut Reader<'_>) -> LogConfig {
    let default = LogConfig::default();
    let format = reader.parse("LOG_FORMAT", "text or json", |text| match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    });
    let expected = "directives as in info,tollgate=debug";
    let filter = reader.parse("LOG_FILTER", expected, |text| {
        EnvFilter::try_new(text).ok().map(|_| text.to_owned())
    });
    LogConfig { format: format.unwrap_or(default.format), filter: filter.unwrap_or(default.filter) }
}

fn upstream(reader: &mut Reader<'_>) -> UpstreamConfig {
    let base_url = reader
        .parse("OPENROUTER_BASE_URL", "a URL as in https://openrouter.ai/api/v1", |text| {
            let url = reqwest::Url::parse(text).ok()?;
            let usable = matches!(url.scheme(), "http" | "https") && url.has_host();
            (usable && url.query().is_none()).then(|| text.trim_end_matches('/').to_owned())
        })
        .unwrap_or_else(|| "https://openrouter.ai/api/v1".to_owned());
    let keys =
        reader.parse_secret("OPENROUTER_MASTER_KEYS", "keys with commas between them", |text| {
            let mut keys: Vec<Secret> = Vec::new();
            for key in text.split(',').map(str::trim).filter(|key| !key.is_empty()) {
                // It travels in a header; a line break or a space inside is a slip of the
                // clipboard.
                if !key.chars().all(|c| c.is_ascii_graphic()) {
                    return None;
                }
                if keys.iter().all(|known| known.expose() != key) {
                    keys.push(Secret::new(key));
                }
            }
            (!keys.is_empty()).then_some(keys)
        });
    match keys {
        Some(keys) => UpstreamConfig::OpenRouter { base_url, keys },
        None => UpstreamConfig::Sandbox,
    }
}

fn timeouts(reader: &mut Reader<'_>) -> UpstreamTimeouts {
    let mut read = |variable, default| seconds(reader, variable, Duration::from_secs(default));
    UpstreamTimeouts {
        connect: read("UPSTREAM_CONNECT_TIMEOUT_SECONDS", 10),
        first_byte: read("UPSTREAM_FIRST_BYTE_TIMEOUT_SECONDS", 300),
        idle: read("UPSTREAM_IDLE_TIMEOUT_SECONDS", 120),
        total: read("UPSTREAM_TOTAL_TIMEOUT_SECONDS", 1800),
    }
}

fn recovery(reader: &mut Reader<'_>) -> RecoveryTimes {
    let default = RecoveryTimes::default();
    RecoveryTimes {
        gone: seconds(reader, "RECOVERY_GONE_SECONDS", default.gone),
        look: seconds(reader, "RECOVERY_LOOK_SECONDS", default.look),
        patience: seconds(reader, "RECOVERY_PATIENCE_SECONDS", default.patience),
    }
}

pub(super) fn seconds(
    reader: &mut Reader<'_>,
    variable: &'static str,
    default: Duration,
) -> Duration {
    let read = count(reader, variable, "whole seconds from 1 to 86400", 1..=86_400);
    read.map_or(default, |value| Duration::from_secs(value as u64))
}

fn secret_key(reader: &mut Reader<'_>, data_dir: Option<&Path>) -> Option<Secret> {
    let remedy = "at least 32 bytes; `openssl rand -base64 48` makes one";
    let long_enough = |text: &str| (text.len() >= 32).then(|| Secret::new(text));
    if reader.text("SECRET_KEY").is_some() {
        return reader.parse_secret("SECRET_KEY", remedy, long_enough);
    }
    let kept =
        keep(reader, "SECRET_KEY", "secret-key", data_dir, remedy, || kept::random_text(48))?;
    long_enough(&kept).or_else(|| spoilt(reader, "SECRET_KEY", "secret-key", remedy))
}

fn encryption_key(reader: &mut Reader<'_>, data_dir: Option<&Path>) -> Option<EncryptionKey> {
    let remedy = "32 bytes in base64 or hexadecimal; `openssl rand -base64 32` makes one";
    if reader.text("ENCRYPTION_KEY").is_some() {
        return reader.parse_secret("ENCRYPTION_KEY", remedy, EncryptionKey::parse);
    }
    let generate = generate_encryption_key;
    let kept = keep(reader, "ENCRYPTION_KEY", ENCRYPTION_KEY, data_dir, remedy, generate)?;
    let key = EncryptionKey::parse(&kept);
    key.or_else(|| spoilt(reader, "ENCRYPTION_KEY", ENCRYPTION_KEY, remedy))
}

/// A new key as text.
pub(crate) fn generate_encryption_key() -> std::io::Result<String> {
    let bytes = URL_SAFE_NO_PAD.decode(kept::random_text(32)?).map_err(std::io::Error::other)?;
    Ok(STANDARD.encode(bytes))
}

fn secret_key_previous(reader: &mut Reader<'_>) -> Option<Secret> {
    let remedy = "the SECRET_KEY before this one, or nothing";
    let long_enough = |text: &str| (text.len() >= 32).then(|| Secret::new(text));
    reader.parse_secret("SECRET_KEY_PREVIOUS", remedy, long_enough)
}

/// In a private run a rotation that was interrupted has left it in the data directory.
fn encryption_key_previous(
    reader: &mut Reader<'_>,
    data_dir: Option<&Path>,
) -> Option<EncryptionKey> {
    let remedy = "the ENCRYPTION_KEY before this one, or nothing";
    if reader.text("ENCRYPTION_KEY_PREVIOUS").is_some() {
        return reader.parse_secret("ENCRYPTION_KEY_PREVIOUS", remedy, EncryptionKey::parse);
    }
    let kept = kept::find(data_dir?, PREVIOUS_ENCRYPTION_KEY).ok()??;
    EncryptionKey::parse(&kept)
        .or_else(|| spoilt(reader, "ENCRYPTION_KEY_PREVIOUS", PREVIOUS_ENCRYPTION_KEY, remedy))
}

fn admin(reader: &mut Reader<'_>, data_dir: Option<&Path>) -> Option<AdminConfig> {
    let expected = "an address as in admin@example.com";
    let given = reader.text("ADMIN_EMAIL").is_some();
    let email = reader.parse("ADMIN_EMAIL", expected, |text| {
        let (name, domain) = text.split_once('@')?;
        let plain = !text.contains(char::is_whitespace) && !domain.contains('@');
        (plain && !name.is_empty() && !domain.is_empty()).then(|| text.to_lowercase())
    });
    let email = match (email, data_dir) {
        (Some(email), _) => email,
        (None, Some(_)) if !given => PRIVATE_ADMIN.to_owned(),
        (None, _) => {
            if !given && reader.text("ADMIN_PASSWORD").is_some() {
                let problem = "it is absent, but ADMIN_PASSWORD is given";
                reader.refuse("ADMIN_EMAIL", problem, format!("write {expected}"));
            }
            return None;
        }
    };
    if let Some(password) = reader.text("ADMIN_PASSWORD") {
        return match password::check_rules(&password, &email) {
            Ok(()) => {
                Some(AdminConfig { email, password: Secret::new(password), generated_in: None })
            }
            Err(rule) => {
                reader.refuse("ADMIN_PASSWORD", rule.to_string(), "choose another one");
                None
            }
        };
    }
    let remedy = "a password of 10 to 128 characters";
    let generate = || kept::random_text(18);
    let kept = keep(reader, "ADMIN_PASSWORD", "admin-password", data_dir, remedy, generate)?;
    let generated_in = data_dir.map(|data_dir| kept::kept_path(data_dir, "admin-password"));
    Some(AdminConfig { email, password: Secret::new(kept), generated_in })
}

/// What the data directory keeps for a variable that is absent; refused where there is no such
/// directory.
fn keep(
    reader: &mut Reader<'_>,
    variable: &'static str,
    name: &str,
    data_dir: Option<&Path>,
    remedy: &str,
    generate: impl FnOnce() -> std::io::Result<String>,
) -> Option<String> {
    let Some(data_dir) = data_dir else {
        // With DATABASE_URL there may be other nodes, and all need the same.
        let problem = "it is absent, and nothing is generated where DATABASE_URL is set";
        reader.refuse(variable, problem, format!("write {remedy}"));
        return None;
    };
    match kept::keep(data_dir, name, generate) {
        Ok(text) => Some(text),
        Err(error) => {
            let path = kept::kept_path(data_dir, name);
            let problem =
                format!("it is absent, and keeping one in {} failed: {error}", path.display());
            let remedy =
                "make TOLLGATE_DATA_DIR a directory that this user can write, or set the variable";
            reader.refuse(variable, problem, remedy);
            None
        }
    }
}

fn spoilt<T>(
    reader: &mut Reader<'_>,
    variable: &'static str,
    name: &str,
    remedy: &str,
) -> Option<T> {
    let problem = format!("`secrets/{name}` in the data directory is damaged");
    reader.refuse(variable, problem, format!("restore that file, or write {remedy}"));
    None
}

fn sale_ratio(text: &str) -> Option<Decimal> {
    let ratio = Decimal::from_str_exact(text).ok()?;
    (ratio > Decimal::ZERO && ratio <= Decimal::ONE_HUNDRED).then_some(ratio)
}

pub(super) fn count(
    reader: &mut Reader<'_>,
    variable: &'static str,
    expected: &str,
    range: std::ops::RangeInclusive<usize>,
) -> Option<usize> {
    reader.parse(variable, expected, |text| text.parse().ok().filter(|value| range.contains(value)))
}
