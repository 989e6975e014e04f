//! `cargo xtask hostile`: a server under attack, and how long another client's calls take before and during each attack.

use std::ffi::OsString;

use crate::cargo;
use crate::failure::Failure;
use crate::test;

/// Runs the attacks with the server's usual limits: `[CONNECTIONS]` are left half open, 10,000 unless told otherwise.
pub(crate) fn run(args: &[OsString]) -> Result<(), Failure> {
    let connections = args.first().cloned().unwrap_or_else(|| CONNECTIONS.into());
    let number = connections
        .to_str()
        .and_then(|text| text.parse::<usize>().ok());
    if number.is_none() || args.len() > 1 {
        let what = connections.display();
        return Err(Failure::message(format!(
            "hostile takes a number of connections, not `{what}`"
        )));
    }
    let mut command = cargo::command(["test", "--release", "--package", "faults"]);
    command.args(["--test", "hostile", "--", "--nocapture"]);
    command.env("MP_HOSTILE", connections);
    test::timed(command).map(drop)
}

const CONNECTIONS: &str = "10000";
