//! The programs that are measured: built, pinned to processor cores, started and ended.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::plan::Cores;
use crate::cargo;
use crate::example;
use crate::failure::Failure;
use crate::process;
use crate::say;

/// One of the ways to call that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Program {
    /// A bare Unix socket.
    Socket,
    /// `capnp-rpc` alone, on one thread.
    Raw,
    /// This library.
    Ours,
    /// This library, whose threads look for so long before they sleep: an option that is off by default.
    Spinning,
    /// The program that `MP_BENCH_CPP` names.
    Cpp,
}

impl Program {
    pub(crate) const ALL: [Self; 5] = [
        Self::Socket,
        Self::Raw,
        Self::Ours,
        Self::Spinning,
        Self::Cpp,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Socket => "socket",
            Self::Raw => "capnp-rpc",
            Self::Ours => "multiprocess",
            Self::Spinning => "spinning",
            Self::Cpp => "C++",
        }
    }
}

/// Where the programs are.
#[derive(Debug)]
pub(crate) struct Programs {
    paths: Vec<(Program, PathBuf)>,
    /// Whether processes can be pinned.
    taskset: bool,
}

impl Programs {
    /// Builds the programs in release mode, with cargo's progress shown.
    pub(crate) fn build() -> Result<Self, Failure> {
        let mut command = cargo::command(["build", "--release", "--package", "bench", "--bins"]);
        command.arg("--message-format=json-render-diagnostics");
        let messages = process::output(&mut command)?;
        let built = [
            (Program::Socket, "bench-socket"),
            (Program::Raw, "bench-raw"),
            (Program::Ours, "bench-multiprocess"),
            (Program::Spinning, "bench-multiprocess"),
        ];
        let mut paths = Vec::new();
        for (program, name) in built {
            let path = example::executable(&messages, name).ok_or_else(|| {
                Failure::message(format!("the package `bench` has no program `{name}`"))
            })?;
            paths.push((program, path));
        }
        match env::var_os("MP_BENCH_CPP") {
            Some(path) => paths.push((Program::Cpp, path.into())),
            None => say::note("bench: without a C++ peer: MP_BENCH_CPP names none"),
        }
        let taskset = has("taskset");
        if !taskset {
            say::note("bench: NOT PINNED to cores: there is no `taskset` here");
        }
        Ok(Self { paths, taskset })
    }

    pub(crate) fn path(&self, program: Program) -> Option<&Path> {
        let found = self.paths.iter().find(|(found, _)| *found == program);
        found.map(|(_, path)| path.as_path())
    }

    /// Starts a server on the core where servers run, under a tool if there is one.
    pub(crate) fn serve(
        &self,
        program: Program,
        cores: Cores,
        tool: &[&OsStr],
    ) -> Result<Server, Failure> {
        let socket = env::temp_dir().join(format!(
            "mp-bench-{}-{}-{}.sock",
            std::process::id(),
            program.name(),
            cores.name()
        ));
        let mut command = self.pinned(program, cores.server(), tool)?;
        command.arg("server").arg(&socket);
        Server::start(command, socket)
    }

    /// What runs a client of the server, on the core where clients run, under a tool if there is one.
    pub(crate) fn client(
        &self,
        program: Program,
        cores: Cores,
        tool: &[&OsStr],
        server: &Server,
    ) -> Result<Command, Failure> {
        let mut command = self.pinned(program, cores.client(), tool)?;
        command.arg("client").arg(&server.socket);
        Ok(command)
    }

    fn pinned(
        &self,
        program: Program,
        core: Option<&str>,
        tool: &[&OsStr],
    ) -> Result<Command, Failure> {
        let path = self.path(program).ok_or_else(|| missing(program))?;
        let mut words: Vec<&OsStr> = Vec::new();
        if let (Some(core), true) = (core, self.taskset) {
            words.extend(["taskset", "-c", core].map(OsStr::new));
        }
        words.extend(tool);
        words.push(path.as_os_str());
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        if program == Program::Spinning {
            command.env("MP_BENCH_SPIN", SPIN_MICROSECONDS);
        }
        Ok(command)
    }
}

/// A server that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    socket: PathBuf,
}

impl Server {
    /// Starts it, and waits for the line that says that it listens.
    fn start(mut command: Command, socket: PathBuf) -> Result<Self, Failure> {
        let child = command.stdout(Stdio::piped()).spawn();
        let mut server = Self {
            child: child.map_err(|error| {
                let program = command.get_program().display();
                Failure::message(format!("cannot run {program}: {error}"))
            })?,
            socket,
        };
        let mut line = String::new();
        if let Some(stdout) = server.child.stdout.as_mut() {
            BufReader::new(stdout)
                .read_line(&mut line)
                .map_err(|error| Failure::message(format!("a server's output: {error}")))?;
        }
        if line.starts_with("listening") {
            return Ok(server);
        }
        Err(Failure::message(format!(
            "did not say that it listens: {}",
            process::describe(&command)
        )))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, so that a tool that it runs under writes down what it has found.
    pub(crate) fn terminate(mut self) -> Result<(), Failure> {
        let mut command = Command::new("kill");
        process::run(command.args(["-TERM", &self.pid().to_string()]))?;
        let ended = self.child.wait();
        ended.map_err(|error| Failure::message(format!("a server's end: {error}")))?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already: nothing is left to do.
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_file(&self.socket));
    }
}

/// Runs a client, or a tool with one, and takes what it prints.
pub(crate) fn measure(command: &mut Command) -> Result<String, Failure> {
    let captured = process::quiet(command, DEADLINE)?;
    process::succeeded(command, captured.status)?;
    Ok(captured.stdout)
}

/// Whether there is a program of this name that says its version.
pub(crate) fn has(name: &str) -> bool {
    let mut command = Command::new(name);
    command
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// How long a thread of the program that spins looks before it sleeps.
const SPIN_MICROSECONDS: &str = "100";

fn missing(program: Program) -> Failure {
    Failure::message(format!("there is no program for {}", program.name()))
}

/// No single measurement takes longer, under valgrind either.
const DEADLINE: Duration = Duration::from_secs(120);
