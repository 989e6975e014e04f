//! The `capnp` tool.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Job, Outcome};
use crate::Error;

pub(super) fn run(tool: &Path, job: &Job<'_>) -> Result<Outcome, Error> {
    let output = Command::new(tool)
        .args(["compile", "-o-"])
        .args(
            job.import_paths
                .iter()
                .map(|path| option("--import-path=", path)),
        )
        .args(
            job.src_prefixes
                .iter()
                .map(|path| option("--src-prefix=", path)),
        )
        .args(job.files.iter().map(|path| not_an_option(path)))
        .stdin(Stdio::null())
        .output()
        .map_err(|source| Error::Io {
            what: format!("cannot run {}", tool.display()),
            source,
        })?;
    let messages = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() && messages.trim().is_empty() {
        return Err(Error::Compiler(format!(
            "{}: {}",
            tool.display(),
            output.status
        )));
    }
    Ok(Outcome {
        request: output.status.success().then_some(output.stdout),
        messages,
    })
}

fn option(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push(path);
    option
}

/// A path that `capnp` cannot take for an option.
fn not_an_option(path: &Path) -> OsString {
    match path.as_os_str().as_encoded_bytes().first() {
        Some(b'-') => Path::new(".").join(path).into_os_string(),
        _ => path.as_os_str().to_owned(),
    }
}
