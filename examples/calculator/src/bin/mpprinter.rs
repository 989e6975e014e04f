//! Prints for other processes.

use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    calculator::serve_parent("mpprinter", Arc::new(calculator::local::PrinterInit))
}
