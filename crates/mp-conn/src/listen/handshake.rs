//! Clients that connect and say nothing: after a while they are disconnected, and their places are for others.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};
use std::time::Instant;

use super::acceptor::Acceptor;
use crate::connection::{Connection, WeakConnection};
use crate::event_loop::Timer;

/// Connections of which it is not known whether a message has come, by their number: the oldest first.
#[derive(Default)]
pub(super) struct Silent {
    clients: BTreeMap<u64, Client>,
    /// Fires when the oldest has had its time. `None`: nobody is waited for.
    timer: Option<Arc<Timer>>,
}

struct Client {
    connection: WeakConnection,
    deadline: Instant,
}

impl Silent {
    /// Forgets a connection that has ended.
    pub(super) fn forget(&mut self, id: u64) {
        self.clients.remove(&id);
    }

    /// Takes out those whose time is over.
    fn take_due(&mut self, now: Instant) -> Vec<Connection> {
        let mut due = Vec::new();
        while let Some(oldest) = self.clients.first_entry() {
            if oldest.get().deadline > now {
                break;
            }
            due.extend(oldest.remove().connection.upgrade());
        }
        due
    }
}

impl Acceptor {
    /// Gives a client that was just accepted its time to say something.
    pub(super) fn expect_greeting(self: &Arc<Self>, connection: &Connection) {
        let Some(time) = self.options.handshake_timeout else {
            return;
        };
        // A time that the clock cannot express does not end.
        let Some(deadline) = Instant::now().checked_add(time) else {
            return;
        };
        let client = Client {
            connection: connection.downgrade(),
            deadline,
        };
        let mut state = self.state();
        state.silent.clients.insert(connection.id(), client);
        self.watch_oldest(&mut state.silent);
    }

    /// Sets the timer unless it is set: later clients have their time later.
    fn watch_oldest(self: &Arc<Self>, silent: &mut Silent) {
        if silent.timer.is_some() {
            return;
        }
        let Some((_, oldest)) = silent.clients.first_key_value() else {
            return;
        };
        let timer = Arc::new(Timer::default());
        timer.set_waker(&Waker::from(Arc::new(Overdue(Arc::downgrade(self)))));
        self.event_loop.set_timer(oldest.deadline, &timer);
        silent.timer = Some(timer);
    }

    /// Disconnects those who had their time and said nothing.
    fn end_silent(self: &Arc<Self>) {
        let mut state = self.state();
        state.silent.timer = None;
        let due = state.silent.take_due(Instant::now());
        self.watch_oldest(&mut state.silent);
        // Closing gives up the connection's share of this very state.
        drop(state);
        for connection in due {
            if connection.has_heard() {
                continue;
            }
            let name = self.event_loop.name();
            let time = self.options.handshake_timeout.unwrap_or_default();
            tracing::warn!(target: "ipc", "{{{name}}} IPC server: client sent no message in {time:?}, disconnected.");
            connection.close();
        }
    }
}

/// What the timer does.
struct Overdue(Weak<Acceptor>);

impl Wake for Overdue {
    fn wake(self: Arc<Self>) {
        if let Some(acceptor) = self.0.upgrade() {
            acceptor.end_silent();
        }
    }
}
