//! `cargo xtask valgrind`: the run-time's tests under valgrind, which reports memory that is misused or leaked.

use std::env;
use std::ffi::OsString;
use std::time::Duration;

use crate::cargo;
use crate::failure::Failure;
use crate::process;
use crate::say;
use crate::test;

/// Runs the tests of the crates that hold connections, threads and objects: `[-p CRATE] [ARGS…]` chooses others.
pub(crate) fn run(args: &[OsString]) -> Result<(), Failure> {
    let host = host()?;
    let mut words: Vec<OsString> = ["test", "--tests", "--no-fail-fast"]
        .map(OsString::from)
        .into();
    let chooses = |arg: &OsString| arg == "-p" || arg == "--package";
    if !args.iter().take_while(|arg| *arg != "--").any(chooses) {
        words.extend(
            CRATES
                .iter()
                .flat_map(|name| ["-p", name])
                .map(OsString::from),
        );
    }
    words.extend_from_slice(args);
    if !args.iter().any(|arg| arg == "--") {
        words.push("--".into());
    }
    // On the main thread: the harness does not wait for the threads that it starts, and what they hold would count as lost.
    words.extend(["--test-threads=1", "--skip", SKIPPED].map(OsString::from));
    let mut command = cargo::command(words);
    let runner = format!(
        "CARGO_TARGET_{}_RUNNER",
        host.to_uppercase().replace('-', "_")
    );
    command.env(runner, VALGRIND);
    if env::var_os("MP_PATIENCE").is_none() {
        command.env("MP_PATIENCE", PATIENCE);
    }
    let tally = test::timed_within(command, test::deadline_or(DEADLINE))?;
    say::line(&format!("xtask valgrind: {tally}, no report"));
    Ok(())
}

/// The target that this toolchain builds for.
fn host() -> Result<String, Failure> {
    let told = process::output(&mut cargo::rustc(["-vV"]))?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| Failure::message("`rustc -vV` does not say its host"))
}

/// Valgrind closes a connection that was accepted beyond the limit of descriptors, where the system leaves it in the queue.
const SKIPPED: &str = "a_listener_without_descriptors_waits_until_there_are_some";
/// Those whose state threads share, and the package with the tests of objects and calls over all layers.
const CRATES: [&str; 4] = ["mp-conn", "mp-thread", "mp-callback", "scenarios"];
/// Leaks count when they are definite: the test harness has "possible" ones. Threads take turns in the order in which they ask,
/// or one that spins would keep the others out.
const VALGRIND: &str = "valgrind --quiet --error-exitcode=1 --fair-sched=yes --leak-check=full --show-leak-kinds=definite \
    --errors-for-leak-kinds=definite";
/// The factor by which the tests' own deadlines are longer.
const PATIENCE: &str = "20";
const DEADLINE: Duration = Duration::from_secs(7200);
