//! The socket between a client and its server.

use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use crate::process::Pid;
use crate::{Error, print};

/// Listens at a path, in place of what was left there, and says so on standard output.
///
/// # Errors
///
/// Those of the system.
pub fn listen(path: &Path) -> Result<UnixListener, Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    print::line(&format!("listening on unix:{}", path.display()));
    Ok(listener)
}

/// Connects, and tells who serves.
///
/// # Errors
///
/// Those of the system.
pub fn connect(path: &Path) -> Result<(UnixStream, Pid), Error> {
    let stream =
        UnixStream::connect(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let peer = rustix::net::sockopt::socket_peercred(&stream)?.pid;
    Ok((stream, Pid::of(peer)))
}
