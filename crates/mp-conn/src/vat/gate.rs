//! The flag that keeps wake-ups from being lost while threads take turns in a vat.
//!
//! A future of the vat may be woken while nobody is inside, while the thread that would poll it is inside, or at the very
//! moment at which that thread leaves. The gate has one word of state, so that a wake-up always meets either a holder that
//! has yet to look, or an empty vat that the event loop's thread is then asked to drive. Modelled in `tests/loom.rs`.

#[cfg(not(loom))]
use std::sync::atomic::{AtomicU8, Ordering};

#[cfg(loom)]
use loom::sync::atomic::{AtomicU8, Ordering};

/// Who is inside, and whether a future was woken since it was last looked at.
#[derive(Debug)]
pub struct Gate {
    state: AtomicU8,
}

impl Gate {
    /// A gate that nobody holds.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: AtomicU8::new(0),
        }
    }

    /// Says that the caller, who has the vat's lock, is inside. Wake-ups up to here are its to serve.
    pub fn enter(&self) {
        self.state.swap(HELD, Ordering::AcqRel);
    }

    /// Takes the flag: true when a future was woken since [`enter`](Self::enter) or the last call.
    pub fn take_woken(&self) -> bool {
        self.state.swap(HELD, Ordering::AcqRel) & WOKEN != 0
    }

    /// Tries to leave. False: a future was woken meanwhile, and the caller has to poll again before it leaves.
    pub fn leave(&self) -> bool {
        self.state
            .compare_exchange(HELD, 0, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// Notes a wake-up. True: nobody is inside, and the caller has to have somebody enter.
    ///
    /// It always writes, even where the flag is set already: so what the waking thread did before is seen by whoever takes
    /// the flag. A mere look at the flag was found by the model to lose a wake-up.
    pub fn wake(&self) -> bool {
        self.state.fetch_or(WOKEN, Ordering::AcqRel) == 0
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

/// Somebody is inside.
const HELD: u8 = 2;
/// A future was woken: whoever is inside looks again, or somebody has been asked to enter.
const WOKEN: u8 = 1;
