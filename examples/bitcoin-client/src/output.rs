//! What the program says: for people, or as JSON.

use std::error::Error;
use std::io::{self, Write};

use serde_json::Value;

/// Standard output, in the form that was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints a value: as one line of JSON, or as a text. Nobody reading it is an error.
    pub(crate) fn print(&self, text: &str, json: &Value) -> io::Result<()> {
        let mut output = io::stdout().lock();
        if self.json {
            writeln!(output, "{json}")?;
        } else {
            writeln!(output, "{text}")?;
        }
        output.flush()
    }
}

/// Says on standard error what went wrong.
#[expect(
    clippy::print_stderr,
    reason = "the program's one place for error messages"
)]
pub(crate) fn report(error: &(dyn Error + 'static)) {
    // Ending because the reader of a pipe has seen enough is no error.
    let is_pipe = error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
    if !is_pipe {
        eprintln!("bitcoin-client: {error}");
    }
}
