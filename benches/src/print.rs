//! What the programs print: a line for each result, its words separated by spaces.
//!
//! | line | meaning |
//! |---|---|
//! | `R <metric> <median> <ns\|calls/s>` | the time of a call, or how many in a second |
//! | `U <metric> <client> <server>` | context switches a call, in each process |
//! | `M <metric> <client> <server>` | resident bytes for each thread, connection or object, in each process |

use std::process::ExitCode;

use crate::Error;
use crate::args::Metric;

/// Prints a result's value with its unit.
pub fn result(metric: Metric, value: f64, unit: &str) {
    line(&format!("R {metric} {value:.0} {unit}"));
}

/// Prints the context switches a call.
pub fn switches(metric: Metric, client: f64, server: f64) {
    line(&format!("U {metric} {client:.3} {server:.3}"));
}

/// Prints the memory of one of the things that the metric counts.
pub fn memory(metric: Metric, client: f64, server: f64) {
    line(&format!("M {metric} {client:.0} {server:.0}"));
}

/// Prints a line at once, for a reader that waits for it.
#[expect(clippy::print_stdout, reason = "a result is what is printed")]
pub fn line(text: &str) {
    println!("{text}");
}

/// Ends a program: says why it failed, if it did.
#[expect(
    clippy::print_stderr,
    reason = "a program on a command line has no log"
)]
#[must_use]
pub fn exit(result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
