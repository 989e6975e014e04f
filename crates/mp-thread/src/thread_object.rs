//! A thread of this process as the peer sees it: the interface `Thread`.

use std::sync::{Arc, OnceLock};

use mp_conn::proxy_capnp::thread;
use mp_conn::{Error, Object, ServerCall};

use crate::job::{Job, ThreadWaiter};

/// A thread that runs calls of the peer.
#[derive(Debug)]
pub(crate) struct ThreadObject {
    waiter: Arc<ThreadWaiter>,
    name: Arc<OnceLock<Arc<str>>>,
    kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// Made for the peer. It ends when the peer lets go of it.
    Worker,
    /// A thread that called the peer, and runs callbacks while it waits.
    Caller,
}

impl ThreadObject {
    pub(crate) fn worker(waiter: Arc<ThreadWaiter>, name: Arc<OnceLock<Arc<str>>>) -> Self {
        Self {
            waiter,
            name,
            kind: Kind::Worker,
        }
    }

    pub(crate) fn caller(waiter: Arc<ThreadWaiter>, name: Arc<str>) -> Self {
        Self {
            waiter,
            name: Arc::new(OnceLock::from(name)),
            kind: Kind::Caller,
        }
    }

    /// The thread's name, which a thread that was just made gives itself when it starts: this waits for that.
    pub(crate) fn started_name(&self) -> &str {
        self.name.wait()
    }

    /// Whether calls for it are callbacks.
    pub(crate) fn is_caller(&self) -> bool {
        self.kind == Kind::Caller
    }

    /// Queues a call. Gives it back when the thread is gone.
    pub(crate) fn post(&self, job: Job) -> Result<(), Job> {
        self.waiter.post(job)
    }
}

impl Object for ThreadObject {
    fn context_field(&self, _interface_id: u64, _ordinal: u16) -> Option<u16> {
        None
    }

    fn call(&self, call: ServerCall) {
        if (call.interface_id(), call.ordinal()) != (INTERFACE, GET_NAME) {
            crate::unimplemented("Thread", call);
            return;
        }
        let answered = match self.name.get() {
            Some(name) => answer_name(call, name),
            None => {
                // Just made: the thread itself knows its name by the time it runs this.
                let name = Arc::clone(&self.name);
                let job = Job::new(
                    call,
                    false,
                    Box::new(move |call| {
                        let name = name.get().cloned().unwrap_or_default();
                        // The connection ended: nobody waits for the name.
                        answer_name(call, &name).ok();
                    }),
                );
                self.waiter.post(job).map_err(|_| Error::Cancelled)
            }
        };
        // Fails only when the connection has ended.
        answered.ok();
    }

    fn needs_cleanup(&self) -> bool {
        false
    }
}

impl Drop for ThreadObject {
    fn drop(&mut self) {
        if self.kind == Kind::Worker {
            self.waiter.close();
        }
    }
}

fn answer_name(call: ServerCall, name: &str) -> Result<(), Error> {
    call.reply(&[], |results| {
        let mut results: thread::get_name_results::Builder<'_> = results.init_as();
        results.set_result(name);
        Ok(())
    })
}

const INTERFACE: u64 = 0x81c1_e260_0d0b_56c5;
const GET_NAME: u16 = 0;
