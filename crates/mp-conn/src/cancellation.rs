//! Whether a call of the peer's is still wanted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// Tells whether the caller of a method gave up.
#[derive(Clone, Debug)]
pub struct Cancellation {
    pub(crate) state: Arc<RequestState>,
}

impl Cancellation {
    /// Whether the caller gave up, or its connection ended.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.state.is_cancelled()
    }

    /// Has a waker woken when the caller gives up: at once if it did already.
    pub fn wake_on_cancel(&self, waker: &Waker) {
        self.state.add_waker(waker);
    }
}

/// Whether a call of the peer's is still wanted.
#[derive(Debug, Default)]
pub(crate) struct RequestState {
    cancelled: AtomicBool,
    wakers: Mutex<Vec<Waker>>,
}

impl RequestState {
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// Notes that the caller gave up. May be called with the vat's lock held; [`cancel`](Self::cancel) follows.
    pub(crate) fn note_cancelled(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
    }

    /// Notes that the caller gave up. Wakes whoever wants to know: never with the vat's lock held.
    pub(crate) fn cancel(&self) {
        self.note_cancelled();
        let wakers = std::mem::take(&mut *self.wakers());
        for waker in wakers {
            waker.wake();
        }
    }

    fn add_waker(&self, waker: &Waker) {
        let added = waker.clone();
        self.wakers().push(added);
        // Looked at after the waker was added, as `cancel` sets it before it takes them.
        if self.is_cancelled() {
            waker.wake_by_ref();
        }
    }

    fn wakers(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
