//! A server process, and a deadline for whatever could hang.

#![expect(dead_code, reason = "each test uses a part")]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use conformance::conformance::{Init, InitClient};
use multiprocess::{EventLoop, Stream};
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
        let address = format!("unix:{}", directory.path().join("socket").display());
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

    /// The path of its socket.
    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    /// `unix:` and the path.
    pub(crate) fn address(&self) -> String {
        format!("unix:{}", self.path().display())
    }

    /// A connection to it. The event loop has to live as long.
    pub(crate) fn connect(&self) -> (EventLoop, InitClient) {
        let event_loop = EventLoop::new("test").unwrap();
        let stream = Stream::unix(self.path()).unwrap();
        let init = multiprocess::connect::<dyn Init>(&event_loop, stream).unwrap();
        (event_loop, init)
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

/// Runs a test's body on a thread of its own, and fails when it takes too long.
pub(crate) fn within<T: Send + 'static>(
    seconds: u64,
    body: impl FnOnce() -> T + Send + 'static,
) -> T {
    let (done, ends) = mpsc::channel();
    let thread = thread::Builder::new()
        .name("test".to_owned())
        .spawn(move || {
            let result = body();
            done.send(()).ok();
            result
        })
        .unwrap();
    match ends.recv_timeout(Duration::from_secs(seconds)) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("not done within {seconds} seconds"),
        _ => thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
    }
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
