//! A socket's place in the poller, and who reads the socket: the event loop's thread, or a thread that leads.
//!
//! The only `unsafe` here is `polling`'s demand that a socket outlives its place.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use polling::{Event, PollMode, Poller};

/// A socket that the event loop's thread watches. Dropping it ends the watch.
#[derive(Debug)]
pub(crate) struct Registration {
    poller: Arc<Poller>,
    socket: Arc<OwnedFd>,
    key: usize,
    /// Decisions are made and told to the poller under this lock, so that the last one told is the last one made.
    watch: Mutex<Watch>,
}

/// What is watched for.
#[derive(Debug)]
struct Watch {
    /// A thread reads the socket itself: the poller does not watch for bytes to read.
    led: bool,
    /// Bytes wait for the socket to take them.
    write: bool,
    removed: bool,
}

impl Registration {
    /// Prepares to watch for bytes to read. Nothing is watched before the first [`give_back`](Self::give_back): whoever takes
    /// the events must be there first, for an event that nobody takes comes again and again. Events carry the key.
    pub(crate) fn new(poller: &Arc<Poller>, socket: Arc<OwnedFd>, key: usize) -> io::Result<Self> {
        add(poller, &socket, Event::none(key))?;
        Ok(Self {
            poller: Arc::clone(poller),
            socket,
            key,
            watch: Mutex::new(Watch {
                led: true,
                write: false,
                removed: false,
            }),
        })
    }

    pub(crate) fn socket(&self) -> &Arc<OwnedFd> {
        &self.socket
    }

    /// Says whether bytes wait to be written.
    pub(crate) fn set_write(&self, write: bool) {
        let mut watch = self.watch();
        watch.write = write;
        self.apply(&watch);
    }

    /// Makes the calling thread the one that reads. False: another thread does, or the socket is not watched any more.
    pub(crate) fn lead(&self) -> bool {
        let mut watch = self.watch();
        if watch.led || watch.removed {
            return false;
        }
        watch.led = true;
        self.apply(&watch);
        true
    }

    /// Gives the socket back to the event loop's thread, which is woken if there is something to read.
    pub(crate) fn give_back(&self) {
        let mut watch = self.watch();
        watch.led = false;
        self.apply(&watch);
    }

    /// Ends the watch for good.
    pub(crate) fn remove(&self) {
        let mut watch = self.watch();
        if !watch.removed {
            watch.removed = true;
            // The socket is open and registered: nothing can fail that could be mended here.
            drop(self.poller.delete(&*self.socket));
        }
    }

    /// Tells the poller, which costs a system call.
    fn apply(&self, watch: &Watch) {
        if watch.removed {
            return;
        }
        let event = Event::new(self.key, !watch.led, watch.write);
        // The end of a connection is told even when nothing is asked for: once is enough while another thread reads.
        let mode = if watch.led && !watch.write {
            PollMode::Oneshot
        } else {
            PollMode::Level
        };
        let told = self.poller.modify_with_mode(&*self.socket, event, mode);
        if let Err(error) = told {
            // Only for a socket that is not registered, which `removed` excludes.
            tracing::error!(target: "ipc", "cannot watch a socket: {error}");
        }
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.remove();
    }
}

#[expect(
    unsafe_code,
    reason = "polling wants a promise that the socket is removed before it is closed"
)]
fn add(poller: &Poller, socket: &Arc<OwnedFd>, event: Event) -> io::Result<()> {
    // SAFETY: `Registration` owns a reference to the socket, and removes it from the poller before it lets go of it (`Drop`).
    unsafe { poller.add_with_mode(&**socket, event, PollMode::Oneshot) }
}
