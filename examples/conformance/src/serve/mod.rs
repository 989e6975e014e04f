//! The server: each object of the schema, as its comments say.

mod init;
mod objects;
mod reentrant;
mod threads;
mod values;

use std::io::{self, Write};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;

use multiprocess::{Error, EventLoop};

pub use self::init::Server;
use crate::conformance::Init;

/// Serves at a path, until the process is ended. Says so on standard output.
///
/// # Errors
///
/// [`Error::Io`] when the path cannot be listened at.
pub fn serve(path: &Path) -> Result<(), Error> {
    let event_loop = EventLoop::new(PROGRAM)?;
    let listener = listen(path)
        .map_err(|error| Error::io(format!("cannot listen at {}", path.display()), error))?;
    let mut output = io::stdout().lock();
    writeln!(output, "listening on unix:{}", path.display())?;
    output.flush()?;
    drop(output);
    loop {
        let (stream, _) = listener
            .accept()
            .map_err(|error| Error::io("cannot accept a connection", error))?;
        let init: Arc<dyn Init> = Arc::new(Server);
        multiprocess::serve(&event_loop, stream, init)?;
    }
}

/// A listening socket, in the place of one that an earlier server left.
fn listen(path: &Path) -> io::Result<UnixListener> {
    if std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
        std::fs::remove_file(path)?;
    }
    UnixListener::bind(path)
}

/// The program's name in thread names.
const PROGRAM: &str = "conformance";
