//! House rules as a test.

use std::fs;
use std::path::{Path, PathBuf};

const RUST_LINES: usize = 400;
const TEST_LINES: usize = 600;
const FUNCTION_LINES: usize = 70;
/// Text in quotes may be wider: breaking it would change it.
const LINE_WIDTH: usize = 100;

/// What `domain/` may depend on: with nothing else it cannot do I/O, read a clock or roll dice.
const DOMAIN_DEPENDENCIES: [&str; 6] =
    ["cqrs-es", "rust_decimal", "serde", "sha2", "thiserror", "uuid"];

struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The lines before the tests of the module, which have more freedom.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let tests = self.text.find("#[cfg(test)]\nmod tests {").unwrap_or(self.text.len());
        self.text[..tests].lines().enumerate().map(|(number, line)| (number + 1, line))
    }

    fn is_test(&self) -> bool {
        self.path.contains("tests/") || self.path.ends_with("tests.rs")
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folders: &[&str]) -> Vec<Source> {
    let mut found = vec![];
    for folder in folders {
        collect(&root().join(folder), &mut found);
    }
    assert!(!found.is_empty());
    found
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source");
            let path = path.strip_prefix(root()).expect("inside").display().to_string();
            found.push(Source { path, text });
        }
    }
}

fn everything() -> Vec<Source> {
    sources(&["src", "domain/src", "domain/tests", "projections/src", "projections/tests", "tests"])
}

/// Fails with every place at once.
fn none(rule: &str, places: Vec<String>) {
    assert!(places.is_empty(), "{rule}:\n  {}", places.join("\n  "));
}

fn containing<'s>(
    sources: &'s [Source],
    forbidden: &'s [&'s str],
) -> impl Iterator<Item = String> + 's {
    sources.iter().flat_map(move |source| {
        let lines = source.code().filter(move |(_, line)| {
            let code = line.split("//").next().unwrap_or_default();
            forbidden.iter().any(|word| code.contains(word))
        });
        lines.map(move |(number, line)| format!("{}:{number}: {}", source.path, line.trim()))
    })
}

#[test]
fn no_file_and_no_line_is_too_long() {
    let mut places = vec![];
    for source in everything() {
        let most = if source.is_test() { TEST_LINES } else { RUST_LINES };
        let lines = source.text.lines().count();
        if lines > most {
            places.push(format!("{}: {lines} lines", source.path));
        }
        let wide = source.text.lines().enumerate();
        places.extend(
            wide.filter(|(_, line)| line.chars().count() > LINE_WIDTH && !line.contains('"'))
                .map(|(number, _)| format!("{}:{}: too wide", source.path, number + 1)),
        );
    }
    none("files have at most 400 lines, tests 600, lines 100 columns", places);
}

fn begins_a_function(line: &str) -> bool {
    let words = ["pub ", "pub(super) ", "pub(crate) ", "const ", "async "];
    let rest = words.iter().fold(line, |rest, word| rest.strip_prefix(word).unwrap_or(rest));
    rest.starts_with("fn ")
}

#[test]
fn no_function_is_too_long() {
    let mut places = vec![];
    for source in everything().iter().filter(|source| !source.is_test()) {
        let mut open: Option<(usize, String, String)> = None;
        for (number, line) in source.code() {
            let indent = &line[..line.len() - line.trim_start().len()];
            let begins = begins_a_function(line.trim_start());
            match &open {
                None if begins => open = Some((number, indent.to_owned(), line.trim().to_owned())),
                Some((began, outer, name)) if line == format!("{outer}}}") => {
                    if number - began > FUNCTION_LINES {
                        places.push(format!("{}:{began}: {name}", source.path));
                    }
                    open = None;
                }
                // A declaration without a body ends on its own line.
                Some((_, outer, _)) if indent == outer && line.ends_with(';') => open = None,
                None | Some(_) => {}
            }
        }
    }
    none("functions have at most 70 lines", places);
}

#[test]
fn every_module_says_what_it_is() {
    let sources = everything();
    let silent = sources.iter().filter(|source| {
        let begins = source.text.trim_start().starts_with("//!");
        !begins && !source.is_test()
    });
    none("modules begin with //!", silent.map(|source| source.path.clone()).collect());
}

#[test]
fn the_domain_knows_no_floats() {
    let sources = sources(&["domain/src"]);
    none("money is never a float", containing(&sources, &["f32", "f64"]).collect());
}

#[test]
fn the_domain_depends_on_nothing_that_can_act() {
    let manifest = fs::read_to_string(root().join("domain/Cargo.toml")).expect("the manifest");
    let section = manifest.split("[dependencies]").nth(1).expect("dependencies");
    let names = section
        .lines()
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split(['.', '=', ' ']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'));
    let foreign = names.filter(|name| !DOMAIN_DEPENDENCIES.contains(name));
    none("the domain's dependencies are listed", foreign.map(str::to_owned).collect());
}

#[test]
fn handlers_know_no_sql() {
    let sources = sources(&["src/http"]);
    let sql = ["sqlx::query", "query_as", "query_scalar", "SELECT ", "INSERT ", "UPDATE "];
    none("SQL stands in stores, not in handlers", containing(&sources, &sql).collect());
}

#[test]
fn rules_have_no_messages_in_one_language() {
    let sources = sources(&["src/http"]);
    let places = containing(&sources, &["message = \""]).filter(|place| !place.contains("let "));
    none("a rule's message is made from its code in both languages", places.collect());
}

#[test]
fn nothing_runs_detached() {
    let mut sources = sources(&["src", "projections/src"]);
    sources.retain(|source| !source.is_test());
    let spawns = containing(&sources, &["tokio::spawn(", "task::spawn("]);
    // A task that ends with its handle is not detached.
    let detached = spawns.filter(|place| !place.contains("AbortOnDropHandle::new("));
    none("use the task tracker, so that shutdown waits", detached.collect());
}

#[test]
fn nothing_is_left_to_do() {
    let sources = everything();
    let words = [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("dbg", "!(")];
    none("finished work only", containing(&sources, &words).collect());
}

#[test]
fn routes_do_not_import_one_another() {
    let sources = sources(&["src/http/routes"]);
    none("routes stand beside each other", containing(&sources, &["http::routes::"]).collect());
}
