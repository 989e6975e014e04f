//! Child processes with a connection to them.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use crate::{Error, EventLoop, Stream};

/// A child process. It is waited for as soon as it ends, whether this handle is still there or not.
#[derive(Clone, Debug)]
pub struct Process {
    shared: Arc<Shared>,
}

impl Process {
    /// The process's number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.shared.id
    }

    /// Adds how the process ended to an error, if that is what the error comes from: a disconnect, and the process has
    /// ended, or does within 700 milliseconds, because its socket closes a moment before it can be waited for.
    #[must_use]
    pub fn explain(&self, error: Error) -> Error {
        if !matches!(error, Error::Disconnected | Error::CalledAfterDisconnect) {
            return error;
        }
        match self.wait(Some(Instant::now() + ENDING)) {
            Ok(status) => Error::ProcessEnded {
                program: self.shared.program.clone(),
                status: status.to_string(),
                error: Box::new(error),
            },
            Err(_) => error,
        }
    }

    /// Waits until the process has ended.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] when the deadline passes; [`Error::Io`] when the system cannot tell;
    /// [`Error::WouldBlockEventLoop`] on the thread of an event loop.
    #[doc(alias = "WaitProcess")]
    pub fn wait(&self, deadline: Option<Instant>) -> Result<ExitStatus, Error> {
        EventLoop::may_block()?;
        let mut status = self
            .shared
            .status
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        loop {
            match &*status {
                Some(Ok(status)) => return Ok(*status),
                Some(Err(error)) => return Err(error.clone()),
                None => {}
            }
            let ended = &self.shared.ended;
            status = match deadline {
                None => ended.wait(status).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Err(Error::TimedOut);
                    }
                    let waited = ended.wait_timeout(status, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

#[derive(Debug)]
struct Shared {
    id: u32,
    /// The file's name.
    program: String,
    status: Mutex<Option<Result<ExitStatus, Error>>>,
    ended: Condvar,
}

/// Starts a program with one end of a socket pair. The number of its descriptor is added as the last argument. The child
/// inherits no other descriptor above standard error.
///
/// # Errors
///
/// [`Error::Io`], which names the program: it cannot be found, or not be run.
#[doc(alias = "SpawnProcess")]
pub fn spawn(mut command: Command) -> Result<(Process, Stream), Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |error: io::Error| Error::io(format!("cannot start {program}"), error);
    let (ours, theirs) = socketpair(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )
    .map_err(|error| failed(error.into()))?;
    let number = theirs.as_raw_fd();
    command.arg(number.to_string());
    inherit_only(&mut command, number);
    let mut child = command.spawn().map_err(failed)?;
    drop::<OwnedFd>(theirs);
    let shared = Arc::new(Shared {
        id: child.id(),
        program: file_name(&program),
        status: Mutex::default(),
        ended: Condvar::new(),
    });
    let waiter = Arc::clone(&shared);
    let name = format!("wait {program}");
    thread::Builder::new()
        .name(name.clone())
        .spawn(move || {
            let status = child.wait().map_err(|error| Error::io(name, error));
            *waiter.status.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
            waiter.ended.notify_all();
        })
        .map_err(failed)?;
    Ok((Process { shared }, ours.into()))
}

#[expect(
    unsafe_code,
    reason = "code between fork and exec may only make system calls"
)]
fn inherit_only(command: &mut Command, descriptor: RawFd) {
    let prepare = move || {
        // SAFETY: two system calls on numbers, with no memory involved. Descriptors are marked, not closed, because the
        // standard library reports a failed exec through one of its own. Before Linux 5.11 this fails, and only the
        // descriptors that Rust's own library did not open are inherited.
        unsafe {
            libc::syscall(
                libc::SYS_close_range,
                3,
                libc::c_uint::MAX,
                CLOSE_RANGE_CLOEXEC,
            )
        };
        // SAFETY: as above.
        if unsafe { libc::fcntl(descriptor, libc::F_SETFD, 0) } == -1 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    };
    // SAFETY: the closure allocates nothing, takes no lock and touches no memory that another thread may have been changing.
    unsafe { command.pre_exec(prepare) };
}

fn file_name(program: &str) -> String {
    let name = Path::new(program).file_name();
    name.map_or_else(
        || program.to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// How long a process may take to end after it closed its socket, to be the reason of an error.
const ENDING: Duration = Duration::from_millis(700);

/// Marks descriptors "close on exec" instead of closing them.
const CLOSE_RANGE_CLOEXEC: libc::c_uint = 4;
