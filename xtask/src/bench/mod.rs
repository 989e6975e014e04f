//! `cargo xtask bench`: what a call costs, against programs that do the same with less.
//!
//! Times are one machine's. What is judged are ratios, of programs that ran by turns in the same minutes.

mod chart;
mod growth;
mod instructions;
mod plan;
mod programs;
mod ratios;
mod report;
mod samples;
mod system_calls;

use std::ffi::OsString;

use crate::failure::Failure;
use crate::say;
use plan::Plan;
use programs::Programs;
use samples::Samples;

/// Measures, prints what came out, and fails if a ratio does not hold.
pub(crate) fn run(args: &[OsString]) -> Result<(), Failure> {
    let options = Options::parse(args)?;
    if options.instructions {
        return instructions::run(options.bless);
    }
    let programs = Programs::build()?;
    let plan = Plan::new(&options, &programs);
    let mut samples = Samples::default();
    plan.measure(&programs, &mut samples)?;
    if options.metrics.is_empty() {
        system_calls::count(&programs, &mut samples)?;
    }
    let verdicts = ratios::judge(&samples);
    chart::write(&samples)?;
    if options.json {
        say::line(&report::json(&samples, &verdicts).to_string());
    } else {
        say::part(&report::text(&samples, &verdicts));
    }
    let failed = verdicts.iter().filter(|verdict| !verdict.holds()).count();
    if failed == 0 {
        return Ok(());
    }
    Err(Failure::message(format!("{failed} ratios do not hold")))
}

/// What the arguments ask for.
#[derive(Debug, Default)]
struct Options {
    /// Fewer repetitions, for a first look: the ratios are less sure.
    quick: bool,
    json: bool,
    /// Count instructions instead of measuring times.
    instructions: bool,
    /// Write the counted instructions down, as those to compare with.
    bless: bool,
    /// Only these; all if there are none.
    metrics: Vec<String>,
}

impl Options {
    fn parse(args: &[OsString]) -> Result<Self, Failure> {
        let mut options = Self::default();
        for arg in args {
            match &*arg.to_string_lossy() {
                "--quick" => options.quick = true,
                "--json" => options.json = true,
                "--instructions" => options.instructions = true,
                "--bless" => options.bless = true,
                flag if flag.starts_with('-') => {
                    return Err(Failure::message(format!(
                        "`cargo xtask bench` has no `{flag}`"
                    )));
                }
                metric => options.metrics.push(metric.to_owned()),
            }
        }
        if options.bless && !options.instructions {
            return Err(Failure::message(
                "`--bless` writes instruction counts down: `--instructions --bless`",
            ));
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, Failure> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        Options::parse(&words)
    }

    #[test]
    fn flags_and_metrics_are_told_apart() {
        let options = parse("--quick add --json echo:64").unwrap();
        assert!(options.quick && options.json && !options.instructions);
        assert_eq!(options.metrics, ["add", "echo:64"]);
        assert!(parse("--instructions --bless").unwrap().bless);
    }

    #[test]
    fn what_means_nothing_is_an_error() {
        assert!(parse("--fast").is_err());
        assert!(parse("--bless").is_err());
    }
}
