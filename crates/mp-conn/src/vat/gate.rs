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
            state: AtomicU8::new(IDLE),
        }
    }

    /// Says that the caller, who has the vat's lock, is inside. Wake-ups up to here are its to serve.
    pub fn enter(&self) {
        self.state.store(HELD, Ordering::SeqCst);
    }

    /// Takes the flag: true when a future was woken since [`enter`](Self::enter) or the last call.
    pub fn take_woken(&self) -> bool {
        self.state.swap(HELD, Ordering::SeqCst) == HELD_WOKEN
    }

    /// Tries to leave. False: a future was woken meanwhile, and the caller has to poll again before it leaves.
    pub fn leave(&self) -> bool {
        self.state
            .compare_exchange(HELD, IDLE, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok()
    }

    /// Notes a wake-up. True: nobody is inside, and the caller has to have somebody enter.
    pub fn wake(&self) -> bool {
        let mut state = self.state.load(Ordering::SeqCst);
        loop {
            let next = match state {
                IDLE => IDLE_WOKEN,
                HELD => HELD_WOKEN,
                _ => return false,
            };
            match self
                .state
                .compare_exchange_weak(state, next, Ordering::SeqCst, Ordering::SeqCst)
            {
                Ok(_) => return state == IDLE,
                Err(current) => state = current,
            }
        }
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

const IDLE: u8 = 0;
/// Woken while nobody was inside: somebody has been asked to enter.
const IDLE_WOKEN: u8 = 1;
const HELD: u8 = 2;
/// Woken while somebody was inside.
const HELD_WOKEN: u8 = 3;
