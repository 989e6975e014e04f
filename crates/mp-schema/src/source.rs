//! The text of the schema files, as far as it can be found: gives every declaration its line and column.

mod lexer;
mod scan;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::Location;

/// Where declarations stand, by the id of their file. Empty if no source is at hand.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    files: HashMap<u64, Source>,
    /// What was read, in the order it was found, without the built-in files.
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug)]
struct Source {
    shown: Arc<str>,
    scan: scan::Scan,
}

impl Sources {
    /// Reads the given files and, as far as they are found, the files that they import. A file that cannot be read is left out.
    /// Files in the directory `builtin` are shown without it.
    pub(crate) fn read(files: &[PathBuf], import_paths: &[PathBuf], builtin: &Path) -> Self {
        let mut sources = Self::default();
        let mut seen = BTreeSet::new();
        let mut queue: VecDeque<PathBuf> = files.iter().cloned().collect();
        while let Some(path) = queue.pop_front() {
            let identity = path.canonicalize().unwrap_or_else(|_| path.clone());
            if seen.len() >= MAX_FILES || !seen.insert(identity) {
                continue;
            }
            let Some(text) = read_text(&path) else {
                continue;
            };
            let scan = scan::scan(&text);
            queue.extend(
                scan.imports
                    .iter()
                    .filter_map(|import| resolve(&path, import, import_paths)),
            );
            let (shown, is_builtin) = match path.strip_prefix(builtin) {
                Ok(short) => (short, true),
                Err(_) => (path.as_path(), false),
            };
            if let Some(id) = scan.id {
                let shown = shown.to_string_lossy().into();
                sources.files.entry(id).or_insert(Source { shown, scan });
            }
            if !is_builtin {
                sources.paths.push(path);
            }
        }
        sources
    }

    /// The place of a file: its path if its text was found, else `name`.
    pub(crate) fn file(&self, id: u64, name: &str) -> Location {
        match self.files.get(&id) {
            Some(source) => Location {
                file: source.shown.clone(),
                line: 1,
                column: 1,
            },
            None => Location::file(name),
        }
    }

    /// The place of the declaration with this path, or of the nearest one around it. `file` is what [`Self::file`] gave.
    pub(crate) fn place(&self, id: u64, file: &Location, path: &str) -> Location {
        let Some(source) = self.files.get(&id) else {
            return file.clone();
        };
        let mut path = path;
        for _ in 0..MAX_SCOPES {
            if let Some((line, column)) = source.scan.places.get(path) {
                return file.at(*line, *column);
            }
            match path.rfind(['.', '$']) {
                Some(end) => path = &path[..end],
                None => break,
            }
        }
        file.clone()
    }
}

fn read_text(path: &Path) -> Option<String> {
    let size = std::fs::metadata(path).ok()?.len();
    (size <= MAX_FILE_SIZE)
        .then(|| std::fs::read(path).ok())
        .flatten()
        .map(|bytes| match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        })
}

/// Looks an import up as the compiler does: from the root of each import path, or beside the importing file.
fn resolve(importer: &Path, import: &str, import_paths: &[PathBuf]) -> Option<PathBuf> {
    match import.strip_prefix('/') {
        Some(rest) => import_paths
            .iter()
            .map(|dir| dir.join(rest))
            .find(|path| path.is_file()),
        None => Some(importer.parent()?.join(import)).filter(|path| path.is_file()),
    }
}

/// Bounds for a model loaded from a request of unknown origin.
const MAX_FILES: usize = 4096;
const MAX_SCOPES: usize = 16;
const MAX_FILE_SIZE: u64 = 16 << 20;
