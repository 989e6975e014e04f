//! The three programs as a user runs them, and what happens when one of them is not there or goes away.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

const EXAMPLE: &str = env!("CARGO_BIN_EXE_mpexample");
const CALCULATOR: &str = env!("CARGO_BIN_EXE_mpcalculator");
const PRINTER: &str = env!("CARGO_BIN_EXE_mpprinter");

/// A test that takes longer hangs.
const DEADLINE: Duration = Duration::from_secs(30);

fn start(program: &Path, arguments: &[&str]) -> Child {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until a program asks for an equation: then both of its children are there.
fn await_prompt(program: &mut Child) {
    let output = program.stdout.as_mut().unwrap();
    output.read_exact(&mut [0; 5]).unwrap();
}

/// Waits for a program, and kills it when the deadline passes.
fn finish(mut child: Child) -> Output {
    let id = child.id();
    drop(child.stdin.take());
    let (sender, receiver) = channel();
    thread::Builder::new()
        .spawn(move || sender.send(child.wait_with_output()))
        .unwrap();
    match receiver.recv_timeout(DEADLINE) {
        Ok(output) => output.unwrap(),
        Err(_) => {
            signal("KILL", id);
            panic!("mpexample hangs");
        }
    }
}

fn signal(name: &str, process: u32) {
    let status = Command::new("kill")
        .args([format!("-{name}"), process.to_string()])
        .status();
    assert!(status.unwrap().success());
}

/// The processes that a process started, with their names.
fn children(process: u32) -> Vec<(String, u32)> {
    let list = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap();
    let mut found = Vec::new();
    for id in list.split_whitespace() {
        let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
        found.push((name.trim().to_owned(), id.parse().unwrap()));
    }
    found
}

fn lines(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The programs in a directory of their own, where some can be replaced.
struct Directory(tempfile::TempDir);

impl Directory {
    fn new(programs: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, program) in programs {
            fs::copy(program, directory.path().join(name)).unwrap();
        }
        Self(directory)
    }

    fn example(&self) -> PathBuf {
        self.0.path().join("mpexample")
    }
}

#[test]
fn equations_are_printed_by_the_printer_of_the_third_process() {
    for arguments in [&[][..], &["--in-process"]] {
        let mut child = start(Path::new(EXAMPLE), arguments);
        child
            .stdin
            .as_mut()
            .unwrap()
            .write_all(b"1+1\n2*3\nexit\n")
            .unwrap();
        let output = finish(child);
        let prompt = "Enter the equation, or \"exit\" to quit: ";
        assert_eq!(
            lines(&output),
            format!(
                "{prompt}mpprinter: Wow 1+1, that's a tough one.\n\n\
                 {prompt}mpprinter: Wow 2*3, that's a tough one.\n\n{prompt}Bye!\n"
            )
        );
        assert!(output.status.success());
        assert_eq!(errors(&output), "");
    }
}

#[test]
fn the_log_shows_requests_and_responses_of_every_process() {
    let mut child = start(Path::new(EXAMPLE), &["--debug=ipc"]);
    child.stdin.as_mut().unwrap().write_all(b"1+1\n").unwrap();
    let output = finish(child);
    let log = errors(&output);
    for expected in [
        "IPC client send CalculatorInterface.solveEquation$Params",
        "IPC server recv request  #",
        "{mpcalculator} IPC server post request  #",
        "IPC server executing request #",
        "IPC client send PrinterInterface.print$Params",
        "IPC client recv CalculatorInterface.solveEquation$Results",
        "{mpprinter-",
    ] {
        assert!(log.contains(expected), "{expected} is not in:\n{log}");
    }
    assert!(output.status.success());
}

#[test]
fn a_child_that_is_not_there_is_named() {
    let directory = Directory::new(&[("mpexample", EXAMPLE), ("mpprinter", PRINTER)]);
    let started = Instant::now();
    let output = finish(start(&directory.example(), &[]));
    assert!(!output.status.success());
    let error = errors(&output);
    assert!(
        error.contains("cannot start") && error.contains("mpcalculator: No such file"),
        "{error}"
    );
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn a_child_that_exits_at_once_is_named() {
    let programs = [
        ("mpexample", EXAMPLE),
        ("mpprinter", PRINTER),
        ("mpcalculator", "/bin/true"),
    ];
    let directory = Directory::new(&programs);
    let output = finish(start(&directory.example(), &[]));
    assert!(!output.status.success());
    let error = errors(&output);
    assert!(
        error.contains("interrupted by disconnect")
            && error.contains("(mpcalculator ended with exit status: 0)"),
        "{error}"
    );
}

#[test]
fn a_child_that_is_killed_in_the_middle_of_a_call_is_named_at_once() {
    let mut child = start(Path::new(EXAMPLE), &["--debug=ipc"]);
    let example = child.id();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    await_prompt(&mut child);
    let programs = children(example);
    let find = |name: &str| programs.iter().find(|(found, _)| found == name).unwrap().1;
    // It takes the call and does not answer.
    signal("STOP", find("mpcalculator"));
    child.stdin.as_mut().unwrap().write_all(b"1+1\n").unwrap();
    let mut line = String::new();
    while !line.contains("IPC client send CalculatorInterface.solveEquation$Params") {
        line.clear();
        assert_ne!(
            log.read_line(&mut line).unwrap(),
            0,
            "the call did not start"
        );
    }
    let killed = Instant::now();
    signal("KILL", find("mpcalculator"));
    let mut rest = String::new();
    while !rest.contains("mpexample: ") {
        assert_ne!(log.read_line(&mut rest).unwrap(), 0, "no error in:\n{rest}");
    }
    let took = killed.elapsed();
    log.read_to_string(&mut rest).unwrap();
    assert!(
        rest.contains("(mpcalculator ended with signal: 9"),
        "{rest}"
    );
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert!(!finish(child).status.success());
}

#[test]
fn no_process_is_left_behind() {
    let mut child = start(Path::new(EXAMPLE), &[]);
    await_prompt(&mut child);
    let programs = children(child.id());
    assert_eq!(programs.len(), 2, "{programs:?}");
    assert!(finish(child).status.success());
    for (name, id) in programs {
        assert!(
            !Path::new(&format!("/proc/{id}")).exists(),
            "{name} is still there"
        );
    }
    assert!(Path::new(CALCULATOR).exists());
}
