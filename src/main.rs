//! The `tollgate` program.

use std::process::ExitCode;

use clap::Parser;
use tollgate::cli::Cli;

/// Requests allocate many small pieces on many threads; the system's allocator makes them wait.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    Cli::parse().run()
}
