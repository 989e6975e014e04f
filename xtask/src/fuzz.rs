//! `cargo xtask fuzz`: changed messages for what reads messages of a peer. The targets are in the package `fuzz`.

use std::ffi::OsString;

use crate::cargo;
use crate::failure::Failure;
use crate::process;

/// Runs a target: `TARGET [--seconds N] [--seed N]`, or replays files.
pub(crate) fn run(args: &[OsString]) -> Result<(), Failure> {
    let mut command = cargo::command(["run", "--quiet", "--package", "fuzz", "--"]);
    process::run(command.args(args))
}
