//! The one `unsafe impl Send` of the run-time: everything of a connection that is not thread-safe, behind one lock.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use super::state::State;

/// A vat's state, reachable by one thread at a time.
///
/// `capnp-rpc` counts references without atomics (`Rc`) and borrows without locks (`RefCell`). That is sound on several
/// threads as long as they take turns, and no thread keeps a reference when its turn is over.
pub(crate) struct Confined {
    state: Mutex<Sendable>,
    /// The thread that is inside, so that entering again is an error and not a deadlock.
    holder: Mutex<Option<ThreadId>>,
}

impl Confined {
    /// Takes a state that shares nothing with anything outside of it.
    pub(crate) fn new(state: State) -> Self {
        Self {
            state: Mutex::new(Sendable(state)),
            holder: Mutex::new(None),
        }
    }

    /// Waits for this thread's turn. `None`: it is this thread's turn already.
    pub(crate) fn lock(&self) -> Option<Turn<'_>> {
        let me = thread::current().id();
        if *self.holder() == Some(me) {
            return None;
        }
        let guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *self.holder() = Some(me);
        Some(Turn { guard, owner: self })
    }

    /// The state, for its owner alone.
    pub(crate) fn get_mut(&mut self) -> &mut State {
        let sendable = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        &mut sendable.0
    }

    fn holder(&self) -> MutexGuard<'_, Option<ThreadId>> {
        self.holder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One thread's turn.
pub(crate) struct Turn<'a> {
    guard: MutexGuard<'a, Sendable>,
    owner: &'a Confined,
}

impl Turn<'_> {
    pub(crate) fn state(&mut self) -> &mut State {
        &mut self.guard.0
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Before the lock is released, which happens when the field is dropped.
        *self.owner.holder() = None;
    }
}

struct Sendable(State);

#[expect(
    unsafe_code,
    reason = "the argument is below; this module is small so that it can be reviewed"
)]
// SAFETY: `State` is not `Send` because of `Rc`, `RefCell` and futures made of them. Each `Rc` that is reachable from a
// `State` is reachable from that `State` only:
//  - `State::new` makes them all itself, from arguments that are `Send`.
//  - `Confined` is private to this crate, and so are `State` and `Shared`. Code inside the crate reaches them only through
//    `Confined::lock`, whose `Turn` borrows the guard, or through `get_mut`, which needs `&mut`. What
//    `connection::Inner::enter` returns to its callers is bounded by `R: Send`, and `Rc`s are not.
//  - Closures of other crates that run inside get `capnp` readers and builders with a lifetime that ends with the closure and
//    with a table of capabilities that is not the vat's, so that no capability can be taken out, not even into a thread-local.
//  - The peer's and this process's objects are outside only as keys (`Capability`), or as `Arc<dyn Object>`, which is `Send`.
// So all counts and borrows are touched by the thread that holds the lock, and the lock orders them between threads.
// Dropping a `State` is dropping the last path to its `Rc`s, on whichever thread it happens.
unsafe impl Send for Sendable {}
