//! House rules that a reader would otherwise have to check.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder exists") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn domain() -> Vec<(PathBuf, String)> {
    let mut paths = vec![];
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut paths);
    assert!(paths.len() > 20, "the sources are read");
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).expect("text"))).collect()
}

#[test]
fn no_binary_fraction_comes_near_money() {
    for (path, text) in domain() {
        for (at, line) in text.lines().enumerate() {
            let words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            let float = words.into_iter().find(|word| word.contains("f64") || word.contains("f32"));
            assert_eq!(float, None, "{}:{}", path.display(), at + 1);
        }
    }
}

#[test]
fn the_dependencies_can_do_no_input_or_output() {
    let manifest = include_str!("../../Cargo.toml");
    let (_, rest) = manifest.split_once("[dependencies]").expect("a section");
    let names: Vec<_> = rest
        .lines()
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split(['.', ' ', '=']).next().filter(|name| !name.is_empty()))
        .collect();
    assert_eq!(names, ["cqrs-es", "rust_decimal", "serde", "sha2", "thiserror", "uuid"]);
}

#[test]
fn nothing_reads_a_clock_a_file_or_the_environment() {
    for (path, text) in domain() {
        let test = path.components().any(|part| part.as_os_str() == "tests")
            || path.ends_with("tests.rs")
            || path.ends_with("golden_files.rs");
        for word in
            ["SystemTime", "Instant::", "std::fs", "std::net", "std::env", "now_v7", "new_v4"]
        {
            assert!(test || !text.contains(word), "{} names {word}", path.display());
        }
    }
}
