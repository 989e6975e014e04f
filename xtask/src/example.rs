//! `cargo xtask example`: the calculator, built and run.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::cargo;
use crate::failure::Failure;
use crate::process::{self, Captured};

/// Builds the package, with cargo's progress shown, and runs `mpexample` with these arguments, on this standard input.
pub(crate) fn run(args: &[OsString]) -> Result<(), Failure> {
    let program = build()?;
    let status = Command::new(&program)
        .args(args)
        .status()
        .map_err(|error| Failure::message(format!("cannot run {}: {error}", program.display())))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::Status(status))
    }
}

/// Runs the example on piped input, and holds it to what the README promises.
pub(crate) fn check() -> Result<(), Failure> {
    let captured = process::capture(&mut Command::new(build()?), "1+1\n2*3\n", DEADLINE)?;
    judge(&captured).map_err(|text| {
        Failure::message(format!(
            "mpexample {text}; to repeat it: printf '1+1\\n2*3\\n' | cargo xtask example"
        ))
    })
}

/// Builds all programs of the example; gives the path of the one to start, which finds the others beside itself.
fn build() -> Result<PathBuf, Failure> {
    let mut command = cargo::command(["build", "--package", "calculator", "--bins"]);
    command.arg("--message-format=json-render-diagnostics");
    let messages = process::output(&mut command)?;
    executable(&messages, "mpexample")
        .ok_or_else(|| Failure::message("the package `calculator` has no program `mpexample`"))
}

/// Where cargo says that it has put a program.
pub(crate) fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    let messages = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = messages.filter(|message| message["target"]["name"] == name);
    programs.find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

fn judge(captured: &Captured) -> Result<(), String> {
    if !captured.status.success() {
        return Err(format!("failed ({})", captured.status));
    }
    for expected in [
        "mpprinter: Wow 1+1, that's a tough one.\n",
        "mpprinter: Wow 2*3, that's a tough one.\n",
        "Bye!\n",
    ] {
        let times = captured.stdout.matches(expected).count();
        if times != 1 {
            return Err(format!(
                "printed {expected:?} {times} times instead of once"
            ));
        }
    }
    Ok(())
}

/// For three processes that do next to nothing; a busy machine included.
const DEADLINE: Duration = Duration::from_secs(60);

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    fn judged(stdout: &str, status: i32) -> Result<(), String> {
        judge(&Captured {
            stdout: stdout.to_owned(),
            status: ExitStatus::from_raw(status << 8),
        })
    }

    #[test]
    fn the_program_is_where_cargo_says() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"mpexample"},"executable":null}
            {"reason":"compiler-artifact","target":{"name":"mpprinter"},"executable":"/t/debug/mpprinter"}
            {"reason":"compiler-artifact","target":{"name":"mpexample"},"executable":"/t/debug/mpexample"}
            {"reason":"build-finished","success":true}"#;
        assert_eq!(
            executable(messages, "mpexample"),
            Some("/t/debug/mpexample".into())
        );
        assert_eq!(executable(messages, "mpcalculator"), None);
    }

    #[test]
    fn the_output_is_judged() {
        let prompt = "Enter the equation, or \"exit\" to quit: ";
        let wow = |eqn: &str| format!("{prompt}mpprinter: Wow {eqn}, that's a tough one.\n");
        let good = format!("{}{}{prompt}\nBye!\n", wow("1+1"), wow("2*3"));
        assert_eq!(judged(&good, 0), Ok(()));
        assert!(judged(&good, 1).unwrap_err().contains("exit status: 1"));
        assert!(
            judged(&good.replace("Bye", "Hm"), 0)
                .unwrap_err()
                .contains("Bye!")
        );
        assert!(
            judged(&good.replace("2*3", "2*4"), 0)
                .unwrap_err()
                .contains("0 times")
        );
        assert!(
            judged(&format!("{}{good}", wow("1+1")), 0)
                .unwrap_err()
                .contains("2 times")
        );
    }
}
