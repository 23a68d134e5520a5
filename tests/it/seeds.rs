//! Every seed of the fuzz targets, and what a search has once found, holds what the targets demand.

use std::fs;
use std::path::Path;

use tollgate::proxy::doors;

fn run(target: &str, door: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds").join(target);
    let mut seeds = 0;
    for seed in fs::read_dir(&folder).expect("the seeds are there") {
        let path = seed.expect("a seed").path();
        println!("{}", path.display());
        door(&fs::read(&path).expect("a seed can be read"));
        seeds += 1;
    }
    assert!(seeds > 0, "{} is empty", folder.display());
}

#[test]
fn answers_of_an_upstream() {
    run("answer", doors::answer);
}

#[test]
fn bodies_of_clients() {
    run("chat", doors::chat);
}

#[test]
fn usage_objects() {
    run("usage", doors::usage);
}

#[test]
fn prices_of_models() {
    run("prices", doors::prices);
}
