//! A socket's place in the poller.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::poller::Poller;
use super::reading::{Interest, Reading, Watcher};
use crate::Error;

/// A socket that the event loop's thread watches. Dropping it ends the watch.
#[derive(Debug)]
pub(crate) struct Registration {
    reading: Reading<Place>,
}

/// A socket in the poller.
#[derive(Debug)]
struct Place {
    poller: Arc<Poller>,
    socket: Arc<OwnedFd>,
    key: usize,
}

impl Registration {
    /// Prepares to watch for bytes to read. Nothing is watched before the [start](Self::start): whoever takes the events must
    /// be there first, for an event that nobody takes comes again and again. Events carry the key.
    pub(crate) fn new(poller: &Arc<Poller>, socket: Arc<OwnedFd>, key: usize) -> Self {
        Self {
            reading: Reading::new(Place {
                poller: Arc::clone(poller),
                socket,
                key,
            }),
        }
    }

    /// Watches.
    pub(crate) fn start(&self) -> Result<(), Error> {
        let started = self.reading.start();
        started.map_err(|error| Error::io("cannot watch a socket", error))
    }

    pub(crate) fn socket(&self) -> &Arc<OwnedFd> {
        &self.reading.watcher().socket
    }

    /// Says whether bytes wait to be written.
    pub(crate) fn set_write(&self, write: bool) {
        self.reading.set_write(write);
    }

    /// Makes the calling thread the one that reads. False: another thread does, or the socket is not watched any more.
    pub(crate) fn lead(&self) -> bool {
        self.reading.lead()
    }

    /// Gives the socket back to the event loop's thread, which is woken if there is something to read.
    pub(crate) fn give_back(&self) {
        self.reading.give_back();
    }

    /// Ends the watch for good.
    pub(crate) fn remove(&self) {
        self.reading.remove();
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.remove();
    }
}

impl Watcher for Place {
    fn start(&self, interest: Interest) -> io::Result<()> {
        self.poller.add(&self.socket, self.key, interest)
    }

    /// Tells the poller, which costs a system call.
    fn watch(&self, interest: Interest) {
        if let Err(error) = self.poller.watch(&self.socket, self.key, interest) {
            // Only for a socket that is not registered, and nobody asks for that.
            tracing::error!(target: "ipc", "cannot watch a socket: {error}");
        }
    }

    fn forget(&self) {
        // The socket is open and registered: nothing can fail that could be mended here.
        drop(self.poller.forget(&self.socket));
    }
}
