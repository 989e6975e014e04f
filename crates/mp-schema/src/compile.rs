//! Runs the schema compiler: the `capnp` tool, or the one that is embedded in this library.

mod builtin;
#[cfg(feature = "embedded")]
mod embedded;
mod messages;
mod tool;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

pub(crate) use builtin::Builtin;
pub(crate) use messages::Names;

use crate::Error;

/// Which schema compiler to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compiler {
    /// The tool that the environment variable `CAPNP` names, else `capnp` on `PATH`, else the embedded one.
    #[default]
    Auto,
    /// This tool.
    Tool(PathBuf),
    /// The embedded one, which takes a fraction of a second longer. Needs the feature `embedded`.
    Embedded,
}

/// What the compiler is to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job<'a> {
    pub(crate) files: &'a [PathBuf],
    pub(crate) src_prefixes: &'a [PathBuf],
    /// The user's, then the directory of the built-in files.
    pub(crate) import_paths: &'a [PathBuf],
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The request, if there was no error.
    pub(crate) request: Option<Vec<u8>>,
    /// What the compiler said about errors.
    pub(crate) messages: String,
}

impl Compiler {
    /// Runs the compiler once. `Err` if it cannot be run.
    pub(crate) fn run(&self, job: &Job<'_>) -> Result<Outcome, Error> {
        match self {
            Self::Tool(path) => tool::run(path, job),
            Self::Embedded => embedded(job),
            Self::Auto => match find_tool(
                std::env::var_os("CAPNP").as_deref(),
                std::env::var_os("PATH").as_deref(),
            ) {
                Some(path) => tool::run(&path, job),
                None => embedded(job),
            },
        }
    }
}

#[cfg(feature = "embedded")]
fn embedded(job: &Job<'_>) -> Result<Outcome, Error> {
    embedded::run(job)
}

#[cfg(not(feature = "embedded"))]
fn embedded(_job: &Job<'_>) -> Result<Outcome, Error> {
    Err(Error::Compiler(
        "no `capnp` on PATH; install it, name it in the environment variable CAPNP, or turn on the feature `embedded` of mp-schema"
            .to_owned(),
    ))
}

fn find_tool(named: Option<&OsStr>, path: Option<&OsStr>) -> Option<PathBuf> {
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        return Some(named.into());
    }
    std::env::split_paths(path?)
        .map(|dir| dir.join("capnp"))
        .find(|file| is_executable(file))
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file()
}
