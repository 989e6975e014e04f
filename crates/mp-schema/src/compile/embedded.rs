//! The embedded compiler. It runs in this process and writes its messages to standard error, which is therefore
//! redirected to a file for as long as it runs. What other threads write there meanwhile is passed on afterwards.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::messages::is_message;
use super::{Job, Outcome};
use crate::Error;

pub(super) fn run(job: &Job<'_>) -> Result<Outcome, Error> {
    let mut command = capnpc_embedded::CompileCommand::new();
    for path in job.import_paths {
        command.import_path(path);
    }
    for path in job.src_prefixes {
        command.src_prefix(path);
    }
    if let Some(current) = implied_prefix(job.src_prefixes) {
        command.src_prefix(current);
    }
    for path in job.files {
        command.file(path);
    }

    let (result, text) = {
        let _one_at_a_time = REDIRECTED.lock().unwrap_or_else(PoisonError::into_inner);
        let io = |source| Error::Io {
            what: "cannot redirect standard error".to_owned(),
            source,
        };
        let mut redirection = Redirection::new().map_err(io)?;
        let result = command.compile();
        let text = redirection.end().map_err(io)?;
        (result, text)
    };
    let (messages, others): (Vec<&str>, Vec<&str>) = text
        .split_inclusive('\n')
        .partition(|line| is_message(line));
    match result {
        Ok(request) => {
            pass_on(&text);
            Ok(Outcome {
                request: Some(request),
                messages: String::new(),
            })
        }
        Err(_) if !messages.is_empty() => {
            pass_on(&others.concat());
            Ok(Outcome {
                request: None,
                messages: messages.concat(),
            })
        }
        Err(error) => Err(Error::Compiler(
            format!("{error}\n{text}").trim_end().to_owned(),
        )),
    }
}

/// The current directory, which the `capnp` tool cuts off file names unless a prefix says otherwise.
fn implied_prefix(prefixes: &[PathBuf]) -> Option<PathBuf> {
    let current = std::env::current_dir().ok()?.canonicalize().ok()?;
    let covers = |prefix: &PathBuf| {
        prefix
            .canonicalize()
            .is_ok_and(|prefix| current.starts_with(prefix))
    };
    (!prefixes.iter().any(covers)).then_some(current)
}

fn pass_on(text: &str) {
    if !text.is_empty() {
        // If standard error is gone, there is nobody to tell.
        drop(std::io::stderr().write_all(text.as_bytes()));
    }
}

/// Standard error goes to a file until this is dropped.
struct Redirection {
    stderr: OwnedFd,
    file: File,
}

impl Redirection {
    fn new() -> std::io::Result<Self> {
        let redirection = Self {
            stderr: rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stderr(), 3)?,
            file: tempfile::tempfile()?,
        };
        rustix::stdio::dup2_stderr(&redirection.file)?;
        Ok(redirection)
    }

    /// Puts standard error back and gives what was written.
    fn end(&mut self) -> std::io::Result<String> {
        rustix::stdio::dup2_stderr(&self.stderr)?;
        let mut bytes = Vec::new();
        self.file.rewind()?;
        self.file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl Drop for Redirection {
    fn drop(&mut self) {
        // Needed if the compiler panicked; there is no one to report a failure to.
        _ = rustix::stdio::dup2_stderr(&self.stderr).is_ok();
    }
}

/// Held while standard error is redirected: there is one in a process.
static REDIRECTED: Mutex<()> = Mutex::new(());
