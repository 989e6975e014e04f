//! What a process uses, as the system counts it.

use std::fmt;
use std::fs;

/// What a process uses at one moment.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "tests compare its fields")]
pub struct Usage {
    /// Threads.
    pub threads: usize,
    /// Open descriptors.
    pub descriptors: usize,
    /// Memory in KiB: what is in RAM of it and of no file.
    pub memory: usize,
}

impl Usage {
    /// What this process uses.
    #[must_use]
    pub fn here() -> Self {
        let mut usage = Self::read("self");
        // The one that lists them.
        usage.descriptors = usage.descriptors.saturating_sub(1);
        usage
    }

    /// What another process uses: nothing if it is gone.
    #[must_use]
    pub fn of(process: u32) -> Self {
        Self::read(&process.to_string())
    }

    fn read(process: &str) -> Self {
        let entries =
            |name: &str| fs::read_dir(format!("/proc/{process}/{name}")).map_or(0, Iterator::count);
        Self {
            threads: entries("task"),
            descriptors: entries("fd"),
            memory: memory(process),
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            threads,
            descriptors,
            memory,
        } = self;
        write!(
            f,
            "{threads} threads, {descriptors} descriptors, {memory} KiB"
        )
    }
}

fn memory(process: &str) -> usize {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
