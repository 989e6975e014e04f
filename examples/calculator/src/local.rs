//! The objects themselves, without a word about processes.

use std::io::Write;
use std::sync::Arc;

use multiprocess::Error;

use crate::{Calculator, Init, Printer};

/// Makes printers.
#[derive(Clone, Copy, Debug, Default)]
pub struct PrinterInit;

impl Init for PrinterInit {
    fn make_calculator(&self, _print: Arc<dyn Printer>) -> Result<Arc<dyn Calculator>, Error> {
        Err(Error::failed("this process makes printers"))
    }

    fn make_printer(&self) -> Result<Arc<dyn Printer>, Error> {
        Ok(Arc::new(StdoutPrinter))
    }
}

/// Makes calculators.
#[derive(Clone, Copy, Debug, Default)]
pub struct CalculatorInit;

impl Init for CalculatorInit {
    fn make_calculator(&self, print: Arc<dyn Printer>) -> Result<Arc<dyn Calculator>, Error> {
        Ok(Arc::new(ToughCalculator { printer: print }))
    }

    fn make_printer(&self) -> Result<Arc<dyn Printer>, Error> {
        Err(Error::failed("this process makes calculators"))
    }
}

/// Prints on its process's standard output.
struct StdoutPrinter;

impl Printer for StdoutPrinter {
    fn print(&self, text: &str) -> Result<(), Error> {
        let mut output = std::io::stdout().lock();
        writeln!(output, "mpprinter: {text}")?;
        Ok(output.flush()?)
    }
}

/// Finds each equation hard, and says so through its printer.
struct ToughCalculator {
    printer: Arc<dyn Printer>,
}

impl Calculator for ToughCalculator {
    fn solve_equation(&self, eqn: &str) -> Result<(), Error> {
        self.printer
            .print(&format!("Wow {eqn}, that's a tough one.\n"))
    }
}
