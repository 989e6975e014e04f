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
    /// Reads the socket until there is something for this thread. `None`: the deadline passed, the connection ended, or
    /// after reading something the thread is not to stay.
    ///
    /// The caller drops the leader before it runs anything of the user's.
    pub(crate) fn lead(
        &self,
        leader: &Leader,
        waiter: &ThreadWaiter,
        deadline: Option<Instant>,
        stay: impl Fn(&Leader) -> bool,
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
            if !open
                || !stay(leader)
                || waiter.is_done()
                || deadline.is_some_and(|d| d <= Instant::now())
            {
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
