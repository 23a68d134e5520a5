//! Migrations and the dashboard are compiled in: a new file must rebuild the crate, which cargo
//! would not notice by itself.

use std::path::Path;
use std::{env, fs};

const DASHBOARD: &str = "frontend/dist";

fn main() {
    println!("cargo:rerun-if-changed=migrations");
    // A debug build reads the dashboard's files when it serves them.
    if env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        // A folder that does not exist would count as changed at every build.
        if !Path::new(DASHBOARD).exists() {
            let _ = fs::create_dir_all(DASHBOARD);
        }
        println!("cargo:rerun-if-changed={DASHBOARD}");
    }
}
