//! Generated files, written only once everything is generated, and only where they differ from what is there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::Error;

/// The files to write, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Output(BTreeMap<String, String>);

impl Output {
    /// Adds a file.
    pub(crate) fn add(&mut self, name: String, text: String) {
        self.0.insert(name, text);
    }

    /// Writes all files into a directory, which is made if it is not there.
    pub(crate) fn write(&self, directory: &Path) -> Result<(), Error> {
        fs::create_dir_all(directory)
            .map_err(Error::io(format!("cannot make {}", directory.display())))?;
        for (name, text) in &self.0 {
            let path = directory.join(name);
            // A file that did not change keeps its time, so that nothing is built again because of it.
            if fs::read(&path).is_ok_and(|old| old == text.as_bytes()) {
                continue;
            }
            fs::write(&path, text)
                .map_err(Error::io(format!("cannot write {}", path.display())))?;
        }
        Ok(())
    }
}
