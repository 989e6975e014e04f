//! Takes a printer from one process, gives it to a calculator in another, and solves the equations that it reads.

use std::io::{BufRead, Write};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Instant;

use calculator::debug::DEBUG_VARIABLE;
use calculator::local::{CalculatorInit, PrinterInit};
use calculator::{Init, init_logging, report};
use multiprocess::{Error, EventLoop, Process};

fn main() -> ExitCode {
    let mut debug = false;
    let mut in_process = false;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--debug=ipc" => debug = true,
            "--in-process" => in_process = true,
            _ => {
                report("usage", &"mpexample [--debug=ipc] [--in-process]");
                return ExitCode::FAILURE;
            }
        }
    }
    init_logging(debug);
    let result = if in_process {
        run(Arc::new(PrinterInit), Arc::new(CalculatorInit)).and_then(|()| say("Bye!\n"))
    } else {
        run_in_processes(debug)
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report("mpexample", &error);
            ExitCode::FAILURE
        }
    }
}

/// The same with the printer and the calculator in processes of their own.
fn run_in_processes(debug: bool) -> Result<(), Error> {
    let event_loop = EventLoop::new("mpexample")?;
    let (printer, printer_process) = spawn(&event_loop, "mpprinter", debug)?;
    let (calculator, calculator_process) = spawn(&event_loop, "mpcalculator", debug)?;
    // Kept, so that a child that is gone when the program fails is the reason and not the consequence.
    let clients = (Arc::clone(&printer), Arc::clone(&calculator));
    let result = run(printer, calculator);
    let children = [
        ("mpcalculator", &calculator_process),
        ("mpprinter", &printer_process),
    ];
    if let Err(error) = result {
        let error = calculator_process.explain(error);
        // The calculator passes on that its printer is gone, as the failure of its own method.
        return Err(match printer_process.wait(Some(Instant::now())) {
            Ok(status) => Error::failed(format!("{error} (mpprinter ended with {status})")),
            Err(_) => error,
        });
    }
    drop(clients);
    for (name, process) in children {
        let status = process.wait(None)?;
        if !status.success() {
            return Err(Error::failed(format!("{name} ended with {status}")));
        }
    }
    say("Bye!\n")
}

/// What the program is about: it cannot tell, and does not care, where the two objects live.
fn run(printer_init: Arc<dyn Init>, calculator_init: Arc<dyn Init>) -> Result<(), Error> {
    let calculator = calculator_init.make_calculator(printer_init.make_printer()?)?;
    let mut lines = std::io::stdin().lock().lines();
    loop {
        say("Enter the equation, or \"exit\" to quit: ")?;
        match lines.next().transpose()? {
            Some(equation) if equation != "exit" => calculator.solve_equation(&equation)?,
            _ => return Ok(()),
        }
    }
}

/// Starts a program that lies beside this one.
fn spawn(
    event_loop: &EventLoop,
    name: &str,
    debug: bool,
) -> Result<(Arc<dyn Init>, Process), Error> {
    let mut command = Command::new(std::env::current_exe()?.with_file_name(name));
    if debug {
        command.env(DEBUG_VARIABLE, "ipc");
    }
    let (client, process) = multiprocess::spawn::<dyn Init>(event_loop, command)?;
    Ok((Arc::new(client), process))
}

fn say(text: &str) -> Result<(), Error> {
    let mut output = std::io::stdout().lock();
    output.write_all(text.as_bytes())?;
    Ok(output.flush()?)
}
