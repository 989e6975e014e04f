//! `cargo xtask bench --instructions`: how many instructions a call takes, compared with the numbers in the repository.
//!
//! Unlike times they are the same in every run, nearly, so that a change that makes calls more expensive shows. Another
//! compiler gives other numbers, which are not compared: then `--bless` writes them down anew.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::plan::Cores;
use super::programs::{self, Program, Programs};
use crate::failure::Failure;
use crate::{cargo, process, say};

/// Counts, and compares or writes down. Without valgrind it says so, and does nothing.
pub(crate) fn run(bless: bool) -> Result<(), Failure> {
    if !programs::has("valgrind") {
        say::line(
            "xtask bench: SKIPPED: instructions are counted by `valgrind`, which is not there",
        );
        return Ok(());
    }
    let counted = count(&Programs::build()?)?;
    let path = cargo::root().join(FILE);
    let compiler = process::output(&mut cargo::rustc(["--version"]))?;
    let compiler = compiler.trim();
    if bless {
        let text = format!(
            "{:#}\n",
            json!({"compiler": compiler, "instructions": counted})
        );
        return fs::write(&path, text).map_err(|error| cannot(&path, &error));
    }
    let text = fs::read_to_string(&path).map_err(|error| cannot(&path, &error))?;
    let mut known: Value = serde_json::from_str(&text).map_err(|error| cannot(&path, &error))?;
    if known["compiler"] != *compiler {
        say::line(&format!(
            "xtask bench: SKIPPED: {FILE} is of {}, and this is {compiler}",
            known["compiler"]
        ));
        return Ok(());
    }
    let known = serde_json::from_value(known["instructions"].take());
    let known: BTreeMap<String, u64> = known.map_err(|error| cannot(&path, &error))?;
    let findings = compare(&known, &counted);
    for finding in &findings {
        say::line(finding);
    }
    if findings.is_empty() {
        say::line(&format!("xtask bench: all within {MARGIN} % of {FILE}"));
        return Ok(());
    }
    Err(Failure::message(format!(
        "instructions differ from {FILE}; if they should: cargo xtask bench --instructions --bless"
    )))
}

/// Instructions of one call, by metric and process.
fn count(programs: &Programs) -> Result<BTreeMap<String, u64>, Failure> {
    let mut counted = BTreeMap::new();
    for metric in METRICS {
        let client = difference(|calls| of_client(programs, metric, calls))?;
        let server = difference(|calls| of_server(programs, metric, calls))?;
        say::line(&format!(
            "{metric:<14} client {client:>9}  server {server:>9}"
        ));
        counted.insert(format!("{metric} client"), client);
        counted.insert(format!("{metric} server"), server);
    }
    Ok(counted)
}

/// What so many calls more take, for each.
fn difference(total: impl Fn(u64) -> Result<u64, Failure>) -> Result<u64, Failure> {
    let few = total(FEW)?;
    Ok(total(MANY)?.saturating_sub(few) / (MANY - FEW))
}

fn of_client(programs: &Programs, metric: &str, calls: u64) -> Result<u64, Failure> {
    let (tool, output) = callgrind();
    let tool: Vec<&OsStr> = tool.iter().map(OsStr::new).collect();
    let server = programs.serve(Program::Ours, Cores::One, &[])?;
    let mut client = programs.client(Program::Ours, Cores::One, &tool, &server)?;
    programs::measure(client.args([metric, &format!("calls={calls}")]))?;
    total(&output)
}

fn of_server(programs: &Programs, metric: &str, calls: u64) -> Result<u64, Failure> {
    let (tool, output) = callgrind();
    let tool: Vec<&OsStr> = tool.iter().map(OsStr::new).collect();
    let server = programs.serve(Program::Ours, Cores::One, &tool)?;
    let mut client = programs.client(Program::Ours, Cores::One, &[], &server)?;
    programs::measure(client.args([metric, &format!("calls={calls}")]))?;
    server.terminate()?;
    total(&output)
}

/// The tool's command line, and the file that it writes.
fn callgrind() -> ([String; 4], PathBuf) {
    let output = env::temp_dir().join(format!("mp-bench-{}.callgrind", std::process::id()));
    let file = format!("--callgrind-out-file={}", output.display());
    (
        [
            "valgrind".into(),
            "-q".into(),
            "--tool=callgrind".into(),
            file,
        ],
        output,
    )
}

fn total(output: &PathBuf) -> Result<u64, Failure> {
    let text = fs::read_to_string(output).map_err(|error| cannot(output, &error))?;
    drop(fs::remove_file(output));
    let summary = text.lines().find_map(|line| line.strip_prefix("summary: "));
    summary
        .and_then(|number| number.trim().parse().ok())
        .ok_or_else(|| {
            Failure::message(format!("{}: callgrind wrote no summary", output.display()))
        })
}

/// A sentence for each number that is off by more than the margin.
fn compare(known: &BTreeMap<String, u64>, counted: &BTreeMap<String, u64>) -> Vec<String> {
    let mut findings = Vec::new();
    for (name, &now) in counted {
        let Some(&before) = known.get(name) else {
            findings.push(format!("{name}: not in {FILE}"));
            continue;
        };
        let percent = (now as f64 / before.max(1) as f64 - 1.0) * 100.0;
        if percent.abs() > MARGIN {
            findings.push(format!(
                "{name}: {before} instructions before, {now} now: {percent:+.0} %"
            ));
        }
    }
    findings
}

fn cannot(path: &std::path::Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::message(format!("{}: {error}", path.display()))
}

const FILE: &str = "benches/instructions.json";
/// In percent, upwards and downwards: what became cheaper is worth to be held to as well.
const MARGIN: f64 = 10.0;
const METRICS: &[&str] = &["add", "addctx", "cb", "connect", "echo:65536"];
const FEW: u64 = 100;
const MANY: u64 = 400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_off_by_more_than_the_margin_is_found() {
        let numbers = |number| BTreeMap::from([("add client".to_owned(), number)]);
        assert!(compare(&numbers(1000), &numbers(1090)).is_empty());
        assert!(compare(&numbers(1000), &numbers(910)).is_empty());
        let found = compare(&numbers(1000), &numbers(1110));
        assert_eq!(
            found,
            ["add client: 1000 instructions before, 1110 now: +11 %"]
        );
        assert_eq!(compare(&numbers(1000), &numbers(800)).len(), 1);
        assert_eq!(compare(&BTreeMap::new(), &numbers(1)).len(), 1);
    }
}
