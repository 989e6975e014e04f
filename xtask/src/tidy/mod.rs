//! `cargo xtask tidy`: the rules of this project that no compiler checks.
//!
//! Each check is a function from what it looks at to a list of findings; all findings are printed, and any makes the command fail.

mod code;
mod docs;
mod files;
mod footprint;
mod layers;
mod manifests;
mod scan;
mod scenarios;
mod unsafety;

use std::ffi::OsString;

use crate::cargo;
use crate::failure::Failure;
use crate::metadata::Metadata;
use crate::say;

/// Runs all checks.
pub(crate) fn run(_: &[OsString]) -> Result<(), Failure> {
    let metadata = Metadata::load()?;
    let files = files::load(cargo::root())?;
    let mut findings = layers::check(&metadata);
    findings.extend(manifests::check(&files));
    findings.extend(code::check(&files));
    findings.extend(unsafety::check(&files, unsafety::ALLOWED));
    findings.extend(docs::check(&files, &metadata));
    findings.extend(scenarios::check(&files));
    findings.extend(footprint::check()?);
    for finding in &findings {
        say::line(finding);
    }
    if findings.is_empty() {
        say::line(&format!(
            "xtask tidy: {} files, nothing to say",
            files.len()
        ));
        return Ok(());
    }
    Err(Failure::message(format!(
        "{} findings; to repeat it: cargo xtask tidy",
        findings.len()
    )))
}

/// What is wrong and where, in a line: `path:line: sentence`.
type Findings = Vec<String>;
