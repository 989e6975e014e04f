//! The inputs that are committed, and those that were found.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The committed inputs of a target, in the order of their names.
///
/// # Errors
///
/// When the directory cannot be read.
pub fn load(target: &str) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory(target))? {
        paths.push(entry?.path());
    }
    paths.sort();
    let read = |path: PathBuf| Ok((path.clone(), fs::read(path)?));
    paths.into_iter().map(read).collect()
}

/// Where the committed inputs of a target are.
#[must_use]
pub fn directory(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target)
}

/// Where findings are saved.
#[must_use]
pub fn findings(target: &str) -> PathBuf {
    let built = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(|root| root.join("target"));
    let directory = built.or(root).unwrap_or_default();
    directory.join("fuzz").join(target)
}
