//! The server: each object of the schema, as its comments say.

mod init;
mod objects;
mod reentrant;
mod threads;
mod values;

use std::io::{self, Write};
use std::sync::Arc;
use std::thread;

use multiprocess::{Error, EventLoop};

pub use self::init::Server;
use crate::conformance::Init;

/// Serves at an address, until the process is ended. Says so on standard output.
///
/// # Errors
///
/// [`Error::Address`] and [`Error::Io`] when it cannot be listened at.
pub fn serve(address: &str) -> Result<(), Error> {
    let event_loop = EventLoop::new(PROGRAM)?;
    let server: Arc<dyn Init> = Arc::new(Server);
    let _listener = multiprocess::listen(&event_loop, crate::address(address)?, server)?;
    let mut output = io::stdout().lock();
    writeln!(output, "listening on {address}")?;
    output.flush()?;
    drop(output);
    loop {
        // Others do the work.
        thread::park();
    }
}

/// The program's name in thread names.
const PROGRAM: &str = "conformance";
