//! `cargo xtask codegen`: the generated files that are committed.
//!
//! The work is done by a package of its own, because it needs the schema compiler, which takes longer to build than all
//! of xtask.

use std::ffi::OsString;

use crate::cargo;
use crate::failure::Failure;
use crate::process;

/// Rewrites the files, or with `--check` fails if one is out of date.
pub(crate) fn run(args: &[OsString]) -> Result<(), Failure> {
    let mut command = cargo::command(["run", "--package", "xtask-codegen", "--"]);
    process::run(command.args(args))
}
