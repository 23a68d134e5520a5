//! The dashboards and the alert rules ask only for figures that there are.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::promql::{Selector, selectors};
use super::text::Family;
use super::{Scraped, file};
use crate::app::TestApp;

/// Each query with where it stands.
type Queries = Vec<(String, String)>;

const DASHBOARDS: &str = ".docker/grafana/dashboards";
/// Every target has these, whatever it tells.
const TARGET_LABELS: [&str; 2] = ["job", "instance"];

fn dashboards() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(DASHBOARDS);
    let entries = fs::read_dir(folder).expect("dashboards").map(|entry| entry.expect("an entry"));
    let names = entries.map(|entry| entry.file_name().into_string().expect("a name"));
    let read = |name: String| {
        let board = serde_json::from_str(&file(&format!("{DASHBOARDS}/{name}"))).expect("JSON");
        (name, board)
    };
    names.map(read).collect()
}

fn of_dashboards() -> Queries {
    let mut queries = Vec::new();
    for (name, board) in dashboards() {
        for panel in board["panels"].as_array().expect("panels") {
            let title = panel["title"].as_str().expect("a title");
            for target in panel["targets"].as_array().expect("targets") {
                let query = target["expr"].as_str().expect("a query");
                let query = query.replace("$__rate_interval", "5m").replace("$__range", "1h");
                assert!(!query.contains('$'), "{name}: {title}: a variable: {query}");
                queries.push((format!("{name}: {title}"), query));
            }
        }
    }
    queries
}

fn of_alerts() -> Queries {
    let rules: Value =
        serde_yaml_ng::from_str(&file(".docker/prometheus/alerts.yml")).expect("YAML");
    let groups = rules["groups"].as_array().expect("groups").iter();
    let rules = groups.flat_map(|group| group["rules"].as_array().expect("rules"));
    let query = |rule: &Value| {
        let name = rule["alert"].as_str().expect("a name").to_owned();
        let severity = rule["labels"]["severity"].as_str();
        assert!(matches!(severity, Some("critical" | "warning")), "{name}");
        assert!(rule["annotations"]["summary"].is_string(), "{name}");
        (name, rule["expr"].as_str().expect("a query").to_owned())
    };
    rules.map(query).collect()
}

/// Whether the server tells what a selector asks for, with the labels that it names.
fn check(figures: &Scraped, selector: &Selector) -> Result<(), String> {
    let name = selector.name.as_str();
    // Prometheus makes it itself.
    if name == "up" {
        return Ok(());
    }
    let found = find(figures, name);
    let (family, is_bucket) = found.ok_or_else(|| format!("the server does not tell {name}"))?;
    let known = |label: &str| {
        TARGET_LABELS.contains(&label)
            || family.labels.contains(label)
            || (label == "le" && is_bucket)
    };
    let named = selector.matchers.iter().map(|(label, ..)| label).chain(&selector.kept);
    for label in named {
        if !known(label) {
            return Err(format!("{name} has no label {label}"));
        }
    }
    for (label, operator, value) in &selector.matchers {
        if TARGET_LABELS.contains(&label.as_str()) || operator.starts_with('!') {
            continue;
        }
        let mut values = value.split('|').map(|value| format!("{label}=\"{value}\""));
        let told = |wanted: String| family.samples.keys().any(|series| series.contains(&wanted));
        if !values.all(told) {
            return Err(format!("no {name} with {label} {operator} {value}"));
        }
    }
    Ok(())
}

/// The family of a series, and whether it is a bucket of a histogram.
fn find<'s>(figures: &'s Scraped, name: &str) -> Option<(&'s Family, bool)> {
    if let Some(family) = figures.families.get(name) {
        // A histogram has no series of its own name.
        return (family.kind != "histogram").then_some((family, false));
    }
    let (base, suffix) = name.rsplit_once('_')?;
    let family = figures.families.get(base).filter(|family| family.kind == "histogram")?;
    ["bucket", "sum", "count"].contains(&suffix).then_some((family, suffix == "bucket"))
}

/// The names that are asked for.
#[track_caller]
fn look(figures: &Scraped, queries: &Queries) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for (at, query) in queries {
        let found = selectors(query).unwrap_or_else(|error| panic!("{at}: {query}: {error}"));
        assert!(!found.is_empty(), "{at} asks for nothing");
        for selector in found {
            check(figures, &selector).unwrap_or_else(|error| panic!("{at}: {error}"));
            used.insert(selector.name);
        }
    }
    used
}

#[tokio::test]
async fn dashboards_and_alerts_ask_only_for_what_the_server_tells() {
    let app = TestApp::start_with(|config| config.metrics = Some(([127, 0, 0, 1], 0).into())).await;
    app.caught_up().await;
    let figures = Scraped::read(&app.figures().await);
    let boards = look(&figures, &of_dashboards());
    look(&figures, &of_alerts());
    // And whatever it tells is looked at somewhere, or nobody would miss it.
    for name in figures.families.keys().filter(|name| !name.starts_with("process_")) {
        let shown = boards.iter().any(|used| used.starts_with(name.as_str()));
        assert!(shown || name == "tollgate_build_info", "no dashboard shows {name}");
    }
    let wrong = |query: &str| {
        selectors(query).expect("a query").iter().any(|found| check(&figures, found).is_err())
    };
    assert!(!wrong("sum by (class) (rate(tollgate_tokens_total[5m]))"));
    assert!(wrong("rate(tollgate_requests_total[5m])"));
    assert!(wrong("sum by (model) (tollgate_tokens_total)"));
    assert!(wrong("tollgate_http_requests_total{outcome=\"6xx\"}"));
    app.audit().await;
}

#[test]
fn dashboards_can_be_provisioned_as_they_are() {
    let names: Vec<String> = dashboards().iter().map(|(name, _)| name.clone()).collect();
    for name in ["requests", "latency", "ledger", "money", "recovery"] {
        assert!(names.contains(&format!("{name}.json")), "{names:?}");
    }
    let provisioning = ".docker/grafana/provisioning";
    let source = file(&format!("{provisioning}/datasources/prometheus.yml"));
    let source: Value = serde_yaml_ng::from_str(&source).expect("YAML");
    let uid = &source["datasources"][0]["uid"];
    let mut uids = Vec::new();
    for (name, board) in dashboards() {
        uids.push(board["uid"].as_str().expect("a uid").to_owned());
        assert!(board["schemaVersion"].is_u64() && board["title"].is_string(), "{name}");
        let panels = board["panels"].as_array().expect("panels");
        let mut ids: Vec<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
        ids.dedup();
        assert_eq!(ids.len(), panels.len(), "{name}: every panel has its own id");
        for panel in panels {
            assert_eq!(&panel["datasource"]["uid"], uid, "{name}: {}", panel["title"]);
            let place = |side: &str| panel["gridPos"][side].as_u64().expect("a place");
            assert!(place("x") + place("w") <= 24 && place("h") > 0, "{name}: {}", panel["title"]);
        }
    }
    uids.sort_unstable();
    uids.dedup();
    assert_eq!(uids.len(), names.len(), "every dashboard has its own uid");
}
