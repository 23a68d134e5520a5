//! Processor time and memory of processes, as Linux counts them.

use std::fs;
use std::time::Duration;

/// Clock ticks per second in `/proc`; 100 on every Linux that people run.
const TICKS: u64 = 100;

/// Time that a process, and the children that it has waited for, have used so far.
#[must_use]
pub fn used(pid: u32) -> Duration {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return Duration::ZERO };
    // The name may contain spaces and brackets: the fields begin after the last bracket.
    let fields: Vec<u64> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .map(|field| field.parse().unwrap_or(0))
        .collect();
    let ticks: u64 = (11..15).filter_map(|at| fields.get(at)).sum();
    Duration::from_millis(ticks * 1_000 / TICKS)
}

/// [`used`] of a process and of all its living children.
#[must_use]
pub fn used_by_family(pid: u32) -> Duration {
    children(pid).into_iter().map(used).sum::<Duration>() + used(pid)
}

/// The living children of a process.
#[must_use]
pub fn children(pid: u32) -> Vec<u32> {
    fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|child| child.parse().ok())
        .collect()
}

/// Resident memory of a process in megabytes.
#[must_use]
pub fn resident_megabytes(pid: u32) -> u64 {
    fs::read_to_string(format!("/proc/{pid}/status"))
        .unwrap_or_default()
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|value| value.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or(0)
        / 1_024
}
