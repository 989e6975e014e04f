//! The one `unsafe impl Send` of the run-time: everything of a connection that is not thread-safe, behind one lock.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::state::State;

/// A vat's state, reachable by one thread at a time.
///
/// `capnp-rpc` counts references without atomics (`Rc`) and borrows without locks (`RefCell`). That is sound on several
/// threads as long as they take turns, and no thread keeps a reference when its turn is over.
pub(crate) struct Confined {
    state: Mutex<Sendable>,
    /// The thread that is inside, so that entering again is an error and not a deadlock.
    /// 0: nobody is.
    holder: AtomicUsize,
}

impl Confined {
    /// Takes a state that shares nothing with anything outside of it.
    pub(crate) fn new(state: State) -> Self {
        Self {
            state: Mutex::new(Sendable(state)),
            holder: AtomicUsize::new(0),
        }
    }

    /// Waits for this thread's turn. `None`: it is this thread's turn already.
    pub(crate) fn lock(&self) -> Option<Turn<'_>> {
        let me = this_thread();
        // Only this thread itself can have written its own number, so what other threads write does not matter.
        if self.holder.load(Ordering::Relaxed) == me {
            return None;
        }
        let guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.holder.store(me, Ordering::Relaxed);
        Some(Turn { guard, owner: self })
    }

    /// The state, for its owner alone.
    pub(crate) fn get_mut(&mut self) -> &mut State {
        let sendable = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        &mut sendable.0
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
        self.owner.holder.store(0, Ordering::Relaxed);
    }
}

struct Sendable(State);

/// A number that no other thread has at the same time: the address of a variable of its own.
fn this_thread() -> usize {
    thread_local! {
        static MARK: u8 = const { 0 };
    }
    MARK.with(|mark| std::ptr::from_ref(mark).addr())
}

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
