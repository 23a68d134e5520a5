//! What a run of all benches says, as a table for people.

use std::fmt::Write as _;
use std::fs;

/// One measure.
#[derive(Debug, Clone)]
struct Line {
    measure: String,
    result: String,
    at_least: &'static str,
    met: Option<bool>,
}

/// The measures of one run.
#[derive(Debug, Clone, Default)]
pub struct Report(Vec<Line>);

impl Report {
    /// Adds a measure and prints it at once; `met` tells whether it reaches its bound.
    pub fn add(
        &mut self,
        measure: impl Into<String>,
        result: impl Into<String>,
        at_least: &'static str,
        met: Option<bool>,
    ) {
        let line = Line { measure: measure.into(), result: result.into(), at_least, met };
        println!("{} {}: {}", mark(line.met), line.measure, line.result);
        self.0.push(line);
    }

    /// The table in Markdown, with the machine that it was measured on.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!("Machine: {}\n\n", machine());
        text.push_str("| measure | result | at least | |\n|---|---|---|---|\n");
        for line in &self.0 {
            // Writing into a string cannot fail.
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} |",
                line.measure,
                line.result,
                line.at_least,
                mark(line.met)
            );
        }
        text
    }
}

const fn mark(met: Option<bool>) -> &'static str {
    match met {
        Some(true) => "ok",
        Some(false) => "MISSED",
        None => "",
    }
}

fn machine() -> String {
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split(':').nth(1))
        .map_or("unknown processor", str::trim);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes: u64 = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok())
        .unwrap_or(0);
    format!("{cpus} cores ({model}), {} GiB", kilobytes >> 20)
}
