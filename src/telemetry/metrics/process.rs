//! The process as Linux counts it, under the names that Prometheus's own clients use. Elsewhere
//! there is nothing to read, and nothing is shown.

use std::fs;

use prometheus::{Counter, Gauge};

use super::make::{Maker, WELL_FORMED};

/// Clock ticks per second in `/proc`; 100 on every Linux that people run.
const TICKS: f64 = 100.0;

pub(super) fn show(make: &Maker) {
    read(make);
}

/// Nothing where something cannot be read.
fn read(make: &Maker) -> Option<()> {
    let gauge = |name, help, value: f64| {
        let gauge = Gauge::new(name, help).expect(WELL_FORMED);
        gauge.set(value);
        make.keep(gauge);
    };
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = resident.split_whitespace().next()?.parse().ok()?;
    gauge("process_resident_memory_bytes", "Resident memory.", kilobytes * 1024.0);

    let open = fs::read_dir("/proc/self/fd").ok()?.count();
    gauge("process_open_fds", "Open file descriptors.", open as f64);

    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name may contain spaces and brackets: the fields begin after the last bracket.
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    let cpu = Counter::new("process_cpu_seconds_total", "Processor time, user and system.");
    let cpu = cpu.expect(WELL_FORMED);
    cpu.inc_by((ticks(11)? + ticks(12)?) / TICKS);
    make.keep(cpu);

    let booted = fs::read_to_string("/proc/stat").ok()?;
    let booted = booted.lines().find_map(|line| line.strip_prefix("btime "))?;
    let started = booted.trim().parse::<f64>().ok()? + ticks(19)? / TICKS;
    gauge("process_start_time_seconds", "When the process began, in seconds since 1970.", started);
    Some(())
}
