//! A connection's end: what it keeps until then, and what is done then.

use std::sync::{Arc, MutexGuard, PoisonError};

use crate::Error;
use crate::contain::guarded;
use crate::inner::{Inner, wake};
use crate::listen::Slot;

/// Whether a connection has ended, and what waits for that.
#[derive(Default)]
pub(crate) struct Lifecycle {
    /// How it ended: true if this end closed it.
    pub(crate) end: Option<bool>,
    /// What is done at the end was done.
    finished: bool,
    /// Threads that wait for the end.
    pub(crate) waiting: usize,
    pub(crate) hooks: Vec<Box<dyn FnOnce() + Send>>,
    /// A server's connection keeps itself alive until it ends.
    pub(crate) keep_alive: Option<Arc<Inner>>,
    /// The connection's share of a listener's limit, given up at its end.
    slot: Option<Slot>,
}

impl Inner {
    pub(crate) fn close(self: &Arc<Self>, here: bool) {
        self.lifecycle().end.get_or_insert(here);
        let closed = self.enter(|state| {
            // What was left to others to write was sent before.
            if !state.is_closed() {
                self.arrivals.write_now();
                state.flush();
            }
            state.close();
        });
        // Fails only from inside, or where it panicked: then it is closed as well.
        drop(closed);
    }

    /// Keeps a share of a listener's limit until the connection has ended, which it may have already.
    pub(crate) fn keep_until_end(&self, slot: Slot) {
        let mut lifecycle = self.lifecycle();
        if lifecycle.end.is_none() {
            lifecycle.slot = Some(slot);
        } else {
            drop(lifecycle);
            drop(slot);
        }
    }

    /// Why calls fail from now on.
    pub(crate) fn disconnected(&self) -> Error {
        let end = self.lifecycle().end;
        match end {
            Some(true) => Error::CalledAfterDisconnect,
            _ => Error::Disconnected,
        }
    }

    /// Does what is done at the end, once.
    #[cold]
    pub(crate) fn finish_closing(&self) {
        let mut lifecycle = self.lifecycle();
        lifecycle.end.get_or_insert(false);
        if std::mem::replace(&mut lifecycle.finished, true) {
            return;
        }
        let is_awaited = lifecycle.waiting > 0;
        let hooks = std::mem::take(&mut lifecycle.hooks);
        let kept = lifecycle.keep_alive.take();
        let slot = lifecycle.slot.take();
        drop(lifecycle);
        drop(slot);
        if is_awaited {
            self.ended.notify_all();
        }
        self.event_loop.unregister(self.key);
        for hook in hooks {
            self.event_loop.post_cleanup(hook);
        }
        drop(kept);
    }

    pub(crate) fn lifecycle(&self) -> MutexGuard<'_, Lifecycle> {
        self.lifecycle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // First: nobody is there any more to take an event, and closing makes one.
        if let Some(registration) = &self.registration {
            registration.remove();
        }
        let state = self.vat.get_mut();
        if !state.is_closed() {
            // What was left to others to write. Where it cannot be written, it is the end all the same.
            guarded(|| state.flush());
        }
        state.close();
        let woken = state.shared.woken.take();
        let deferred = state.shared.deferred.take();
        wake(woken);
        self.run_deferred(deferred);
        self.finish_closing();
    }
}
