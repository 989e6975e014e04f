//! What can go wrong while generating code.

use std::fmt;
use std::io;

/// Why no code was generated. Nothing was written, unless it is [`Error::Io`].
///
/// `Debug` prints the same text as `Display`, because that is what a build script's `main` shows.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Everything that is wrong with the schema files and the builder's settings, each with file, line and column.
    #[error("{0}")]
    Schema(#[from] mp_schema::Error),
    /// `capnpc` could not generate the message accessors.
    #[error("cannot generate message accessors: {0}")]
    Accessors(String),
    /// What was generated is not Rust. A fault of this crate.
    #[error("generated code for {file} is not valid: {reason}")]
    Invalid {
        /// The schema file.
        file: String,
        /// What the parser said.
        reason: String,
    },
    /// No output directory was given, and this is no build script.
    #[error("no output directory: `OUT_DIR` is not set; call `out_dir`")]
    NoOutDir,
    /// A file could not be read or written.
    #[error("{what}: {source}")]
    Io {
        /// What was tried, with the path.
        what: String,
        /// The system's answer.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}
