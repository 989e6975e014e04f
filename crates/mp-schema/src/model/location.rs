//! A place in a schema file.

use std::fmt;
use std::sync::Arc;

/// A place in a schema file, for people and editors: prints as `path:line:column`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The file, as it can be opened from the current directory where that is known, else the name that `capnp` gives it.
    pub file: Arc<str>,
    /// The line, from 1. 0 where only the file is known (its source could not be read).
    pub line: u32,
    /// The column in bytes, from 1. 0 where it is not known.
    pub column: u32,
}

impl Location {
    /// A file of which no line is known.
    #[must_use]
    pub fn file(file: impl Into<Arc<str>>) -> Self {
        Self {
            file: file.into(),
            line: 0,
            column: 0,
        }
    }

    /// The same file at another line and column, both from 1.
    #[must_use]
    pub fn at(&self, line: u32, column: u32) -> Self {
        Self {
            file: self.file.clone(),
            line,
            column,
        }
    }
}

impl Default for Location {
    fn default() -> Self {
        Self::file("")
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (0, _) => write!(f, "{}", self.file),
            (line, 0) => write!(f, "{}:{line}", self.file),
            (line, column) => write!(f, "{}:{line}:{column}", self.file),
        }
    }
}
