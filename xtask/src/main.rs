//! The project's own commands: `cargo xtask help` lists them.

mod bench;
mod cargo;
mod ci;
mod codegen;
mod example;
mod failure;
mod fuzz;
mod hostile;
mod loom;
mod metadata;
mod process;
mod say;
mod stress;
mod tally;
mod test;
mod tidy;
mod tree;
mod valgrind;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use failure::Failure;

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let name = args.next().unwrap_or_else(|| "help".into());
    let rest: Vec<OsString> = args.collect();
    let outcome = match COMMANDS.iter().find(|command| name == command.name) {
        Some(command) => (command.run)(&rest),
        None => Err(Failure::message(format!(
            "there is no command `{}`; `cargo xtask help` lists them",
            name.display()
        ))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// One command: what `cargo xtask NAME` runs.
struct Command {
    name: &'static str,
    args: &'static str,
    sentence: &'static str,
    run: fn(&[OsString]) -> Result<(), Failure>,
}

fn help(_: &[OsString]) -> Result<(), Failure> {
    for command in COMMANDS {
        say::line(&format!("cargo xtask {} {}", command.name, command.args));
        say::line(&format!("    {}", command.sentence));
    }
    Ok(())
}

/// Every command, in the order in which `help` lists them.
const COMMANDS: &[Command] = &[
    Command {
        name: "example",
        args: "[ARGS...]",
        sentence: "Builds the calculator and runs mpexample with these arguments and this input.",
        run: example::run,
    },
    Command {
        name: "test",
        args: "[-p CRATE] [ARGS...]",
        sentence: "Runs the tests of the workspace, or what `cargo test ARGS` would run, with a deadline.",
        run: test::run,
    },
    Command {
        name: "loom",
        args: "[ARGS...]",
        sentence: "Checks the loom models: every order in which the threads of a model can run.",
        run: loom::run,
    },
    Command {
        name: "stress",
        args: "[TIMES] [ARGS...]",
        sentence: "Repeats the tests that have `stress` in their name, 200 times each unless told otherwise.",
        run: stress::run,
    },
    Command {
        name: "fuzz",
        args: "TARGET [--seconds N] [--seed N] [FILE...]",
        sentence: "Feeds changed messages to `schema`, `server`, `client` or `readers`; saves what it finds in target/fuzz.",
        run: fuzz::run,
    },
    Command {
        name: "hostile",
        args: "[CONNECTIONS]",
        sentence: "Attacks a server in many ways, and prints what its other client notices of that.",
        run: hostile::run,
    },
    Command {
        name: "valgrind",
        args: "[-p CRATE] [ARGS...]",
        sentence: "Runs the tests of the run-time's crates, or those chosen, under valgrind.",
        run: valgrind::run,
    },
    Command {
        name: "bench",
        args: "[--quick] [--json] [METRIC...] | --instructions [--bless]",
        sentence: "Measures what a call costs against programs that do the same with less, and judges the ratios.",
        run: bench::run,
    },
    Command {
        name: "tidy",
        args: "",
        sentence: "Checks what no compiler checks: layers, file lengths, `unsafe`, the words of the documents.",
        run: tidy::run,
    },
    Command {
        name: "codegen",
        args: "[--check]",
        sentence: "Rewrites the generated files that are committed, or fails if one is out of date.",
        run: codegen::run,
    },
    Command {
        name: "ci",
        args: "",
        sentence: "Runs everything that must pass before a change goes in.",
        run: ci::run,
    },
    Command {
        name: "help",
        args: "",
        sentence: "Prints this list.",
        run: help,
    },
];

/// Whether `cargo xtask NAME` exists: the documents are held to it.
fn is_command(name: &str) -> bool {
    COMMANDS.iter().any(|command| command.name == name)
}
