//! How the program ends: with which exit status, and after which message.

use std::error::Error;
use std::fmt::Display;
use std::io;
use std::process::ExitCode;

use multiprocess::Error as IpcError;

/// How a command ends: with an exit status, or an error for the user.
pub(crate) type Outcome = Result<ExitCode, Box<dyn Error>>;

/// The node's answer is no.
pub(crate) const NO: u8 = 1;
/// The arguments are wrong. The parser of the command line uses the same number.
const USAGE: u8 = 2;
/// There was no answer.
const FAILED: u8 = 3;
/// The user pressed Ctrl-C.
pub(crate) const INTERRUPTED: u8 = 130;

/// Arguments that only the command itself can tell to be wrong.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(String);

impl Usage {
    pub(crate) fn new(error: impl Display) -> Self {
        Self(error.to_string())
    }
}

/// Says what went wrong, and gives the exit status.
pub(crate) fn fail(error: &(dyn Error + 'static)) -> ExitCode {
    let is_pipe = error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
    if is_pipe {
        // Whoever read the output has seen enough.
        return ExitCode::SUCCESS;
    }
    report(error);
    status(error).into()
}

/// Prints a message on standard error.
#[expect(
    clippy::print_stderr,
    reason = "the program's one place for error messages"
)]
pub(crate) fn report(message: impl Display) {
    eprintln!("bitcoin-client: {message}");
}

fn status(error: &(dyn Error + 'static)) -> u8 {
    use bitcoin_client::Error::{Ipc, Rpc};
    match error.downcast_ref::<bitcoin_client::Error>() {
        Some(Rpc { .. } | Ipc(IpcError::Remote { .. })) => NO,
        _ if error.is::<Usage>() => USAGE,
        _ => FAILED,
    }
}
