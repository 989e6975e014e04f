//! `--debug=ipc`: requests and responses on standard error.

use std::io;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt;

/// Shows what the library logs: everything if asked to, or if the environment says so as it does in the processes that a
/// debugged program starts; else warnings and errors.
pub fn init_logging(debug: bool) {
    let debug = debug || std::env::var_os(DEBUG_VARIABLE).is_some_and(|value| value == "ipc");
    let level = if debug {
        LevelFilter::TRACE
    } else {
        LevelFilter::WARN
    };
    fmt()
        .with_max_level(level)
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_level(false)
        .without_time()
        .init();
}

/// Set to `ipc` for the processes that a debugged program starts.
pub const DEBUG_VARIABLE: &str = "MP_DEBUG";
