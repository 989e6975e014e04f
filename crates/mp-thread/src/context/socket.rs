//! When a thread reads the socket itself: ahead of a call, while it waits, and when it has nothing to do.

use std::sync::Arc;

use mp_conn::{Connection, EventLoop, Leader, WeakConnection};

use super::{Sending, ThreadContext};
use crate::job::Job;
use crate::waiter::Event;

/// Whether others leave it to a thread that is woken for a job to write what they have sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writing {
    /// The thread answers at once what it ran.
    ForOthers,
    /// Its answers are left to the event loop's thread: waking that one for others' as well was measured to take longer.
    ForNobody,
}

impl ThreadContext {
    /// Takes the socket for the wait that follows what is about to be sent: a call, or the answer to one.
    pub(crate) fn lead_ahead(&self, connection: &Connection, sending: Sending) {
        let running = match sending {
            Sending::Call => self.frames.borrow().len(),
            // A thread that does not come back to a wait would keep the socket to itself.
            Sending::Answer if self.waits.get() == 0 => return,
            Sending::Answer => self.waits.get(),
        };
        if self.interrupter.is_ready() && EventLoop::may_block().is_ok() {
            let leader = connection.lead_ahead(running);
            drop(self.ahead.replace(leader));
        }
    }

    /// Gives the socket back that was taken for a wait that will not be.
    pub(crate) fn give_back(&self) {
        drop(self.ahead.take());
    }

    pub(super) fn lead(&self, connection: &Connection) -> Option<Leader> {
        let ahead = self.ahead.take();
        if ahead
            .as_ref()
            .is_some_and(|leader| leader.connection_id() == connection.id())
        {
            return ahead;
        }
        drop(ahead);
        if self.interrupter.is_ready() {
            connection.lead()
        } else {
            None
        }
    }

    /// Waits for the next job of any kind, as a thread does that was made for the peer. `None`: there will be none.
    pub(crate) fn next_job(&self, connection: &WeakConnection, writing: Writing) -> Option<Job> {
        if let Some(event) = self.lead_idle(connection) {
            match event {
                Event::Job(job) => return Some(job),
                Event::Closed => return None,
                Event::Woken | Event::TimedOut => {}
            }
        }
        // Nobody reads a socket that a thread keeps while it waits here.
        self.give_back();
        loop {
            let arrivals = connection
                .upgrade()
                .filter(|_| writing == Writing::ForOthers)
                .map(|connection| Arc::clone(connection.arrivals()));
            let event = self.waiter.next_job(&arrivals.unwrap_or_default());
            if let Some(connection) = connection.upgrade() {
                connection.write_held();
            }
            match event {
                Event::Job(job) => return Some(job),
                Event::Woken => {}
                Event::Closed | Event::TimedOut => return None,
            }
        }
    }

    fn lead_idle(&self, connection: &WeakConnection) -> Option<Event<Job>> {
        // Only a server's connection: it stays open without the handle that leading holds.
        let connection = connection.upgrade().filter(Connection::is_server)?;
        if !self.interrupter.is_ready() {
            return None;
        }
        let ahead = self.ahead.take();
        let leader = match ahead {
            Some(leader) => leader,
            None => connection.lead_idle()?,
        };
        self.interrupter.lead_idle(&leader, &self.waiter)
    }
}
