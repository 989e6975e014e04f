//! The thread that asynchronous calls name for callbacks.

use mp_conn::{Object, ServerCall};

use crate::thread_object;

/// A pool that looks like one thread.
#[derive(Debug)]
pub(crate) struct CallbackThread;

impl Object for CallbackThread {
    fn context_field(&self, _interface_id: u64, _ordinal: u16) -> Option<u16> {
        None
    }

    fn call(&self, call: ServerCall) {
        thread_object::call_of_many(call, "callback");
    }

    fn needs_cleanup(&self) -> bool {
        false
    }
}
