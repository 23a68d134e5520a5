//! The configuration as an operator writes it.

use std::collections::HashMap;

use super::*;
use crate::test_directory::TestDirectory;

fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    let map: HashMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Config::from_lookup(&|name| map.get(name).cloned())
}

fn wrong(variables: &[(&str, &str)]) -> Vec<&'static str> {
    let errors = read(variables).expect_err("this configuration must be refused");
    errors.0.iter().map(|error| error.variable).collect()
}

const KEY: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
const URL: &str = "postgres://tollgate:hunter2@db:5432/tollgate";

#[test]
fn a_private_run_needs_nothing_and_keeps_what_it_generates() {
    let directory = TestDirectory::new();
    let path = directory.path().to_str().unwrap();
    let first = read(&[("TOLLGATE_DATA_DIR", path), ("DATABASE_URL", " ")]).unwrap();
    assert_eq!(first.listen.to_string(), "127.0.0.1:8000");
    assert!(matches!(first.upstream, UpstreamConfig::Sandbox));
    assert_eq!(first.reserve, ReserveMode::Overlapped);
    assert_eq!(first.default_sale_ratio.to_string(), "0.80");
    assert_eq!(first.body_limit_bytes, 20_971_520);
    let admin = first.admin.clone().unwrap();
    assert_eq!(admin.email, "admin@tollgate.local");
    let kept = std::fs::read_to_string(admin.generated_in.unwrap()).unwrap();
    assert_eq!(kept.trim(), admin.password.expose());

    let second = read(&[("TOLLGATE_DATA_DIR", path)]).unwrap();
    assert_eq!(second.secret_key, first.secret_key);
    assert_eq!(second.encryption_key, first.encryption_key);
    assert_eq!(second.admin.unwrap().password, admin.password);
}

#[test]
fn a_shared_database_demands_its_secrets_and_says_how_to_make_them() {
    let errors = read(&[("DATABASE_URL", URL)]).unwrap_err();
    let text = errors.to_string();
    assert_eq!(errors.0.len(), 2, "{text}");
    assert!(text.contains("SECRET_KEY") && text.contains("openssl rand -base64 48"), "{text}");
    assert!(text.contains("ENCRYPTION_KEY") && text.contains("openssl rand -base64 32"), "{text}");
    let config =
        read(&[("DATABASE_URL", URL), ("SECRET_KEY", KEY), ("ENCRYPTION_KEY", KEY)]).unwrap();
    assert!(config.admin.is_none(), "no admin is invented in a shared database");
    let DatabaseConfig::Server { server, owner } = config.database else { panic!() };
    assert_eq!((server.get_host(), owner.get_username()), ("db", "tollgate"));
}

#[test]
fn every_wrong_variable_is_reported_at_once_and_by_name() {
    let all = [
        ("LISTEN_ADDR", "8000"),
        ("METRICS_ADDR", "9464"),
        ("DATABASE_URL", "mysql://db"),
        ("OPENROUTER_MASTER_KEYS", "sk-or-1, sk or 2"),
        ("OPENROUTER_BASE_URL", "openrouter.ai/api/v1"),
        ("SECRET_KEY", "short"),
        ("ENCRYPTION_KEY", "c2hvcnQ="),
        ("ADMIN_EMAIL", "nobody"),
        ("RESERVE", "later"),
        ("DEFAULT_SALE_RATIO", "-0.8"),
        ("BODY_LIMIT_BYTES", "20MB"),
        ("MAX_CONCURRENT_REQUESTS", "0"),
        ("UPSTREAM_IDLE_TIMEOUT_SECONDS", "1.5"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, proxy.internal"),
        ("HEADER_LIMIT_BYTES", "100"),
        ("URL_LIMIT_BYTES", "1000000"),
        ("HEADER_TIMEOUT_SECONDS", "0"),
        ("BODY_TIMEOUT_SECONDS", "soon"),
        ("REGISTRATION", "maybe"),
        ("EMAIL_VERIFICATION", "yes"),
        ("PUBLIC_URL", "gate.example.com"),
        ("SMTP_URL", "smtp://user:hunter2@mail.example.com"),
        ("MAIL_FROM", "nobody"),
        ("LOG_FORMAT", "xml"),
        ("LOG_FILTER", "tollgate=loud"),
    ];
    let (mut named, mut expected) = (wrong(&all), all.map(|(name, _)| name).to_vec());
    named.sort_unstable();
    expected.sort_unstable();
    assert_eq!(named, expected);
}

#[test]
fn an_error_shows_the_value_and_the_remedy_but_never_a_secret() {
    let directory = TestDirectory::new();
    let path = directory.path().to_str().unwrap();
    let errors = read(&[("TOLLGATE_DATA_DIR", path), ("RESERVE", "later")]).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "the configuration has to be corrected:\n  \
         RESERVE: `later` can't be used; write overlapped or durable_first"
    );
    for (variable, secret) in [
        ("SECRET_KEY", "hunter2"),
        ("ENCRYPTION_KEY", "hunter2"),
        ("OPENROUTER_MASTER_KEYS", "hunter2 hunter2"),
        ("ADMIN_PASSWORD", "hunter2"),
        ("DATABASE_URL", "hunter2"),
    ] {
        let errors = read(&[("TOLLGATE_DATA_DIR", path), (variable, secret)]).unwrap_err();
        assert!(errors.0.iter().any(|error| error.variable == variable), "{variable}");
        assert!(!errors.to_string().contains("hunter2"), "{errors}");
    }
}

#[test]
fn a_secret_of_the_configuration_does_not_print() {
    let config = read(&[
        ("DATABASE_URL", URL),
        ("SECRET_KEY", "0123456789012345678901234567890123456789"),
        ("ENCRYPTION_KEY", KEY),
        ("ADMIN_EMAIL", "Boss@Example.com"),
        ("ADMIN_PASSWORD", "correct horse"),
        ("OPENROUTER_MASTER_KEYS", "sk-or-1,,sk-or-2, sk-or-1"),
        ("OPENROUTER_BASE_URL", "http://127.0.0.1:9/api/v1/"),
    ])
    .unwrap();
    let UpstreamConfig::OpenRouter { base_url, keys } = &config.upstream else { panic!() };
    assert_eq!((base_url.as_str(), keys.len()), ("http://127.0.0.1:9/api/v1", 2));
    assert_eq!(config.admin.as_ref().unwrap().email, "boss@example.com");
    let printed = format!("{config:?}");
    for secret in ["hunter2", "0123456789", "correct horse", "sk-or-", KEY] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[test]
fn an_admin_password_needs_an_address_and_the_rules() {
    let shared = [("DATABASE_URL", URL), ("SECRET_KEY", KEY), ("ENCRYPTION_KEY", KEY)];
    let with = |more: &[(&'static str, &'static str)]| wrong(&[&shared, more].concat());
    assert_eq!(with(&[("ADMIN_PASSWORD", "correct horse")]), ["ADMIN_EMAIL"]);
    assert_eq!(with(&[("ADMIN_EMAIL", "a@b.c")]), ["ADMIN_PASSWORD"]);
    let equal = [("ADMIN_EMAIL", "someone@b.c"), ("ADMIN_PASSWORD", "someone@b.c")];
    assert_eq!(with(&equal), ["ADMIN_PASSWORD"]);
}

#[test]
fn an_origin_is_what_a_browser_sends_and_nothing_else() {
    let base = [("DATABASE_URL", URL), ("SECRET_KEY", KEY), ("ENCRYPTION_KEY", KEY)];
    let with = |text: &'static str| read(&[&base[..], &[("CORS_ALLOWED_ORIGINS", text)]].concat());
    let origins = |text| with(text).unwrap().cors_allowed_origins;
    assert!(origins("").is_empty());
    assert_eq!(origins("*"), ["*"]);
    let two = "https://app.example.com, http://localhost:5173";
    assert_eq!(origins(two), ["https://app.example.com", "http://localhost:5173"]);
    for text in ["https://app.example.com/", "app.example.com", "*,https://a.b", "null"] {
        assert!(with(text).is_err(), "{text}");
    }
}

#[test]
fn mail_needs_a_sender_and_a_password_an_encrypted_way() {
    let shared = [("DATABASE_URL", URL), ("SECRET_KEY", KEY), ("ENCRYPTION_KEY", KEY)];
    let with = |url: &'static str| {
        let mail = [("SMTP_URL", url), ("MAIL_FROM", "Gate <gate@example.com>")];
        read(&[&shared[..], &mail].concat())
    };
    for url in [
        "smtps://user:hunter2@mail.example.com",
        "smtp://user:hunter2@mail.example.com:587?tls=required",
        "smtp://user:hunter2@127.0.0.1:1025",
        "smtp://relay.internal",
    ] {
        let config = with(url).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        assert_eq!(config.people.mail.unwrap().smtp_url.expose(), url);
    }
    for url in [
        "smtp://user:hunter2@mail.example.com",
        "smtp://user:hunter2@mail.example.com?tls=opportunistic",
        "https://mail.example.com",
        "mail.example.com",
    ] {
        let errors = with(url).unwrap_err();
        assert_eq!(errors.0[0].variable, "SMTP_URL", "{url}");
        assert!(!errors.to_string().contains("hunter2"), "{errors}");
    }
    let alone = [&shared[..], &[("SMTP_URL", "smtp://relay.internal")]].concat();
    assert_eq!(wrong(&alone), ["MAIL_FROM"]);
    assert!(read(&shared).unwrap().people.mail.is_none());
    let mail = [("SMTP_URL", "smtps://mail.example.com"), ("MAIL_FROM", "gate@example.com")];
    let trusts = |file| read(&[&shared[..], &mail, &[("SMTP_CA_FILE", file)]].concat());
    let trusted = trusts("tests/data/smtp/ca.pem").unwrap().people.mail.unwrap();
    assert!(trusted.certificates.is_some());
    for file in ["tests/data/smtp/none.pem", "tests/data/smtp/server.key"] {
        assert_eq!(trusts(file).unwrap_err().0[0].variable, "SMTP_CA_FILE", "{file}");
    }
}
