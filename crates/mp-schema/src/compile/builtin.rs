//! Schema files that every schema may import without having them: put into a temporary directory for the compiler.

use std::path::Path;

use tempfile::TempDir;

use crate::Error;

/// The directory with the built-in files. Removed on drop.
#[derive(Debug)]
pub(crate) struct Builtin(TempDir);

impl Builtin {
    pub(crate) fn new() -> Result<Self, Error> {
        let io = |what: &str| {
            let what = what.to_owned();
            move |source| Error::Io { what, source }
        };
        let dir =
            TempDir::with_prefix("mp-schema-").map_err(io("cannot make a temporary directory"))?;
        for (name, text) in FILES {
            let path = dir.path().join(name);
            let write = || {
                path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
                std::fs::write(&path, text)
            };
            write().map_err(io(&format!("cannot write {}", path.display())))?;
        }
        Ok(Self(dir))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

const FILES: &[(&str, &str)] = &[
    (
        "mp/proxy.capnp",
        include_str!("../../schema/mp/proxy.capnp"),
    ),
    (
        "capnp/c++.capnp",
        include_str!("../../schema/capnp/c++.capnp"),
    ),
    (
        "capnp/rust.capnp",
        include_str!("../../schema/capnp/rust.capnp"),
    ),
    (
        "capnp/stream.capnp",
        include_str!("../../schema/capnp/stream.capnp"),
    ),
];
