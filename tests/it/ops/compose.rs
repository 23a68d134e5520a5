//! `docker-compose.yml` says what Compose and the server understand, and starts with nothing open.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tollgate::config::Config;

use super::{assert_pinned, exists, file};

/// Members of a service that Compose's specification knows, as far as they are used here.
const KNOWN: [&str; 17] = [
    "build",
    "cap_drop",
    "command",
    "depends_on",
    "environment",
    "healthcheck",
    "image",
    "networks",
    "ports",
    "read_only",
    "restart",
    "security_opt",
    "shm_size",
    "stop_grace_period",
    "tmpfs",
    "volumes",
    "user",
];
/// What nothing may start without.
const SECRETS: [&str; 8] = [
    "POSTGRES_PASSWORD",
    "TOLLGATE_OWNER_PASSWORD",
    "TOLLGATE_SERVER_PASSWORD",
    "SECRET_KEY",
    "ENCRYPTION_KEY",
    "ADMIN_EMAIL",
    "ADMIN_PASSWORD",
    "GRAFANA_PASSWORD",
];

fn compose() -> Value {
    serde_yaml_ng::from_str(&file("docker-compose.yml")).expect("YAML")
}

fn services(compose: &Value) -> &serde_json::Map<String, Value> {
    compose["services"].as_object().expect("services")
}

fn list<'v>(service: &'v Value, member: &str) -> Vec<&'v str> {
    let items = service[member].as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().map(|item| item.as_str().expect("text")).collect()
}

/// Compose's own interpolation, with the two forms that are used: `${A:-default}`, `${A:?error}`.
fn interpolate(text: &str, given: &BTreeMap<String, String>) -> Result<String, String> {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        whole.push_str(before);
        let after = after.strip_prefix('{').unwrap_or_else(|| panic!("a bare dollar: {text}"));
        let (inner, after) = after.split_once('}').unwrap_or_else(|| panic!("open: {text}"));
        let (name, otherwise) = inner.split_once(':').unwrap_or_else(|| {
            panic!("an absent {inner} would silently be empty: {text}");
        });
        match (given.get(name).filter(|value| !value.is_empty()), otherwise.split_at(1)) {
            (Some(value), _) => whole.push_str(value),
            (None, ("-", default)) => whole.push_str(default),
            (None, ("?", _)) => return Err(name.to_owned()),
            (None, other) => panic!("{other:?} is no form of Compose: {text}"),
        }
        rest = after;
    }
    whole.push_str(rest);
    Ok(whole)
}

/// What `.docker/secrets` writes, by its names; the values are as long as there.
fn written() -> BTreeMap<String, String> {
    let script = file(".docker/secrets");
    let (_, env) = script.split_once("<<END\n").expect("the file");
    let (env, _) = env.split_once("\nEND\n").expect("its end");
    let lines = env.lines().filter(|line| !line.starts_with('#'));
    let pair = |line: &str| {
        let (name, value) = line.split_once('=').expect("a variable");
        let made = value.strip_prefix("$(random -hex ").and_then(|rest| rest.strip_suffix(')'));
        let random = |bytes: &str| {
            let bytes = (0..bytes.parse::<u32>().expect("a length")).map(|at| at * 37 + 11);
            bytes.map(|byte| format!("{:02x}", byte % 256)).collect()
        };
        let value = made.map_or(value.to_owned(), random);
        (name.to_owned(), value)
    };
    lines.map(pair).collect()
}

#[test]
fn every_service_is_pinned_and_names_only_what_is_there() {
    let compose = compose();
    for member in compose.as_object().expect("an object").keys() {
        assert!(["name", "networks", "services", "volumes"].contains(&member.as_str()), "{member}");
    }
    let volumes = compose["volumes"].as_object().expect("volumes");
    let mut mounted = BTreeSet::new();
    for (name, service) in services(&compose) {
        for member in service.as_object().expect("an object").keys() {
            assert!(KNOWN.contains(&member.as_str()), "{name}: {member}");
        }
        assert_pinned(service["image"].as_str().expect("an image"));
        assert_eq!(service["restart"], "unless-stopped", "{name}");
        let needs: Vec<&str> = match &service["depends_on"] {
            Value::Object(needs) => needs.keys().map(String::as_str).collect(),
            _ => list(service, "depends_on"),
        };
        assert!(needs.iter().all(|need| services(&compose).contains_key(*need)), "{name}");
        for volume in list(service, "volumes") {
            let (source, rest) = volume.split_once(':').expect("a source and a target");
            assert!(rest.starts_with('/'), "{name}: {volume}");
            match source.strip_prefix("./") {
                Some(path) => {
                    assert!(exists(path), "{name}: {path} is not there");
                    assert!(rest.ends_with(":ro"), "{name}: {volume} is ours to write");
                }
                None => {
                    assert!(volumes.contains_key(source), "{name}: {volume}");
                    mounted.insert(source);
                }
            }
        }
    }
    assert_eq!(mounted.len(), volumes.len(), "every volume is used");
    let build = &services(&compose)["tollgate"]["build"];
    assert!(exists(build["dockerfile"].as_str().expect("a path")));
    let version = format!("tollgate:{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(services(&compose)["tollgate"]["image"], version.as_str());
}

#[test]
fn only_the_gateway_and_its_dashboard_can_be_reached_from_elsewhere() {
    let compose = compose();
    let ports = |name: &str| list(&services(&compose)[name], "ports");
    assert_eq!(ports("tollgate"), ["8000:8000"], "and not where the figures are");
    assert_eq!(ports("dashboard"), ["3000:3000"]);
    assert_eq!(ports("postgres"), ["127.0.0.1:5433:5432"]);
    assert_eq!(ports("prometheus"), ["127.0.0.1:9090:9090"]);
    assert_eq!(ports("grafana"), ["127.0.0.1:3100:3000"]);
}

#[test]
fn the_gateway_believes_the_dashboard_alone_where_a_visitor_comes_from() {
    let compose = compose();
    let dashboard = &services(&compose)["dashboard"];
    let address = dashboard["networks"]["default"]["ipv4_address"].as_str().expect("an address");
    let trusted = &services(&compose)["tollgate"]["environment"]["TRUSTED_PROXIES"];
    assert_eq!(trusted, &format!("${{TRUSTED_PROXIES:-{address}}}"));
    let subnet = compose["networks"]["default"]["ipam"]["config"][0]["subnet"].as_str();
    let subnet: ipnet::IpNet = subnet.expect("a subnet").parse().expect("a range");
    assert!(subnet.contains(&address.parse::<std::net::IpAddr>().expect("an address")));
    let nginx = file(".docker/nginx/dashboard.conf");
    assert!(nginx.contains("listen 3000;") && nginx.contains("server tollgate:8000;"));
    assert!(nginx.contains("proxy_set_header X-Forwarded-For $remote_addr;"), "not appended");
    assert!(nginx.contains("proxy_buffering off;"), "streams come as they are written");
}

#[test]
fn nothing_starts_without_its_secrets_and_none_has_a_default() {
    let text: String = file("docker-compose.yml");
    let all: String = text.lines().filter(|line| !line.trim().starts_with('#')).collect();
    let whole = written();
    interpolate(&all, &whole).expect("with what the script writes everything is there");
    for secret in SECRETS {
        let mut without = whole.clone();
        without.remove(secret).unwrap_or_else(|| panic!("the script writes no {secret}"));
        assert_eq!(interpolate(&all, &without), Err(secret.to_owned()));
    }
    assert!(file(".gitignore").lines().any(|line| line == "/.env"), "secrets are not committed");
    assert!(file(".dockerignore").lines().any(|line| line == "*"), "nor part of an image");
}

#[test]
fn the_server_understands_every_variable_that_it_is_given() {
    let compose = compose();
    let environment = services(&compose)["tollgate"]["environment"].as_object().expect("variables");
    let given: BTreeMap<String, String> = environment
        .iter()
        .map(|(name, value)| {
            let value = interpolate(value.as_str().expect("text"), &written()).expect("a value");
            (name.clone(), value)
        })
        .collect();
    let asked = RefCell::new(BTreeSet::new());
    let config = Config::from_lookup(&|name| {
        asked.borrow_mut().insert(name.to_owned());
        given.get(name).cloned()
    });
    let config = config.unwrap_or_else(|errors| panic!("{errors}"));
    let asked = asked.into_inner();
    let unknown: Vec<_> = given.keys().filter(|name| !asked.contains(*name)).collect();
    assert!(unknown.is_empty(), "the server knows no {unknown:?}");
    let scraped: Value =
        serde_yaml_ng::from_str(&file(".docker/prometheus/prometheus.yml")).expect("YAML");
    let target = &scraped["scrape_configs"][0]["static_configs"][0]["targets"][0];
    let port = config.metrics.expect("an address for figures").port();
    assert_eq!(target, &format!("tollgate:{port}"), "Prometheus asks where the figures are");
    assert_eq!(config.listen.port(), 8000);
}

#[test]
fn the_database_is_made_with_the_roles_that_the_server_uses_and_keeps_what_it_acknowledges() {
    let compose = compose();
    let command = list(&services(&compose)["postgres"], "command");
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        assert!(command.contains(&&*format!("-c{setting}=on")), "{setting}");
    }
    let postgres = &services(&compose)["postgres"];
    let init = postgres["environment"]["POSTGRES_INITDB_ARGS"].as_str().expect("text");
    assert!(init.contains("--data-checksums"));
    assert!(postgres["healthcheck"]["test"].is_array());
    let tollgate = &services(&compose)["tollgate"];
    assert_eq!(tollgate["depends_on"]["postgres"]["condition"], "service_healthy");
    let roles = file(".docker/postgres/roles.sh");
    for (variable, role) in [("DATABASE_URL", "tollgate"), ("DATABASE_OWNER_URL", "tollgate_owner")]
    {
        let url = tollgate["environment"][variable].as_str().expect("a URL");
        assert!(url.starts_with(&format!("postgres://{role}:")), "{url}");
        assert!(url.ends_with("@postgres:5432/tollgate"), "{url}");
        assert!(roles.contains(&format!("CREATE ROLE {role} LOGIN")), "{role}");
    }
    assert!(roles.contains("CREATE DATABASE tollgate OWNER tollgate_owner"));
}
