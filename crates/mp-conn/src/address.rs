//! Addresses as programs take them on their command lines: `unix`, `unix:`, `unix:path`.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::access::Peers;
use crate::{Error, Stream};

/// Where a process listens: the path of a Unix socket.
///
/// The text forms are those of Bitcoin Core's `-ipcbind` and `-ipcconnect`. [`Display`](fmt::Display) prints `unix:` and the path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    path: PathBuf,
}

impl Address {
    /// Reads an address. `unix` and `unix:` mean `<name>.sock` in the base directory; `unix:path` means that path, taken
    /// relative to the base directory unless it is absolute.
    ///
    /// # Errors
    ///
    /// [`Error::Address`]: `Unrecognized address '…'`, or a path that is too long for a socket.
    pub fn parse(text: &str, base: impl AsRef<Path>, name: &str) -> Result<Self, Error> {
        let base = base.as_ref();
        let path = match text.strip_prefix("unix") {
            Some("" | ":") => base.join(format!("{name}.sock")),
            Some(rest) if rest.starts_with(':') => base.join(&rest[1..]),
            _ => return Err(Error::Address(format!("Unrecognized address '{text}'"))),
        };
        Self::unix(path)
    }

    /// The address of a Unix socket.
    ///
    /// # Errors
    ///
    /// [`Error::Address`] for a path that is empty, holds a zero byte, or is too long for a socket.
    pub fn unix(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        check_path(&path)?;
        Ok(Self { path })
    }

    /// The socket's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Connects, if the process that listens is one of those.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], which names the path; of kind "permission denied" when another user's process listens.
    pub fn connect(&self, peers: Peers) -> Result<Stream, Error> {
        let stream = Stream::unix(&self.path)?;
        stream.require(peers)?;
        Ok(stream)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unix:{}", self.path.display())
    }
}

/// Refuses paths that no socket can have.
pub(crate) fn check_path(path: &Path) -> Result<(), Error> {
    let bytes = OsStr::as_bytes(path.as_os_str());
    if bytes.is_empty() {
        return Err(Error::Address("Unix address path is empty".to_owned()));
    }
    if bytes.contains(&0) {
        return Err(Error::Address(format!(
            "Unix address path \"{}\" holds a zero byte",
            path.display()
        )));
    }
    if bytes.len() > MAX_PATH {
        return Err(Error::Address(format!(
            "Unix address path \"{}\" exceeded maximum socket path length",
            path.display()
        )));
    }
    Ok(())
}

/// The size of `sockaddr_un.sun_path`, less the zero at its end.
const MAX_PATH: usize = 107;
