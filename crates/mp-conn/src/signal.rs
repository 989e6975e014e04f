//! What interrupts a thread that waits for something in the kernel.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{EventfdFlags, eventfd};

/// What another thread uses to end the wait of a leader, or of an event loop: it can be read from when it was given.
#[derive(Debug)]
pub struct Signal {
    descriptor: OwnedFd,
}

impl Signal {
    /// A signal that was not given.
    ///
    /// # Errors
    ///
    /// When the process has too many descriptors.
    pub fn new() -> io::Result<Self> {
        let descriptor = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { descriptor })
    }

    /// Ends the wait that is under way, or the next one.
    pub fn give(&self) {
        // Fails only when the counter is full, and then the wait ends anyway.
        rustix::io::write(self.as_fd(), &1_u64.to_ne_bytes()).ok();
    }

    /// Says that the wait has ended.
    pub(crate) fn clear(&self) {
        let mut count = [0; 8];
        // Fails only when there is nothing to clear.
        rustix::io::read(self.as_fd(), &mut count).ok();
    }
}

impl AsFd for Signal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}
