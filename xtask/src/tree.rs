//! A process and its descendants, so that a deadline leaves none of them behind.
//!
//! Found through `/proc`; where there is none, the process itself is all that is found.

use std::collections::HashMap;
use std::fs;
use std::process::Command;

/// A running process.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    /// Its command line, for a person to read.
    pub(crate) command: String,
}

/// The process and all its descendants that run now; the process itself comes first. Empty when it has ended.
pub(crate) fn descendants(root: u32) -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return vec![Process {
            pid: root,
            command: String::new(),
        }];
    };
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    let mut root_runs = false;
    for pid in entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
    {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        if let Some(parent) = running_parent(&stat) {
            children.entry(parent).or_default().push(pid);
            root_runs |= pid == root;
        }
    }
    let mut found = if root_runs { vec![root] } else { Vec::new() };
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        found.extend(children.remove(pid).unwrap_or_default());
        next += 1;
    }
    found
        .into_iter()
        .map(|pid| Process {
            pid,
            command: command_line(pid),
        })
        .collect()
}

/// Kills processes that [`descendants`] found.
pub(crate) fn kill(processes: &[Process]) {
    let mut command = Command::new("sh");
    command.args(["-c", r#"kill -KILL "$@" 2>/dev/null"#, "sh"]);
    command.args(processes.iter().map(|process| process.pid.to_string()));
    // One that has ended meanwhile makes `kill` fail, and is what was wanted.
    drop(command.status());
}

/// The parent in a line of `/proc/PID/stat`, unless the process is a zombie. The name before it may hold anything, parentheses too.
fn running_parent(stat: &str) -> Option<u32> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut words = rest.split(' ');
    let state = words.next()?;
    let parent = words.next()?.parse().ok()?;
    (state != "Z").then_some(parent)
}

fn command_line(pid: u32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes)
        .replace('\0', " ")
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_found_behind_any_name() {
        assert_eq!(running_parent("7 (a) S) (b) S 42 7 7 0"), Some(42));
        assert_eq!(running_parent("7 (gone) Z 42 7 7 0"), None);
        assert_eq!(running_parent(""), None);
    }
}
