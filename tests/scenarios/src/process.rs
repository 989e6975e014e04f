//! Processes of their own, which do what they are told line by line.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use multiprocess::Stats;

/// A running `party`, the program of this package.
#[derive(Debug)]
pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts the program in one of its roles, and waits until it is ready.
    #[must_use]
    pub fn start(program: &str, role: &str, sockets: &[&Path]) -> Self {
        let mut child = Command::new(program)
            .arg(role)
            .args(sockets)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program can be started");
        let output = child.stdout.take().expect("it is piped");
        let mut process = Self {
            input: child.stdin.take(),
            output: BufReader::new(output),
            child,
        };
        assert_eq!(process.line(), READY);
        process
    }

    /// Says something, and gives the answer.
    pub fn ask(&mut self, command: &str) -> String {
        let input = self.input.as_mut().expect("it runs");
        writeln!(input, "{command}").expect("the process reads");
        self.line()
    }

    /// What is alive on each of its connections.
    pub fn counts(&mut self) -> String {
        self.ask(COUNTS)
    }

    /// Ends it, and checks that it ends well.
    pub fn end(mut self) {
        drop(self.input.take());
        let status = self.child.wait().expect("it can be waited for");
        assert!(status.success(), "{status}");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output
            .read_line(&mut line)
            .expect("the process answers");
        line.trim_end().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It ends when it has nothing to read; one that hangs is not waited for. Both fail if it has ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// How a process says what is alive on its connections.
#[must_use]
pub fn say(counts: &[Stats]) -> String {
    format!("{counts:?}")
}

/// What a process says first.
pub const READY: &str = "ready";
/// Asks for what is alive.
pub const COUNTS: &str = "counts";
/// Asks to close the connections that the process opened.
pub const CLOSE: &str = "close";
/// Asks the first of a ring to go around.
pub const GO: &str = "go";
