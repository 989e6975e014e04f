//! Writes the generated files that are committed: what `cargo xtask codegen` runs.
//!
//! They are committed so that the run-time crates build without a schema compiler. With `--check` nothing is written, and a
//! file that would change is an error.

mod accessors;

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use accessors::Accessors;

#[expect(clippy::print_stderr, reason = "a command line tool")]
fn main() -> ExitCode {
    let outcome = match env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => run(root(), Mode::Write),
        [arg] if arg == "--check" => run(root(), Mode::Check),
        args => Err(format!("unknown arguments: {}", args.join(" ")).into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask codegen: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Every generated file that is committed.
const FILES: &[Accessors] = &[Accessors {
    schema: "mp/proxy.capnp",
    directory: "crates/mp-schema/schema",
    output: "crates/mp-conn/src/proxy_capnp.rs",
    purpose: "Accessors for the messages that carry threads: `/mp/proxy.capnp`.",
}];

/// What to do about a file that is not as it should be.
#[derive(Clone, Copy, Debug)]
enum Mode {
    Write,
    Check,
}

fn run(root: &Path, mode: Mode) -> Result<(), Box<dyn Error>> {
    for file in FILES {
        settle(&root.join(file.output), &file.generate(root)?, mode)?;
    }
    Ok(())
}

/// Makes a file hold a text, or finds that it does. A file that need not change is not touched.
fn settle(path: &Path, wanted: &str, mode: Mode) -> Result<(), Box<dyn Error>> {
    if fs::read_to_string(path).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    match mode {
        Mode::Write => Ok(fs::write(path, wanted)?),
        Mode::Check => Err(format!(
            "{} is out of date: run `cargo xtask codegen`",
            path.display()
        )
        .into()),
    }
}

/// The project's root directory.
fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_finds_a_change_and_write_makes_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.rs");
        let error = settle(&path, "new", Mode::Check).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("a.rs is out of date: run `cargo xtask codegen`"),
            "{error}"
        );
        assert!(!path.exists());
        settle(&path, "new", Mode::Write).unwrap();
        settle(&path, "new", Mode::Check).unwrap();
    }
}
