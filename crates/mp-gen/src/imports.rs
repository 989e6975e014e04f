//! Which files a schema file imports: code is needed for all of them, and one run of the compiler should give it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The given files, and all that they import by relative paths, directly or not, without those that `is_elsewhere`. A file
/// that cannot be read is left to the compiler, which says so.
pub(crate) fn with_imports(
    files: &[PathBuf],
    is_elsewhere: impl Fn(&Path) -> bool,
) -> Vec<PathBuf> {
    let mut all = Vec::new();
    let mut seen = BTreeSet::new();
    let mut queue: std::collections::VecDeque<PathBuf> = files.iter().cloned().collect();
    while let Some(file) = queue.pop_front() {
        if !seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone())) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap_or_default();
        let directory = file.parent().unwrap_or_else(|| Path::new(""));
        let relative = imports(&text)
            .into_iter()
            .filter(|import| !import.starts_with('/'));
        queue.extend(
            relative
                .map(|import| normal(&directory.join(import)))
                .filter(|path| path.exists() && !is_elsewhere(path)),
        );
        all.push(file);
    }
    all
}

/// The strings after `import` in a schema file, outside of comments and strings.
fn imports(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for line in text.lines() {
        let mut rest = line;
        let mut after_import = false;
        while let Some(at) = rest.find(['"', '#']) {
            after_import |= rest[..at].trim_end().ends_with("import");
            if rest[at..].starts_with('#') {
                break;
            }
            let Some(end) = rest[at + 1..].find('"') else {
                break;
            };
            if std::mem::take(&mut after_import) {
                found.push(&rest[at + 1..at + 1 + end]);
            }
            rest = &rest[at + end + 2..];
        }
    }
    found
}

/// The path without `.` and without `x/..`.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir if out.file_name().is_some() => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}
