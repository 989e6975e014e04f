//! `cargo xtask stress`: the tests about threads and races, many times over.
//!
//! Such a test has `stress` in its name and repeats itself as often as the variable `MP_STRESS` says, a few times without it.

use std::ffi::OsString;

use crate::cargo;
use crate::failure::Failure;
use crate::process;
use crate::say;
use crate::test;

/// Runs the stress tests: `[TIMES] [ARGS…]`, where the arguments choose packages as for `cargo test`.
pub(crate) fn run(args: &[OsString]) -> Result<(), Failure> {
    let (times, args) = times(args);
    let mut words: Vec<OsString> = vec!["test".into(), "--tests".into()];
    words.extend_from_slice(args);
    if args.is_empty() {
        // Without xtask, whose tests of this very module have the word in their names.
        words.extend(["--workspace", "--exclude", "xtask"].map(OsString::from));
    }
    words.extend(["--".into(), "stress".into()]);

    let listed = process::output(cargo::command(&words).arg("--list"))?;
    if !listed.lines().any(|line| line.ends_with(": test")) {
        return Err(Failure::message("no test has `stress` in its name"));
    }
    let mut command = cargo::command(words);
    command.env("MP_STRESS", times.to_string());
    let tally = test::timed(command)?;
    say::line(&format!("xtask stress: {tally}; {times} times each"));
    Ok(())
}

/// A number in front says how often.
fn times(args: &[OsString]) -> (u32, &[OsString]) {
    let number = args
        .first()
        .and_then(|arg| arg.to_str())
        .and_then(|arg| arg.parse().ok());
    number.map_or((TIMES, args), |number| (number, &args[1..]))
}

const TIMES: u32 = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_front_says_how_often() {
        let words: Vec<OsString> = ["20", "-p", "mp-conn"].map(OsString::from).into();
        assert_eq!(times(&words), (20, &words[1..]));
        assert_eq!(times(&words[1..]), (TIMES, &words[1..]));
    }
}
