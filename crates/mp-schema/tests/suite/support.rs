//! What the tests share: schemas on disk, and the compilers to try.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Once};

use mp_schema::{Compiler, Loader, Schema};

/// All compilers of this machine: the embedded one, and the `capnp` tool where it is installed.
pub(crate) fn compilers() -> Vec<Compiler> {
    let embedded = cfg!(feature = "embedded").then_some(Compiler::Embedded);
    let tool = tool().map(Compiler::Tool);
    if tool.is_none() {
        skipped(
            "no `capnp` tool on PATH or in $CAPNP, only the embedded schema compiler is tested",
        );
    }
    embedded.into_iter().chain(tool).collect()
}

/// Says so once, past the test harness, which hides what passing tests print.
fn skipped(why: &str) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        writeln!(std::io::stderr(), "SKIPPED: {why}").expect("standard error is open");
    });
}

/// The models of the conformance suite's schema from all compilers.
pub(crate) static CONFORMANCE: LazyLock<Vec<Schema>> = LazyLock::new(|| {
    let loader = Loader::new()
        .src_prefix("tests/schema")
        .file("tests/schema/conformance.capnp");
    let load = |compiler| {
        loader
            .clone()
            .compiler(compiler)
            .load()
            .expect("the schema is right")
    };
    compilers().into_iter().map(load).collect()
});

/// `$CAPNP`, else `capnp` on `PATH`.
fn tool() -> Option<PathBuf> {
    let on_path = || {
        std::env::split_paths(&std::env::var_os("PATH")?)
            .map(|dir| dir.join("capnp"))
            .find(|file| file.is_file())
    };
    std::env::var_os("CAPNP")
        .filter(|tool| !tool.is_empty())
        .map(PathBuf::from)
        .or_else(on_path)
}

/// A directory with schema files, by name and text. Removed on drop.
pub(crate) struct Files(tempfile::TempDir);

impl Files {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap_or(&path)).expect("it is our directory");
            std::fs::write(path, text).expect("it is our directory");
        }
        Self(dir)
    }

    pub(crate) fn dir(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Loads the named files; the errors as text, with paths relative to the directory.
    pub(crate) fn load(&self, compiler: Compiler, names: &[&str]) -> Result<Schema, String> {
        let loader = names
            .iter()
            .fold(Loader::new().compiler(compiler), |loader, name| {
                loader.file(self.path(name))
            });
        loader.load().map_err(|error| {
            error
                .to_string()
                .replace(&format!("{}/", self.dir().display()), "")
        })
    }

    /// The errors of the named files without the help, one in a line.
    pub(crate) fn errors(&self, compiler: Compiler, names: &[&str]) -> Vec<String> {
        let text = self
            .load(compiler, names)
            .expect_err("the files have errors");
        text.lines()
            .filter(|line| !line.starts_with("  help: "))
            .map(str::to_owned)
            .collect()
    }
}
