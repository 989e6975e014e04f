//! Who writes what was sent: the thread that leaves the vat, another one that is about to come, or the event loop's.

use std::sync::Weak;

use crate::inner::Inner;
use crate::vat::shared::Deferred;
use crate::vat::state::State;

impl Inner {
    /// Whether the thread that is about to leave the vat leaves to others what waits to be written.
    pub(crate) fn leave_writing(&self, state: &State) -> bool {
        let queued = state.shared.outbox.borrow().queued();
        if queued >= HELD_BYTES || state.shared.ending.get() {
            self.arrivals.write_now();
            return false;
        }
        if queued == 0 {
            return false;
        }
        if state.shared.held.get() == queued {
            return true;
        }
        if !state.shared.batched.get() {
            return self.arrivals.hold();
        }
        if !state.shared.flush_asked.replace(true) {
            let connection = state.shared.connection.clone();
            state.shared.defer(Deferred::Flush(connection));
        }
        true
    }
}

/// What the event loop's thread does that was asked to write.
pub(crate) fn flush(connection: &Weak<Inner>) {
    if let Some(connection) = connection.upgrade() {
        // Fails only where it panicked, and then there is nothing to write.
        drop(connection.enter(|state| state.shared.flush_asked.set(false)));
    }
}

/// More than this is not left to others to write.
const HELD_BYTES: usize = 32 << 10;
