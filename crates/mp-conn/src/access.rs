//! Who may connect: the socket's file and its mode, and the user at the other end.

use std::fs::{self, DirBuilder, Metadata, Permissions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use crate::Error;
use crate::address::check_path;

/// Which processes are accepted at the other end of a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Peers {
    /// Processes with the effective user of this one. A socket that does not tell, such as TCP, is refused.
    #[default]
    SameUser,
    /// Whoever can reach the socket.
    Any,
}

impl Peers {
    /// Looks at the user at the other end.
    pub(crate) fn check(self, peer: Peer) -> Result<Peer, Error> {
        match (self, peer.uid) {
            (Self::SameUser, Some(uid)) if uid == rustix::process::geteuid().as_raw() => Ok(peer),
            (Self::SameUser, Some(uid)) => Err(refused(format!("peer of user {uid} refused"))),
            (Self::SameUser, None) => Err(refused("peer of unknown user refused".to_owned())),
            (Self::Any, _) => Ok(peer),
        }
    }
}

/// The process at the other end of a socket, as it was when it connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peer {
    /// Its effective user. `None`: the socket is not a Unix socket.
    pub uid: Option<u32>,
    /// Its effective group.
    pub gid: Option<u32>,
    /// Its number. `None`: not known, or of another process namespace. It may have been given to another process since.
    pub pid: Option<u32>,
}

impl Peer {
    pub(crate) fn of(socket: BorrowedFd<'_>) -> Self {
        if net::sockopt::socket_domain(socket) != Ok(AddressFamily::UNIX) {
            return Self::default();
        }
        match credentials(socket) {
            Ok(credentials) => Self {
                uid: Some(credentials.uid),
                gid: Some(credentials.gid),
                pid: u32::try_from(credentials.pid).ok().filter(|pid| *pid != 0),
            },
            Err(_) => Self::default(),
        }
    }
}

/// The file of a socket that this process listens on. It is removed on drop if it is still the same file.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl SocketFile {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn new(path: &Path) -> Result<(Self, Metadata), Error> {
        let metadata = fs::symlink_metadata(path).map_err(|error| cannot_listen(path, error))?;
        let file = Self {
            path: path.to_owned(),
            device: metadata.dev(),
            inode: metadata.ino(),
        };
        Ok((file, metadata))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if is_file(&self.path, self.device, self.inode) {
            // Gone already, or not to be removed: the next who listens there replaces it.
            fs::remove_file(&self.path).ok();
        }
    }
}

/// Makes a listening socket. Directories that are missing are made for this user only; a socket that nobody listens on is
/// replaced, and nothing else is.
///
/// Two processes that replace the same stale socket at the same moment can both succeed, and the later one wins.
pub(crate) fn bind(path: &Path, mode: u32) -> Result<(OwnedFd, SocketFile), Error> {
    check_path(path)?;
    if let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(parent);
        made.map_err(|error| {
            Error::io(
                format!("cannot create directory {}", parent.display()),
                error,
            )
        })?;
    }
    remove_stale(path)?;
    let failed = |error: Errno| cannot_listen(path, error);
    let socket = stream_socket(SocketFlags::empty()).map_err(failed)?;
    // The file gets the socket's own mode less the umask: it is never open to more users than it is to be.
    let wanted = Mode::from_raw_mode(mode & 0o777);
    rustix::fs::fchmod(&socket, wanted).map_err(failed)?;
    net::bind(&socket, &SocketAddrUnix::new(path).map_err(failed)?).map_err(failed)?;
    let (file, metadata) = SocketFile::new(path)?;
    if metadata.permissions().mode() & 0o777 != wanted.bits() {
        // The umask took away more than was wanted, or the file system ignores sockets' modes. Nobody has connected meanwhile:
        // that takes a socket that listens.
        fs::set_permissions(path, Permissions::from_mode(wanted.bits()))
            .map_err(|error| cannot_listen(path, error))?;
    }
    net::listen(&socket, BACKLOG).map_err(failed)?;
    Ok((socket, file))
}

/// Removes a socket that nobody listens on.
fn remove_stale(path: &Path) -> Result<(), Error> {
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(cannot_listen(path, error)),
        Ok(metadata) => metadata,
    };
    let kind = metadata.file_type();
    if !kind.is_socket() {
        let what = if kind.is_symlink() {
            "a symbolic link"
        } else if kind.is_dir() {
            "a directory"
        } else {
            "a file that is not a socket"
        };
        return Err(Error::Address(format!(
            "cannot listen at {}: {what} is there, and is not replaced",
            path.display()
        )));
    }
    match probe(path) {
        // Nobody listens: what a process that was killed left behind.
        Err(Errno::CONNREFUSED) => {}
        Err(Errno::NOENT) => return Ok(()),
        // Somebody answers, or would if so many did not wait already.
        Ok(()) | Err(Errno::AGAIN) => return Err(cannot_listen(path, Errno::ADDRINUSE)),
        Err(error) => return Err(cannot_listen(path, error)),
    }
    if is_file(path, metadata.dev(), metadata.ino()) {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(cannot_listen(path, error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Connects without waiting, and hangs up.
fn probe(path: &Path) -> Result<(), Errno> {
    let socket = stream_socket(SocketFlags::NONBLOCK)?;
    net::connect(&socket, &SocketAddrUnix::new(path)?)
}

fn stream_socket(flags: SocketFlags) -> Result<OwnedFd, Errno> {
    net::socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC | flags,
        None,
    )
}

fn is_file(path: &Path, device: u64, inode: u64) -> bool {
    fs::symlink_metadata(path).is_ok_and(|now| (now.dev(), now.ino()) == (device, inode))
}

fn cannot_listen(path: &Path, error: impl Into<io::Error>) -> Error {
    Error::io(format!("cannot listen at {}", path.display()), error)
}

fn refused(text: String) -> Error {
    Error::io(text, io::ErrorKind::PermissionDenied)
}

#[expect(
    unsafe_code,
    reason = "rustix's type has no value for a peer of another process namespace, whose number is 0"
)]
fn credentials(socket: BorrowedFd<'_>) -> io::Result<libc::ucred> {
    let mut credentials = libc::ucred {
        pid: 0,
        uid: libc::uid_t::MAX,
        gid: libc::gid_t::MAX,
    };
    let mut size = CREDENTIALS_SIZE;
    // SAFETY: the descriptor is open, and the pointers are to two variables of the sizes that the call expects.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut credentials).cast(),
            &raw mut size,
        )
    };
    if result == -1 || size != CREDENTIALS_SIZE {
        return Err(io::Error::last_os_error());
    }
    Ok(credentials)
}

const CREDENTIALS_SIZE: libc::socklen_t = size_of::<libc::ucred>() as libc::socklen_t;
/// Clients that may wait to be accepted. The system has a bound of its own.
const BACKLOG: i32 = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_told_apart_by_their_user() {
        let of = |uid| Peer {
            uid,
            ..Peer::default()
        };
        let own = rustix::process::geteuid().as_raw();
        let refused = |uid| Peers::SameUser.check(of(uid)).unwrap_err().to_string();
        assert_eq!(
            refused(Some(own + 1)),
            format!("peer of user {} refused: permission denied", own + 1)
        );
        assert_eq!(
            refused(None),
            "peer of unknown user refused: permission denied"
        );
        assert_eq!(Peers::SameUser.check(of(Some(own))).unwrap(), of(Some(own)));
        for uid in [None, Some(own), Some(own + 1)] {
            assert_eq!(Peers::Any.check(of(uid)).unwrap(), of(uid));
        }
    }
}
