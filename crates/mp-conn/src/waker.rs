//! What wakes a vat from outside of it, or from inside.

use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use crate::event_loop::{EventLoop, WeakEventLoop};
use crate::inner::Inner;
use crate::vat::gate::Gate;

/// Wakes the vat: the thread that is inside looks again, or the event loop's thread enters.
pub(crate) struct VatWaker {
    gate: Arc<Gate>,
    event_loop: WeakEventLoop,
    connection: Weak<Inner>,
}

impl VatWaker {
    pub(crate) fn waker(
        gate: &Arc<Gate>,
        event_loop: &EventLoop,
        connection: &Weak<Inner>,
    ) -> Waker {
        Waker::from(Arc::new(Self {
            gate: Arc::clone(gate),
            event_loop: event_loop.downgrade(),
            connection: Weak::clone(connection),
        }))
    }
}

impl Wake for VatWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.gate.wake() {
            let connection = self.connection.clone();
            self.event_loop.post(Box::new(move || {
                if let Some(connection) = connection.upgrade() {
                    connection.read_all();
                }
            }));
        }
    }
}
