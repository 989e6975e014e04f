//! A socket's place in the poller. The only `unsafe` here is `polling`'s demand that a socket outlives its place.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use polling::{Event, PollMode, Poller};

/// A socket that the event loop's thread watches. Dropping it ends the watch.
#[derive(Debug)]
pub(crate) struct Registration {
    poller: Arc<Poller>,
    socket: Arc<OwnedFd>,
    key: usize,
    interest: Mutex<Option<Interest>>,
}

/// What to watch for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interest {
    pub(crate) read: bool,
    pub(crate) write: bool,
}

impl Registration {
    /// Starts to watch for bytes to read. Events carry the key.
    pub(crate) fn new(poller: &Arc<Poller>, socket: Arc<OwnedFd>, key: usize) -> io::Result<Self> {
        let interest = Interest {
            read: true,
            write: false,
        };
        add(poller, &socket, interest.event(key))?;
        Ok(Self {
            poller: Arc::clone(poller),
            socket,
            key,
            interest: Mutex::new(Some(interest)),
        })
    }

    /// Changes what is watched for: a system call if it is not so already.
    pub(crate) fn set(&self, interest: Interest) {
        let mut current = self.interest.lock().unwrap_or_else(PoisonError::into_inner);
        if current.is_some_and(|current| current != interest) {
            // Fails only for a socket that is not registered, which `None` excludes.
            let changed = self.poller.modify_with_mode(
                &*self.socket,
                interest.event(self.key),
                PollMode::Level,
            );
            if changed.is_ok() {
                *current = Some(interest);
            }
        }
    }

    /// Ends the watch for good.
    pub(crate) fn remove(&self) {
        let mut current = self.interest.lock().unwrap_or_else(PoisonError::into_inner);
        if current.take().is_some() {
            // The socket is open and registered: nothing can fail that could be mended here.
            drop(self.poller.delete(&*self.socket));
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.remove();
    }
}

impl Interest {
    fn event(self, key: usize) -> Event {
        Event::new(key, self.read, self.write)
    }
}

#[expect(
    unsafe_code,
    reason = "polling wants a promise that the socket is removed before it is closed"
)]
fn add(poller: &Poller, socket: &Arc<OwnedFd>, event: Event) -> io::Result<()> {
    // SAFETY: `Registration` owns a reference to the socket, and removes it from the poller before it lets go of it (`Drop`).
    unsafe { poller.add_with_mode(&**socket, event, PollMode::Level) }
}
