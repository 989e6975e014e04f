//! `conformance serve unix:PATH` serves the suite; `conformance check unix:PATH` checks whoever serves it there.

use std::io;
use std::process::ExitCode;

use conformance::{check, serve};
use multiprocess::Error;
use tracing::level_filters::LevelFilter;

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let debug = arguments
        .iter()
        .position(|argument| argument == "--debug=ipc");
    if let Some(index) = debug {
        arguments.remove(index);
    }
    init_logging(debug.is_some());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["serve", address] => serve::serve(address).map(|()| true),
        ["check", address] => check::check(address, ""),
        ["check", address, part] => check::check(address, part),
        _ => Err(Error::failed(USAGE)),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

/// Shows what the library logs on standard error, or nothing: many cases are about failures, which the log would report.
fn init_logging(debug: bool) {
    tracing_subscriber::fmt()
        .with_max_level(if debug {
            LevelFilter::TRACE
        } else {
            LevelFilter::OFF
        })
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_level(false)
        .without_time()
        .init();
}

#[expect(
    clippy::print_stderr,
    reason = "the program's one place for error messages"
)]
fn report(error: &Error) {
    eprintln!("conformance: {error}");
}

const USAGE: &str = "usage: conformance [--debug=ipc] serve unix:PATH
       conformance [--debug=ipc] check unix:PATH [part of the names of the cases to run]";
