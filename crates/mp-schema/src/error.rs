//! What can be wrong: with a schema (all of it at once, each with its place), or with the way to it.

use std::fmt;
use std::io;

use crate::Location;

/// Why a schema could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Everything that is wrong with the schema files.
    #[error("{0}")]
    Schema(Diagnostics),
    /// The schema compiler could not be run, or failed without naming a place.
    #[error("cannot run the schema compiler: {0}")]
    Compiler(String),
    /// The bytes are not a `CodeGeneratorRequest`.
    #[error("not a code generator request: {0}")]
    Request(String),
    /// A file or directory could not be read or written.
    #[error("{what}: {source}")]
    Io {
        /// What was tried, with the path.
        what: String,
        /// The system's answer.
        source: io::Error,
    },
}

impl Error {
    /// The errors of the schema files; empty for the other kinds.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        match self {
            Self::Schema(diagnostics) => &diagnostics.0,
            _ => &[],
        }
    }
}

/// One error in a schema file. Prints as `path:line:column: error: message`, with the help on a line of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// Where.
    pub location: Location,
    /// What is wrong: one sentence, lower-case, without a full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    #[must_use]
    pub fn new(location: &Location, message: impl Into<String>) -> Self {
        Self {
            location: location.clone(),
            message: message.into(),
            help: None,
        }
    }

    /// The same, with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: error: {}", self.location, self.message)?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

/// A list of errors; prints one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// `Err` with all of them in the order of the files, without repetitions, if there are any.
    ///
    /// # Errors
    ///
    /// [`Error::Schema`] unless the list is empty.
    pub fn into_result(mut self) -> Result<(), Error> {
        self.0.sort();
        self.0.dedup();
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Error::Schema(self))
        }
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}
