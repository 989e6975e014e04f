//! A package of its own in a temporary directory, which depends on this library by its path.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which fail by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// The package. It goes with this value.
pub(crate) struct Package(TempDir);

impl Package {
    /// A package with a manifest, and nothing else yet. It has the workspace's versions of dependencies, and its target
    /// directory, so that little is built twice.
    pub(crate) fn new(name: &str) -> Self {
        let package = Self(tempfile::tempdir().unwrap());
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let crates = workspace.join("crates").canonicalize().unwrap();
        package.write(
            "Cargo.toml",
            &format!(
                "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
                 [workspace]\n\
                 [profile.dev]\ndebug = \"line-tables-only\"\n\
                 [profile.dev.build-override]\nopt-level = 1\n\
                 [dependencies]\nmultiprocess = {{ path = \"{0}/multiprocess\" }}\n\
                 [build-dependencies]\nmp-gen = {{ path = \"{0}/mp-gen\" }}\n",
                crates.display()
            ),
        );
        fs::copy(workspace.join("Cargo.lock"), package.path("Cargo.lock")).unwrap();
        package
    }

    /// Adds a file.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Has clippy check it; a warning is a failure, and so is taking too long.
    pub(crate) fn check(&self) {
        let longest = 20 * patience::deadline();
        let output = Command::new("timeout")
            .args([&longest.as_secs().to_string(), env!("CARGO")])
            .args(["clippy", "--quiet", "--offline", "--", "--deny", "warnings"])
            .current_dir(&self.0)
            .env("CARGO_TARGET_DIR", target_directory())
            // What cargo says of the package that is tested is not for this one.
            .env_remove("CARGO_MANIFEST_DIR")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let (code, status) = (output.status.code(), output.status);
        assert_ne!(
            code,
            Some(TIMED_OUT),
            "clippy takes longer than {longest:?}"
        );
        assert!(status.success() && said.trim().is_empty(), "{said}");
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }
}

/// Where the test that runs was built: `target` in `target/debug/deps/TEST`.
fn target_directory() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(3).unwrap().to_owned()
}

/// The exit status of the command `timeout` when the time was over.
const TIMED_OUT: i32 = 124;
