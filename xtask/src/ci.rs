//! `cargo xtask ci`: everything that must pass before a change goes in, cheap steps first.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use crate::bench;
use crate::cargo;
use crate::codegen;
use crate::example;
use crate::failure::Failure;
use crate::loom;
use crate::metadata::Metadata;
use crate::process;
use crate::say;
use crate::tally::Tally;
use crate::test;
use crate::tidy;

/// Runs all steps; stops at the first that fails.
pub(crate) fn run(_: &[OsString]) -> Result<(), Failure> {
    let mut steps = Steps::default();
    steps.run("format", || plain(&["fmt", "--all", "--check"]))?;
    steps.run("tidy", || tidy::run(&[]))?;
    steps.run("codegen", || codegen::run(&["--check".into()]))?;
    steps.run("clippy", || {
        plain(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ])
    })?;
    steps.run("each crate alone", each_alone)?;
    steps.run("documentation", documentation)?;
    let mut tally = Tally::default();
    steps.run("tests", || count(&mut tally, test::tests(&[])?))?;
    steps.run("loom models", || count(&mut tally, loom::models(&[])?))?;
    steps.run("instructions", || bench::run(&["--instructions".into()]))?;
    steps.run("example", example::check)?;
    steps.summary(tally);
    Ok(())
}

/// The steps that have passed, with the time each took.
#[derive(Debug, Default)]
struct Steps {
    passed: Vec<(&'static str, Duration)>,
}

impl Steps {
    fn run(
        &mut self,
        name: &'static str,
        step: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        say::line(&format!("ci: {name} ..."));
        let start = Instant::now();
        let result = step();
        let took = start.elapsed();
        if result.is_err() {
            say::line(&format!(
                "ci: {name} FAILED after {:.1} s",
                took.as_secs_f64()
            ));
            return result;
        }
        say::line(&format!("ci: {name} passed in {:.1} s", took.as_secs_f64()));
        self.passed.push((name, took));
        Ok(())
    }

    /// The times in one place, and the number of tests on the last line.
    fn summary(&self, tally: Tally) {
        let mut total = Duration::ZERO;
        say::line("");
        for (name, took) in &self.passed {
            say::line(&format!("{:>8.1} s  {name}", took.as_secs_f64()));
            total += *took;
        }
        say::line(&format!(
            "ci: ok. {tally}; {} steps in {:.0} s",
            self.passed.len(),
            total.as_secs_f64()
        ));
    }
}

fn plain(args: &[&str]) -> Result<(), Failure> {
    process::run(&mut cargo::command(args))
}

/// Each crate with only the features it asks for itself: in the workspace's build the others' wishes are added.
fn each_alone() -> Result<(), Failure> {
    for package in Metadata::load()?.packages {
        plain(&[
            "check",
            "--quiet",
            "--all-targets",
            "--package",
            &package.name,
        ])?;
    }
    Ok(())
}

fn documentation() -> Result<(), Failure> {
    let mut command = cargo::command(["doc", "--workspace", "--no-deps"]);
    process::run(command.env("RUSTDOCFLAGS", "-D warnings"))
}

/// A step that ran no test at all has not shown anything.
fn count(sum: &mut Tally, ran: Tally) -> Result<(), Failure> {
    sum.passed += ran.passed;
    sum.failed += ran.failed;
    if sum.passed == 0 {
        return Err(Failure::message(
            "no test ran; `cargo xtask test` should run some",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_step_ends_the_run_and_is_not_counted() {
        let mut steps = Steps::default();
        steps.run("one", || Ok(())).unwrap();
        assert!(steps.run("two", || Err(Failure::message("no"))).is_err());
        let names: Vec<_> = steps.passed.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["one"]);
    }

    #[test]
    fn no_tests_are_not_a_success() {
        let mut sum = Tally::default();
        assert!(count(&mut sum, Tally::default()).is_err());
        count(
            &mut sum,
            Tally {
                passed: 2,
                failed: 0,
            },
        )
        .unwrap();
        count(&mut sum, Tally::default()).unwrap();
        assert_eq!(sum.passed, 2);
    }
}
