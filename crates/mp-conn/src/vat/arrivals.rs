//! Threads that were woken and are about to enter a vat, where they write: who leaves before them leaves the writing to them.
//!
//! Where many threads call or serve at a time, each would write its own few bytes, with a system call and a wake-up of the peer
//! each. So a thread that leaves does not write as long as a crowd of others is about to come. Each of those that come looks
//! whether it was the last that was waited for. Modelled in `tests/loom.rs`.

#[cfg(not(loom))]
use std::sync::OnceLock;
#[cfg(not(loom))]
use std::sync::atomic::{AtomicUsize, Ordering};
#[cfg(not(loom))]
use std::thread::available_parallelism;

#[cfg(loom)]
use loom::sync::atomic::{AtomicUsize, Ordering};

/// How many threads are about to enter, and whether something waits to be written by them: one word, so that whoever leaves
/// and whoever arrives at the same moment agree on who writes.
#[derive(Debug)]
pub struct Arrivals {
    state: AtomicUsize,
    /// Who leaves is followed by a crowd from here on.
    crowd: usize,
}

impl Arrivals {
    /// Nobody is expected.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: AtomicUsize::new(0),
            crowd: THREAD * crowd(),
        }
    }

    /// Says that a thread that sleeps is being woken, and will [arrive](Self::arrive) before it does anything else.
    pub fn expect(&self) {
        self.state.fetch_add(THREAD, Ordering::AcqRel);
    }

    /// Says that a thread that was expected is there. It has to enter if then [something is due](Self::is_due).
    pub fn arrive(&self) {
        self.state.fetch_sub(THREAD, Ordering::AcqRel);
    }

    /// Whether something waits to be written, and nobody is waited for.
    #[must_use]
    pub fn is_due(&self) -> bool {
        let state = self.state.load(Ordering::Acquire);
        state & HELD != 0 && state < self.crowd
    }

    /// Whether the caller, who is inside and has something to write, may leave it to others. It is due when they have come.
    #[must_use]
    pub fn hold(&self) -> bool {
        let decide = |state| {
            if state < self.crowd {
                state & !HELD
            } else {
                state | HELD
            }
        };
        let before = self
            .state
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| {
                Some(decide(state))
            });
        before.is_ok_and(|state| state >= self.crowd)
    }

    /// Says that the caller, who is inside, writes what was left to others: nothing is due.
    pub fn write_now(&self) {
        self.state.fetch_and(!HELD, Ordering::AcqRel);
    }
}

impl Default for Arrivals {
    fn default() -> Self {
        Self::new()
    }
}

/// Something waits to be written.
const HELD: usize = 1;
/// What each thread counts.
const THREAD: usize = 2;

/// How many threads are a crowd.
///
/// With fewer than three, what is held back would wait for a thread to wake up on another processor more often than it saves a
/// write. Where there is one processor, whoever comes next is the next to run: with 4 threads that call there, holding back for
/// each of them was measured to bring a fifth more calls a second, and with 16 threads on two processors a fifth fewer.
fn crowd() -> usize {
    #[cfg(not(loom))]
    {
        static CROWD: OnceLock<usize> = OnceLock::new();
        let several = || available_parallelism().is_ok_and(|count| count.get() > 1);
        *CROWD.get_or_init(|| if several() { 3 } else { 1 })
    }
    #[cfg(loom)]
    1
}
