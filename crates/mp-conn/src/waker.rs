//! What wakes a vat from outside of it, or from inside.

use std::sync::{Arc, Weak};
use std::task::Wake;

use crate::event_loop::WeakEventLoop;
use crate::inner::Inner;
use crate::vat::gate::Gate;

/// Wakes the vat: the thread that is inside looks again, or the event loop's thread enters.
pub(crate) struct VatWaker {
    pub(crate) gate: Arc<Gate>,
    pub(crate) event_loop: WeakEventLoop,
    pub(crate) connection: Weak<Inner>,
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
