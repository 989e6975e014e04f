//! Whether a thread that called a peer comes to run what the peer sends to it. Modelled in `tests/loom.rs`.

#[cfg(loom)]
use loom::sync::atomic::{AtomicU8, Ordering};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicU8, Ordering};

/// Sees to it that a job in a thread's queue is noticed that may run elsewhere, when the thread does not wait for the peer.
///
/// It is one word of state, so that whoever comes second sees the first: the thread that leaves, or whoever added the job.
#[derive(Debug)]
pub struct Attendance {
    state: AtomicU8,
}

impl Attendance {
    /// Of a thread that does not wait.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: AtomicU8::new(0),
        }
    }

    /// Says that the thread is about to call the peer, and then to wait.
    pub fn attend(&self) {
        self.state.fetch_or(ATTENDED, Ordering::AcqRel);
    }

    /// Says that the thread does not wait for the peer any more. True: it has to look for jobs in its queue that may run
    /// elsewhere.
    #[must_use]
    pub fn leave(&self) -> bool {
        self.state.swap(0, Ordering::AcqRel) & LEFT_BEHIND != 0
    }

    /// Says that a job was added that may run elsewhere. True: the thread does not wait, and whoever added the job has to take
    /// it back.
    #[must_use]
    pub fn added(&self) -> bool {
        self.state.fetch_or(LEFT_BEHIND, Ordering::AcqRel) & ATTENDED == 0
    }
}

impl Default for Attendance {
    fn default() -> Self {
        Self::new()
    }
}

/// The thread waits for the peer, or is about to.
const ATTENDED: u8 = 1;
/// There may be a job in the queue that may run elsewhere.
const LEFT_BEHIND: u8 = 2;
