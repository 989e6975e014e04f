//! Calculates for other processes.

use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    calculator::serve_parent("mpcalculator", Arc::new(calculator::local::CalculatorInit))
}
