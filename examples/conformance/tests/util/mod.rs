//! Processes: a server, and programs with a deadline.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which fail by panicking"
)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// `conformance serve`, in a process that ends with this value.
pub(crate) struct Server {
    process: Child,
    directory: TempDir,
}

impl Server {
    /// Starts the program, and waits until it listens.
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let address = address(&directory);
        let mut process = Command::new(env!("CARGO_BIN_EXE_conformance"))
            .args(["serve", &address])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line, format!("listening on {address}\n"));
        Self { process, directory }
    }

    /// Its address: `unix:` and a path.
    pub(crate) fn address(&self) -> String {
        address(&self.directory)
    }

    /// Whether it runs: it has not crashed.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn address(directory: &TempDir) -> String {
    format!("unix:{}", directory.path().join("socket").display())
}

/// Runs a program to its end, and kills it if that takes too long.
pub(crate) fn run(command: &mut Command, seconds: u64) -> Output {
    let process = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let id = rustix::process::Pid::from_child(&process);
    let (done, ends) = mpsc::channel();
    let waiter = thread::Builder::new()
        .spawn(move || {
            let output = process.wait_with_output().unwrap();
            done.send(()).ok();
            output
        })
        .unwrap();
    let late = ends.recv_timeout(Duration::from_secs(seconds)).is_err();
    if late {
        rustix::process::kill_process(id, rustix::process::Signal::KILL).ok();
    }
    let output = waiter.join().unwrap();
    assert!(
        !late,
        "not done within {seconds} seconds:\n{}",
        text(&output)
    );
    output
}

/// What a program printed.
pub(crate) fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
