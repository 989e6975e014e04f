//! What the program says: for people, or as JSON.

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
