//! Waiting at the socket: a thread that waits, or has nothing to do, reads for itself and for others.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Instant;

use mp_conn::{Leader, Signal};

use crate::job::{Job, ThreadWaiter};
use crate::waiter::{Event, Interrupt};

/// What interrupts a thread that waits at a socket. Made the first time that it does.
#[derive(Default)]
pub(crate) struct Interrupter {
    made: OnceCell<Option<(Arc<Signal>, Interrupt)>>,
}

impl Interrupter {
    /// Reads the socket until there is something for this thread, which waits. `None`: the deadline passed, or the connection
    /// ended.
    ///
    /// The caller drops the leader before it runs anything of the user's.
    pub(crate) fn lead(
        &self,
        leader: &Leader,
        waiter: &ThreadWaiter,
        deadline: Option<Instant>,
        mut eligible: impl FnMut(&Job) -> bool,
    ) -> Option<Event<Job>> {
        let (signal, interrupt) = self.get()?;
        loop {
            if let Some(event) = waiter.wait_elsewhere(interrupt, &mut eligible) {
                return Some(event);
            }
            leader.wait(signal, deadline);
            waiter.back();
            let open = leader.read();
            if let Some(event) = waiter.check(&mut eligible) {
                return Some(event);
            }
            if !open || deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return None;
            }
        }
    }

    /// Reads the socket until there is a job for this thread, which has nothing to do, or there will be none any more.
    /// `None`: the connection ended, or work for another thread was read: that one leads when it is done, and is likely to
    /// get the next call as well.
    pub(crate) fn lead_idle(&self, leader: &Leader, waiter: &ThreadWaiter) -> Option<Event<Job>> {
        let (signal, interrupt) = self.get()?;
        loop {
            if let Some(event) = waiter.idle_elsewhere(interrupt) {
                return Some(event);
            }
            leader.wait(signal, None);
            waiter.back();
            let open = leader.read();
            if !open || !leader.is_idle() {
                return None;
            }
        }
    }

    /// Whether this thread can be interrupted, without which it must not wait at a socket.
    pub(crate) fn is_ready(&self) -> bool {
        self.get().is_some()
    }

    fn get(&self) -> Option<&(Arc<Signal>, Interrupt)> {
        let make = || {
            // Without descriptors to spare, the thread waits in the ordinary way.
            let signal = Arc::new(Signal::new().ok()?);
            let given = Arc::clone(&signal);
            let interrupt: Interrupt = Arc::new(move || given.give());
            Some((signal, interrupt))
        };
        self.made.get_or_init(make).as_ref()
    }
}
