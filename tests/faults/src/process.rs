//! What this process uses, as the system counts it.

use std::fs;

/// The process's threads.
#[must_use]
pub fn threads() -> usize {
    entries("/proc/self/task")
}

/// The process's open descriptors, without the one that lists them.
#[must_use]
pub fn descriptors() -> usize {
    entries("/proc/self/fd").saturating_sub(1)
}

/// The process's memory, in KiB: what is in RAM of it and of no file.
#[must_use]
pub fn memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn entries(directory: &str) -> usize {
    fs::read_dir(directory).map_or(0, Iterator::count)
}
