//! `fuzz TARGET [--seconds N] [--seed N]`, `fuzz TARGET FILE...` to replay, `fuzz record` to make the corpus anew.

#![expect(clippy::print_stdout, reason = "a command tells what it found")]

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fuzz::mutate::mutate;
use fuzz::random::Random;
use fuzz::targets::{TARGETS, Target, find};
use fuzz::{corpus, panics, record};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|arg| arg == "record") {
        record::all();
        return ExitCode::SUCCESS;
    }
    let Some(target) = args.first().and_then(|name| find(name)) else {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        println!(
            "fuzz TARGET [--seconds N] [--seed N] [FILE...]; the targets are {}",
            names.join(", ")
        );
        return ExitCode::from(2);
    };
    let outcome = match Plan::read(&args[1..]) {
        Plan { files, .. } if !files.is_empty() => replay(target, &files),
        plan => search(target, &plan),
    };
    match outcome {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            println!("{error}");
            ExitCode::from(2)
        }
    }
}

/// What to do with a target.
struct Plan {
    time: Duration,
    seed: u64,
    files: Vec<String>,
}

impl Plan {
    fn read(args: &[String]) -> Self {
        let clock = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let mut plan = Self {
            time: Duration::from_secs(60),
            seed: u64::from(clock.subsec_nanos()),
            files: Vec::new(),
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut number = || args.next().and_then(|text| text.parse().ok());
            match arg.as_str() {
                "--seconds" => plan.time = number().map_or(plan.time, Duration::from_secs),
                "--seed" => plan.seed = number().unwrap_or(plan.seed),
                file => plan.files.push(file.to_owned()),
            }
        }
        plan
    }
}

/// Gives files to a target. The number of findings.
fn replay(target: &Target, files: &[String]) -> io::Result<usize> {
    let mut run = (target.start)();
    for file in files {
        run(&fs::read(file)?);
    }
    println!("{}: {} files, no finding", target.name, files.len());
    Ok(0)
}

/// Changes the corpus until the time is over. The number of findings, which are saved.
fn search(target: &Target, plan: &Plan) -> io::Result<usize> {
    let inputs = corpus::load(target.name)?;
    let saved = corpus::findings(target.name);
    fs::create_dir_all(&saved)?;
    println!(
        "{}: {} inputs, seed {}",
        target.name,
        inputs.len(),
        plan.seed
    );
    panics::note();
    let mut run = (target.start)();
    let mut random = Random::new(plan.seed);
    let (mut count, mut found) = (0_u64, BTreeSet::new());
    let start = Instant::now();
    while start.elapsed() < plan.time {
        let mut pick = || &inputs[random.below(inputs.len())].1;
        let (one, two) = (pick(), pick());
        let input = mutate(one, two, target.kind, &mut random);
        // Still there if the process does not survive.
        fs::write(saved.join("current"), &input)?;
        let survived = catch_unwind(AssertUnwindSafe(|| run(&input))).is_ok();
        count += 1;
        for finding in panics::take_findings() {
            if found.insert(finding.clone()) {
                let path = saved.join(format!("finding-{}-{count}", plan.seed));
                fs::write(&path, &input)?;
                println!(
                    "{}: {finding}\n    saved as {}",
                    target.name,
                    path.display()
                );
            }
        }
        if !survived {
            // What is left of the last run must not be taken for the next one's.
            run = (target.start)();
        }
    }
    for (place, times) in panics::contained() {
        println!("{}: contained {times} times: {place}", target.name);
    }
    println!(
        "{}: {count} inputs in {:.0} s, {} findings",
        target.name,
        start.elapsed().as_secs_f64(),
        found.len()
    );
    Ok(found.len())
}
