//! Counting system calls: a client makes a thousand calls and then five thousand; the difference is what the calls did.
//!
//! `perf` counts in the kernel, and disturbs nothing. `strace` stops the process at each system call, so that threads may meet
//! in other ways than they do alone; it is taken where there is no `perf`.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::plan::Cores;
use super::programs::{self, Program, Programs, Server};
use super::samples::{Counts, Key, Samples};
use crate::failure::Failure;
use crate::process;
use crate::say;

/// Counts the system calls of a call, of each process and by name. Says so where nothing can count them.
pub(crate) fn count(programs: &Programs, samples: &mut Samples) -> Result<(), Failure> {
    let Some(tool) = Tool::find() else {
        say::note("bench: system calls are NOT COUNTED: neither `perf` nor `strace` works here");
        return Ok(());
    };
    say::note(&format!(
        "bench: counting system calls with {}",
        tool.name()
    ));
    for program in [Program::Socket, Program::Raw, Program::Ours, Program::Cpp] {
        // A C++ client cannot be told how many calls to make.
        if program == Program::Cpp || programs.path(program).is_none() {
            continue;
        }
        for metric in ["add", "addctx"] {
            let key = Key::new(program, Cores::One, metric);
            let client = tool.difference(programs, &key, Side::Client)?;
            let server = tool.difference(programs, &key, Side::Server)?;
            samples.system_calls.insert(key, (client, server));
        }
    }
    Ok(())
}

#[derive(Clone, Copy, Debug)]
enum Side {
    Client,
    Server,
}

/// What counts.
enum Tool {
    /// With the events that it is told to count.
    Perf(String),
    Strace,
}

impl Tool {
    fn find() -> Option<Self> {
        let events = perf_events();
        let mut command = Command::new("perf");
        command.args(["stat", "-e", &events, "--", "true"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if command.status().is_ok_and(|status| status.success()) {
            return Some(Self::Perf(events));
        }
        programs::has("strace").then_some(Self::Strace)
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Perf(_) => "perf",
            Self::Strace => "strace",
        }
    }

    /// The system calls of one call.
    fn difference(&self, programs: &Programs, key: &Key, side: Side) -> Result<Counts, Failure> {
        let few = self.run(programs, key, side, FEW)?;
        let many = self.run(programs, key, side, MANY)?;
        let each = |(name, count): (String, f64)| {
            let before = few.get(&name).copied().unwrap_or(0.0);
            (name, (count - before) / (MANY - FEW) as f64)
        };
        // What happens now and then has nothing to do with a call.
        Ok(many
            .into_iter()
            .map(each)
            .filter(|(_, count)| *count >= 0.005)
            .collect())
    }

    /// All system calls of a process that makes, or serves, so many calls.
    fn run(
        &self,
        programs: &Programs,
        key: &Key,
        side: Side,
        calls: u64,
    ) -> Result<Counts, Failure> {
        let output = env::temp_dir().join(format!("mp-bench-{}.counts", std::process::id()));
        let server = programs.serve(key.program, key.cores, &[])?;
        let pid = server.pid().to_string();
        let words: Vec<&OsStr> = match (self, side) {
            (Self::Perf(events), side) => {
                let mut words = vec!["perf", "stat", "-x", ";", "-e", events, "-o"];
                words.push(output.to_str().unwrap_or_default());
                if matches!(side, Side::Server) {
                    words.extend(["-p", &pid]);
                }
                words.push("--");
                words.into_iter().map(OsStr::new).collect()
            }
            (Self::Strace, Side::Client) => {
                let mut words: Vec<&OsStr> = ["strace", "-c", "-f", "-o"].map(OsStr::new).into();
                words.push(output.as_os_str());
                words
            }
            (Self::Strace, Side::Server) => Vec::new(),
        };
        let mut client = programs.client(key.program, key.cores, &words, &server)?;
        client.args([&key.metric, &format!("calls={calls}")]);
        if matches!((self, side), (Self::Strace, Side::Server)) {
            watched(&server, &output, || {
                programs::measure(&mut client).map(drop)
            })?;
        } else {
            programs::measure(&mut client)?;
        }
        let text = read(&output)?;
        Ok(match self {
            Self::Perf(_) => parse_perf(&text),
            Self::Strace => parse_strace(&text),
        })
    }
}

/// Counts the server's system calls with `strace` while something is done.
fn watched(
    server: &Server,
    output: &Path,
    action: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let failed = |error| Failure::message(format!("cannot watch a server with strace: {error}"));
    let mut command = Command::new("strace");
    command.args(["-c", "-f", "-p", &server.pid().to_string(), "-o"]);
    let mut strace = command
        .arg(output)
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let mut line = String::new();
    if let Some(stderr) = strace.stderr.take() {
        // It says to what it is attached.
        BufReader::new(stderr)
            .read_line(&mut line)
            .map_err(failed)?;
    }
    let result = action();
    let mut interrupt = Command::new("kill");
    process::run(interrupt.args(["-INT", &strace.id().to_string()]))?;
    strace.wait().map_err(failed)?;
    result
}

fn read(path: &PathBuf) -> Result<String, Failure> {
    let text = fs::read_to_string(path);
    drop(fs::remove_file(path));
    text.map_err(|error| Failure::message(format!("{}: {error}", path.display())))
}

/// The events to count: those of the system calls that a call may make, as far as this machine has them.
fn perf_events() -> String {
    let exists = |root: &str, name: &str| Path::new(&format!("{root}sys_enter_{name}")).exists();
    let mut events = vec![ALL.to_owned()];
    for name in NAMES.split_whitespace() {
        if TRACING.iter().any(|root| exists(root, name)) {
            events.push(format!("{EACH}{name}"));
        }
    }
    events.join(",")
}

/// Reads `perf stat -x ';'`: value; unit; event; … What was counted and has no name here is `other`.
fn parse_perf(text: &str) -> Counts {
    let mut counts = Counts::new();
    let mut all = 0.0;
    for line in text.lines() {
        let mut words = line.split(';');
        let (Some(Ok(value)), Some(event)) = (words.next().map(str::parse::<f64>), words.nth(1))
        else {
            continue;
        };
        if event == ALL {
            all = value;
        } else if let Some(name) = event.strip_prefix(EACH) {
            counts.insert(name.to_owned(), value);
        }
    }
    let named: f64 = counts.values().sum();
    counts.insert("other".to_owned(), (all - named).max(0.0));
    counts
}

/// Reads the table of `strace -c`: the count is the fourth column, the name the last.
fn parse_strace(text: &str) -> Counts {
    let mut counts = Counts::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (Some(name), Some(Ok(count))) = (words.last(), words.get(3).map(|word| word.parse()))
        else {
            continue;
        };
        if *name != "total" {
            counts.insert((*name).to_owned(), count);
        }
    }
    counts
}

const FEW: u64 = 1000;
const MANY: u64 = 5000;
const ALL: &str = "raw_syscalls:sys_enter";
const EACH: &str = "syscalls:sys_enter_";
const TRACING: &[&str] = &[
    "/sys/kernel/tracing/events/syscalls/",
    "/sys/kernel/debug/tracing/events/syscalls/",
];
const NAMES: &str = "read write readv writev recvfrom sendto recvmsg sendmsg epoll_wait epoll_pwait epoll_pwait2 epoll_ctl poll \
     ppoll futex timerfd_settime mmap munmap madvise mremap brk mprotect sched_yield clock_nanosleep";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_perf_writes_is_read() {
        let text = "# started on Mon\n\n3000;;raw_syscalls:sys_enter;1;100.00;;\n2000;;syscalls:sys_enter_futex;1;100.00;;\n\
            <not counted>;;syscalls:sys_enter_read;0;0.00;;\n";
        let counts = parse_perf(text);
        assert_eq!(counts.len(), 2);
        assert_eq!((counts["futex"], counts["other"]), (2000.0, 1000.0));
    }

    #[test]
    fn what_strace_writes_is_read() {
        let text = "% time     seconds  usecs/call     calls    errors syscall\n\
            ------ ----------- ----------- --------- --------- ----------------\n \
            60.00    0.006000           6      1000           futex\n \
            40.00    0.004000           4      2000         7 read\n\
            ------ ----------- ----------- --------- --------- ----------------\n\
            100.00    0.010000           3      3000         7 total\n";
        let counts = parse_strace(text);
        assert_eq!(counts.len(), 2);
        assert_eq!((counts["futex"], counts["read"]), (1000.0, 2000.0));
    }
}
