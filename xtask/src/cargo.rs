//! Commands of cargo's own, run in the project's root.

use std::env;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

/// The project's root directory.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// `rustc ARGS`: the compiler that cargo uses.
pub(crate) fn rustc<I>(args: I) -> Command
where
    I: IntoIterator<Item: AsRef<OsStr>>,
{
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(rustc);
    command.args(args);
    command
}

/// `cargo ARGS` in the project's root: the same cargo that runs this program.
pub(crate) fn command<I>(args: I) -> Command
where
    I: IntoIterator<Item: AsRef<OsStr>>,
{
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root()).args(args);
    command
}
