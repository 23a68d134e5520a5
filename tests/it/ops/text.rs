//! A strict reader of Prometheus's text format 0.0.4, which also looks at names as promtool does.

use std::collections::{BTreeMap, BTreeSet};

/// Names and values.
type Labels = Vec<(String, String)>;

/// Everything of one `/metrics`.
#[derive(Debug, Clone, Default)]
pub struct Scraped {
    /// By name; without the suffixes of histograms.
    pub families: BTreeMap<String, Family>,
}

/// One metric with all its series.
#[derive(Debug, Clone)]
pub struct Family {
    pub kind: String,
    pub help: String,
    /// By sample name and labels, as in `name{a="b"}`.
    pub samples: BTreeMap<String, f64>,
    /// The names of its labels, `le` left out.
    pub labels: BTreeSet<String>,
}

impl Scraped {
    /// Reads it, and ends the test where anything is not as it must be.
    #[track_caller]
    pub fn read(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line has an end");
        let mut scraped = Self::default();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let (name, help) = header(line, "# HELP ");
            let (typed, kind) = header(lines.next().expect("a type"), "# TYPE ");
            assert_eq!(name, typed, "HELP and TYPE go together");
            let mut family = Family {
                kind: kind.to_owned(),
                help: help.to_owned(),
                samples: BTreeMap::new(),
                labels: BTreeSet::new(),
            };
            while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
                family.sample(name, line);
            }
            family.check(name);
            let again = scraped.families.insert(name.to_owned(), family);
            assert!(again.is_none(), "{name} comes twice");
        }
        scraped
    }

    /// The value of a series; ends the test where there is none.
    #[track_caller]
    pub fn value(&self, series: &str) -> f64 {
        let found = self.families.values().find_map(|family| family.samples.get(series));
        *found.unwrap_or_else(|| panic!("there is no {series}"))
    }

    /// Series that count things and have changed since, with the difference. How long things took
    /// is left out: of histograms only how many were seen.
    pub fn counted_since(&self, earlier: &Self) -> BTreeMap<String, f64> {
        let mut changed = BTreeMap::new();
        for (name, family) in &self.families {
            if name.starts_with("process_") || family.kind == "gauge" {
                continue;
            }
            for (series, value) in &family.samples {
                let timing =
                    family.kind == "histogram" && !series.starts_with(&format!("{name}_count"));
                let difference = value - earlier.value(series);
                if difference != 0.0 && !timing {
                    changed.insert(series.clone(), difference);
                }
            }
        }
        changed
    }
}

#[track_caller]
fn header<'l>(line: &'l str, word: &str) -> (&'l str, &'l str) {
    let rest = line.strip_prefix(word).unwrap_or_else(|| panic!("{word} is expected: {line}"));
    let (name, rest) = rest.split_once(' ').unwrap_or_else(|| panic!("nothing after it: {line}"));
    assert!(!rest.trim().is_empty(), "nothing after it: {line}");
    (name, rest)
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.contains("__")
}

impl Family {
    #[track_caller]
    fn sample(&mut self, name: &str, line: &str) {
        let (series, value) = line.rsplit_once(' ').expect("a name and a value");
        let value = match value {
            "+Inf" => f64::INFINITY,
            value => value.parse().unwrap_or_else(|_| panic!("no number: {line}")),
        };
        assert!(!f64::is_nan(value), "{line}");
        let (sample, labels) = match series.split_once('{') {
            Some((sample, labels)) => (sample, labels.strip_suffix('}').expect("a bracket")),
            None => (series, ""),
        };
        let suffix = sample.strip_prefix(name).unwrap_or_else(|| panic!("not of {name}: {line}"));
        let suffixes: &[&str] = match self.kind.as_str() {
            "histogram" => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        assert!(suffixes.contains(&suffix), "{line}");
        for (label, _) in self::labels(labels) {
            assert!(is_name(&label), "{line}");
            assert_eq!(label == "le", suffix == "_bucket" && label == "le", "{line}");
            if label != "le" {
                self.labels.insert(label);
            }
        }
        let again = self.samples.insert(series.to_owned(), value);
        assert!(again.is_none(), "{series} comes twice");
    }

    #[track_caller]
    fn check(&self, name: &str) {
        assert!(is_name(name), "{name}");
        assert!(self.help.ends_with('.'), "{name}: help is a sentence: {}", self.help);
        assert!(!self.samples.is_empty(), "{name} has no series");
        let is_total = name.ends_with("_total");
        match self.kind.as_str() {
            "counter" => {
                assert!(is_total, "{name}: counters end in _total");
                assert!(self.samples.values().all(|value| *value >= 0.0), "{name}");
            }
            "gauge" => assert!(!is_total, "{name}: only counters end in _total"),
            "histogram" => self.check_histogram(name),
            other => panic!("{name} is a {other}"),
        }
        let words: Vec<&str> = name.split('_').collect();
        let forbidden = [
            "ms",
            "millis",
            "milliseconds",
            "micros",
            "microseconds",
            "minutes",
            "hours",
            "kb",
            "mb",
            "percent",
            "usd",
            "cents",
            "counter",
            "gauge",
            "histogram",
        ];
        let wrong = words.iter().find(|word| forbidden.contains(word));
        assert!(wrong.is_none(), "{name}: base units, and no types: {wrong:?}");
        for reserved in ["_bucket", "_sum", "_count", "_info_total"] {
            assert!(!name.ends_with(reserved), "{name}");
        }
    }

    /// Cumulative, with the whole as its last bucket.
    #[track_caller]
    fn check_histogram(&self, name: &str) {
        let mut series: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
        for (sample, value) in &self.samples {
            let Some(rest) = sample.strip_prefix(&format!("{name}_bucket")) else { continue };
            let mut labels = labels(rest.trim_start_matches('{').trim_end_matches('}'));
            let at = labels.iter().position(|(label, _)| label == "le").expect("le");
            let (_, bound) = labels.remove(at);
            let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().expect("le") };
            series.entry(labels).or_default().push((bound, *value));
        }
        for (labels, mut buckets) in series {
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(buckets.windows(2).all(|two| two[0].1 <= two[1].1), "{name}{labels:?}");
            let (last, whole) = *buckets.last().expect("a bucket");
            assert!(last.is_infinite(), "{name}{labels:?}");
            let written: Vec<_> = labels.iter().map(|(l, v)| format!("{l}=\"{v}\"")).collect();
            let labels = match written.is_empty() {
                true => String::new(),
                false => format!("{{{}}}", written.join(",")),
            };
            assert_eq!(self.samples[&format!("{name}_count{labels}")], whole);
            assert!(self.samples[&format!("{name}_sum{labels}")] >= 0.0);
        }
    }
}

/// `a="b",c="d"`, with the escapes of the format.
#[track_caller]
fn labels(mut text: &str) -> Labels {
    let mut found = Vec::new();
    while !text.is_empty() {
        let (name, rest) = text.split_once("=\"").unwrap_or_else(|| panic!("no label: {text}"));
        let mut value = String::new();
        let mut rest = rest.chars();
        loop {
            match rest.next().expect("the value ends") {
                '"' => break,
                '\\' => match rest.next().expect("an escape") {
                    'n' => value.push('\n'),
                    escaped @ ('\\' | '"') => value.push(escaped),
                    other => panic!("\\{other} is no escape"),
                },
                other => value.push(other),
            }
        }
        found.push((name.to_owned(), value));
        let rest = rest.as_str();
        text = rest.strip_prefix(',').unwrap_or_else(|| {
            assert!(rest.is_empty(), "labels are divided by commas: {rest}");
            rest
        });
    }
    found
}

#[test]
#[should_panic = "only counters end in _total"]
fn a_gauge_that_is_named_like_a_counter_is_noticed() {
    Scraped::read("# HELP a_total All.\n# TYPE a_total gauge\na_total 1\n");
}

#[test]
#[should_panic = "a comes twice"]
fn a_series_that_comes_twice_is_noticed() {
    Scraped::read("# HELP a All.\n# TYPE a gauge\na 1\na 2\n");
}
