//! `cargo xtask test`: the tests of the workspace, with a deadline.

use std::env;
use std::ffi::OsString;
use std::process::Command;
use std::time::Duration;

use crate::cargo;
use crate::failure::Failure;
use crate::process;
use crate::say;
use crate::tally::Tally;

/// Runs `cargo test ARGS`, for the whole workspace unless the arguments choose.
pub(crate) fn run(args: &[OsString]) -> Result<(), Failure> {
    let tally = tests(args)?;
    say::line(&format!("xtask test: {tally}"));
    Ok(())
}

/// What [`run`] does, for a caller that wants the number of tests.
pub(crate) fn tests(args: &[OsString]) -> Result<Tally, Failure> {
    let mut words: Vec<OsString> = vec!["test".into()];
    if chooses_no_package(args) {
        words.push("--workspace".into());
    }
    words.push("--no-fail-fast".into());
    words.extend_from_slice(args);
    timed(cargo::command(words))
}

/// Builds what a `cargo test` command needs, however long that takes; then runs it until [`deadline`], and counts.
pub(crate) fn timed(command: Command) -> Result<Tally, Failure> {
    timed_within(command, deadline())
}

/// The same with another deadline.
pub(crate) fn timed_within(mut command: Command, deadline: Duration) -> Result<Tally, Failure> {
    let words: Vec<OsString> = command.get_args().map(OsString::from).collect();
    let mut build = cargo::command(for_cargo(&words));
    build.arg("--no-run");
    build.envs(
        command
            .get_envs()
            .filter_map(|(key, value)| Some((key, value?))),
    );
    process::run(&mut build)?;
    let captured = process::capture(&mut command, "", deadline)?;
    process::succeeded(&command, captured.status)?;
    Ok(Tally::read(&captured.stdout))
}

/// How long the tests may run in total: `MP_TEST_SECONDS`, by default ten minutes.
pub(crate) fn deadline() -> Duration {
    deadline_or(Duration::from_secs(600))
}

/// The same with another default.
pub(crate) fn deadline_or(default: Duration) -> Duration {
    let seconds = env::var("MP_TEST_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok());
    seconds.map_or(default, Duration::from_secs)
}

/// The arguments in front of `--`; those behind it are for the test programs.
fn for_cargo(args: &[OsString]) -> &[OsString] {
    let end = args.iter().position(|arg| arg == "--");
    &args[..end.unwrap_or(args.len())]
}

fn chooses_no_package(args: &[OsString]) -> bool {
    !for_cargo(args).iter().any(|arg| {
        let arg = arg.to_string_lossy();
        let whole = arg == "--workspace" || arg == "--all";
        whole || arg.starts_with("-p") || arg.starts_with("--package")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn the_whole_workspace_unless_a_package_is_named() {
        assert!(chooses_no_package(&words("")));
        assert!(chooses_no_package(&words("some_test -- -p")));
        assert!(!chooses_no_package(&words("-p mp-conn")));
        assert!(!chooses_no_package(&words("-pmp-conn name")));
        assert!(!chooses_no_package(&words("--package=mp-conn")));
    }

    #[test]
    fn arguments_of_the_test_programs_stay_behind() {
        assert_eq!(for_cargo(&words("a b -- c")), words("a b"));
        assert_eq!(for_cargo(&words("a b")), words("a b"));
    }
}
