//! `cargo xtask loom`: the loom models, which are the tests in `tests/loom.rs` of the crates that have one.
//!
//! Loom replaces the locks and atomics of the code under test, so that everything is built a second time with
//! `--cfg loom`; into a directory of its own, for else each change of mode would build everything anew.

use std::env;
use std::ffi::OsString;

use crate::cargo;
use crate::failure::Failure;
use crate::metadata::Metadata;
use crate::say;
use crate::tally::Tally;
use crate::test;

/// Runs all models; arguments go to the test programs (a name to choose by).
pub(crate) fn run(args: &[OsString]) -> Result<(), Failure> {
    let tally = models(args)?;
    say::line(&format!("xtask loom: {tally}"));
    Ok(())
}

/// What [`run`] does, for a caller that wants the number of models.
pub(crate) fn models(args: &[OsString]) -> Result<Tally, Failure> {
    let metadata = Metadata::load()?;
    let with_models = |directory: &std::path::Path| directory.join("tests/loom.rs").exists();
    let mut words: Vec<OsString> = ["test", "--release", "--test", "loom"]
        .map(OsString::from)
        .into();
    for package in metadata
        .packages
        .iter()
        .filter(|package| with_models(&package.directory))
    {
        words.extend(["-p".into(), OsString::from(&package.name)]);
    }
    if !words.contains(&"-p".into()) {
        say::line("xtask loom: no crate has a tests/loom.rs");
        return Ok(Tally::default());
    }
    words.push("--".into());
    words.extend_from_slice(args);
    let mut command = cargo::command(words);
    command.env("RUSTFLAGS", flags(env::var("RUSTFLAGS").ok()));
    command.env("CARGO_TARGET_DIR", metadata.target_directory.join("loom"));
    if env::var_os(PREEMPTIONS).is_none() {
        command.env(PREEMPTIONS, "3");
    }
    test::timed(command)
}

fn flags(own: Option<String>) -> String {
    own.map_or_else(
        || "--cfg loom".to_owned(),
        |own| format!("{own} --cfg loom"),
    )
}

/// Loom's bound on how often a thread is interrupted within one run of a model: nearly all bugs need one or two, and time grows
/// exponentially with it.
const PREEMPTIONS: &str = "LOOM_MAX_PREEMPTIONS";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_that_are_set_already_are_kept() {
        assert_eq!(flags(None), "--cfg loom");
        assert_eq!(
            flags(Some("-C debuginfo=0".into())),
            "-C debuginfo=0 --cfg loom"
        );
    }
}
