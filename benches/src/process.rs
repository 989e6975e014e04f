//! What a process has used so far, as Linux tells it.

use std::fs;

/// A running process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pid(i32);

impl Pid {
    /// This process.
    #[must_use]
    pub fn own() -> Self {
        Self::of(rustix::process::getpid())
    }

    pub(crate) fn of(pid: rustix::process::Pid) -> Self {
        Self(pid.as_raw_nonzero().get())
    }

    /// Context switches of all threads that live now, voluntary or not. Zero where nothing tells.
    #[must_use]
    pub fn switches(self) -> u64 {
        let Ok(threads) = fs::read_dir(format!("/proc/{}/task", self.0)) else {
            return 0;
        };
        let statuses = threads
            .flatten()
            .filter_map(|thread| fs::read_to_string(thread.path().join("status")).ok());
        statuses
            .map(|status| {
                number(&status, "voluntary_ctxt_switches:")
                    + number(&status, "nonvoluntary_ctxt_switches:")
            })
            .sum()
    }

    /// Bytes of memory that are in use. Zero where nothing tells.
    #[must_use]
    pub fn resident(self) -> u64 {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.0));
        number(&rollup.unwrap_or_default(), "Rss:") * 1024
    }
}

/// The number behind a word at the start of a line.
fn number(text: &str, key: &str) -> u64 {
    let rest = text.lines().find_map(|line| line.strip_prefix(key));
    rest.and_then(|rest| rest.split_whitespace().next())
        .and_then(|word| word.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_by_the_whole_word() {
        let status = "nonvoluntary_ctxt_switches:\t7\nvoluntary_ctxt_switches:\t3\nRss:   12 kB\n";
        assert_eq!(number(status, "voluntary_ctxt_switches:"), 3);
        assert_eq!(number(status, "Rss:"), 12);
        assert_eq!(number(status, "Pss:"), 0);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_uses_memory() {
        assert!(Pid::own().resident() > 0);
    }
}
