//! Why a command ended without success.

use std::process::{ExitCode, ExitStatus};

use crate::say;

/// Why a command ended without success.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something went wrong here: what, and what to do about it.
    Message(String),
    /// The program that was run has said why; its status is passed on.
    Status(ExitStatus),
}

impl Failure {
    pub(crate) fn message(text: impl Into<String>) -> Self {
        Self::Message(text.into())
    }

    /// Says what went wrong, and gives the status that this process ends with.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Self::Message(text) => {
                say::error(text);
                ExitCode::FAILURE
            }
            Self::Status(status) => ExitCode::from(code(*status)),
        }
    }
}

/// A status as a shell gives it: the exit code, or 128 plus the number of the signal.
pub(crate) fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| signal(status).map(|n| 128 + n));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal(_: ExitStatus) -> Option<i32> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn statuses_are_passed_on_as_a_shell_does() {
        assert_eq!(code(ExitStatus::from_raw(0)), 0);
        assert_eq!(code(ExitStatus::from_raw(3 << 8)), 3);
        assert_eq!(code(ExitStatus::from_raw(9)), 137, "killed by SIGKILL");
    }
}
