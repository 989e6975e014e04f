//! A calculator in three processes: what the three programs share.

#![forbid(unsafe_code)]

pub mod debug;
pub mod local;

multiprocess::include_proxies!();

pub use self::calculator::{Calculator, CalculatorClient};
pub use self::debug::init_logging;
pub use self::init::{Init, InitClient};
pub use self::printer::{Printer, PrinterClient};

use std::process::ExitCode;
use std::sync::Arc;

use multiprocess::{Error, EventLoop, Stream};

/// The main function of a program that serves an object to the process that started it, which passes the number of the
/// socket's descriptor as the one argument. Ends when that process closes the connection.
pub fn serve_parent(name: &str, object: Arc<dyn Init>) -> ExitCode {
    init_logging(false);
    let served = || -> Result<(), Error> {
        let mut arguments = std::env::args().skip(1);
        let given = (arguments.next().map(|text| text.parse()), arguments.next());
        let (Some(Ok(descriptor)), None) = given else {
            return Err(Error::failed(format!("usage: {name} <fd>")));
        };
        let event_loop = EventLoop::new(name)?;
        let stream = Stream::inherited(descriptor)?;
        multiprocess::serve(&event_loop, stream, object)?.wait_closed(None)
    };
    match served() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(name, &error);
            ExitCode::FAILURE
        }
    }
}

/// Says on standard error what went wrong, in one piece: other processes write there, too.
#[expect(
    clippy::print_stderr,
    reason = "the programs' one place for error messages"
)]
pub fn report(name: &str, error: &impl std::fmt::Display) {
    let line = format!("{name}: {error}\n");
    eprint!("{line}");
}
