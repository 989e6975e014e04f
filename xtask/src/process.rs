//! Running programs: with their output passed through, taken, or both, and never longer than a deadline.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::failure::Failure;
use crate::say;
use crate::tree;

/// Runs a program on this terminal; anything but success is a failure that names the command.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let status = command
        .status()
        .map_err(|error| cannot_run(command, &error))?;
    succeeded(command, status)
}

/// Runs a program and takes what it writes to standard output.
pub(crate) fn output(command: &mut Command) -> Result<String, Failure> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| cannot_run(command, &error))?;
    succeeded(command, output.status)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What a program has written to standard output, and how it ended.
#[derive(Debug)]
pub(crate) struct Captured {
    pub(crate) stdout: String,
    pub(crate) status: ExitStatus,
}

/// Runs a program on `input`, and passes its standard output on while taking a copy.
///
/// It has ended when its standard output is closed as well, so a process that it leaves behind is noticed. At the deadline
/// the program and all its descendants are killed, and the failure lists them.
pub(crate) fn capture(
    command: &mut Command,
    input: &'static str,
    deadline: Duration,
) -> Result<Captured, Failure> {
    take(command, input, say::part, deadline)
}

/// As [`capture`], without input, and without passing the output on.
pub(crate) fn quiet(command: &mut Command, deadline: Duration) -> Result<Captured, Failure> {
    take(command, "", |_| (), deadline)
}

fn take(
    command: &mut Command,
    input: &'static str,
    pass_on: fn(&str),
    deadline: Duration,
) -> Result<Captured, Failure> {
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| cannot_run(command, &error))?;
    let pid = child.id();
    let (sender, result) = mpsc::channel();
    thread::Builder::new()
        .name("capture".into())
        .spawn(move || sender.send(follow(child, input, pass_on)))
        .map_err(|error| cannot_run(command, &error))?;
    match result.recv_timeout(deadline) {
        Ok(captured) => captured.map_err(|error| cannot_run(command, &error)),
        Err(_) => Err(too_long(command, pid, deadline)),
    }
}

/// Fails, naming the command to repeat, unless it succeeded.
pub(crate) fn succeeded(command: &Command, status: ExitStatus) -> Result<(), Failure> {
    if status.success() {
        return Ok(());
    }
    Err(Failure::message(format!(
        "failed ({status}); to repeat it: {}",
        describe(command)
    )))
}

/// A command as it would be typed, with the variables that were set for it.
pub(crate) fn describe(command: &Command) -> String {
    let mut words = Vec::new();
    for (key, value) in command.get_envs() {
        let value = value.unwrap_or_default().to_string_lossy();
        words.push(format!("{}={}", key.to_string_lossy(), quote(&value)));
    }
    let program = command.get_program().to_string_lossy();
    let program = program.rsplit('/').next().unwrap_or_default();
    words.push(quote(program));
    words.extend(command.get_args().map(|arg| quote(&arg.to_string_lossy())));
    words.join(" ")
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn cannot_run(command: &Command, error: &io::Error) -> Failure {
    Failure::message(format!("cannot run `{}`: {error}", describe(command)))
}

fn too_long(command: &Command, pid: u32, deadline: Duration) -> Failure {
    let mut text = format!("`{}` did not end within {deadline:?}", describe(command));
    let processes = tree::descendants(pid);
    if processes.is_empty() {
        text.push_str(": a process that it left behind keeps its output open");
    }
    for process in &processes {
        text.push_str(&format!("\n  killed: {} {}", process.pid, process.command));
    }
    tree::kill(&processes);
    Failure::message(text)
}

/// Writes the input, passes on and copies the output line by line until it is closed, and waits for the end.
fn follow(mut child: Child, input: &str, pass_on: fn(&str)) -> io::Result<Captured> {
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not read all of its input says so by how it ends.
        drop(stdin.write_all(input.as_bytes()));
    }
    let mut stdout = String::new();
    if let Some(pipe) = child.stdout.take() {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line)? > 0 {
            let text = String::from_utf8_lossy(&line);
            pass_on(&text);
            stdout.push_str(&text);
            line.clear();
        }
    }
    Ok(Captured {
        stdout,
        status: child.wait()?,
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn input_goes_in_and_output_and_status_come_out() {
        let captured = capture(&mut shell("cat; exit 3"), "a\nb\n", MINUTE).unwrap();
        assert_eq!(captured.stdout, "a\nb\n");
        assert_eq!(captured.status.code(), Some(3));
    }

    #[test]
    fn at_the_deadline_everything_is_killed_and_listed() {
        let result = capture(
            &mut shell("sleep 1000 & wait"),
            "",
            Duration::from_millis(200),
        );
        let Err(Failure::Message(text)) = result else {
            panic!("{result:?}")
        };
        assert!(text.contains("did not end within 200ms"), "{text}");
        assert!(text.contains("sleep 1000"), "{text}");
    }

    #[test]
    fn a_failure_names_the_command_to_repeat() {
        let mut command = shell("exit 1");
        command.env("RUSTFLAGS", "--cfg loom");
        let Err(Failure::Message(text)) = run(&mut command) else {
            panic!("it succeeded")
        };
        assert!(
            text.ends_with("RUSTFLAGS='--cfg loom' sh -c 'exit 1'"),
            "{text}"
        );
    }

    const MINUTE: Duration = Duration::from_secs(60);
}
