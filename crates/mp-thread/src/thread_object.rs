//! A thread of this process as the peer sees it: the interface `Thread`.

use std::sync::{Arc, OnceLock, Weak};
use std::task::{Wake, Waker};

use mp_conn::proxy_capnp::thread;
use mp_conn::{Error, Object, ServerCall};

use crate::attendance::Attendance;
use crate::job::{Job, ThreadWaiter};

/// A thread that runs calls of the peer.
#[derive(Debug)]
pub(crate) struct ThreadObject {
    waiter: Arc<ThreadWaiter>,
    name: Arc<OnceLock<Arc<str>>>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Made for the peer. It ends when the peer lets go of it.
    Worker,
    /// A thread that called the peer, and runs callbacks while it waits.
    Caller {
        /// The connection over which it called.
        connection: u64,
        attendance: Attendance,
        /// Woken when a call for the thread is cancelled.
        discard: Waker,
    },
}

/// Throws calls away that nobody waits for any more. A thread that no longer waits would keep them, and their objects, until
/// it ends.
struct Discard(Weak<ThreadWaiter>);

impl Wake for Discard {
    fn wake(self: Arc<Self>) {
        let Some(waiter) = self.0.upgrade() else {
            return;
        };
        for job in waiter.take(|job| job.cancellation().is_cancelled()) {
            let event_loop = job.connection().event_loop().clone();
            event_loop.post_cleanup(move || drop(job));
        }
    }
}

impl ThreadObject {
    pub(crate) fn worker(waiter: Arc<ThreadWaiter>, name: Arc<OnceLock<Arc<str>>>) -> Self {
        Self {
            waiter,
            name,
            kind: Kind::Worker,
        }
    }

    /// The thread of a waiter, as the peer at the other end of a connection sees it.
    pub(crate) fn caller(waiter: Arc<ThreadWaiter>, name: Arc<str>, connection: u64) -> Self {
        let discard = Arc::new(Discard(Arc::downgrade(&waiter)));
        Self {
            waiter,
            name: Arc::new(OnceLock::from(name)),
            kind: Kind::Caller {
                connection,
                attendance: Attendance::new(),
                discard: Waker::from(discard),
            },
        }
    }

    /// Says that the thread is about to call the peer, and then to wait.
    pub(crate) fn attend(&self) {
        if let Kind::Caller { attendance, .. } = &self.kind {
            attendance.attend();
        }
    }

    /// Says that the thread waits for nothing of the peer's any more. Gives back the jobs that are to run elsewhere now.
    pub(crate) fn leave(&self) -> Vec<Job> {
        match &self.kind {
            Kind::Caller {
                connection,
                attendance,
                ..
            } if attendance.leave() => self.waiter.take(|job| job.is_movable(*connection)),
            _ => Vec::new(),
        }
    }

    /// The thread's name, which a thread that was just made gives itself when it starts: this waits for that.
    pub(crate) fn started_name(&self) -> &str {
        self.name.wait()
    }

    /// Whether calls for it are callbacks.
    pub(crate) fn is_caller(&self) -> bool {
        matches!(self.kind, Kind::Caller { .. })
    }

    /// Queues a call. Gives jobs back that are to run elsewhere, because the thread does not wait for the peer.
    ///
    /// # Errors
    ///
    /// Gives the call back when the thread is gone.
    pub(crate) fn post(&self, job: Job) -> Result<Vec<Job>, Job> {
        let Kind::Caller {
            connection,
            attendance,
            discard,
        } = &self.kind
        else {
            return self.waiter.post(job).map(|()| Vec::new());
        };
        let cancellation = job.cancellation();
        let movable = job.is_movable(*connection);
        self.waiter.post(job)?;
        cancellation.wake_on_cancel(discard);
        if movable && attendance.added() {
            return Ok(self.waiter.take(|job| job.is_movable(*connection)));
        }
        Ok(Vec::new())
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
        if matches!(self.kind, Kind::Worker) {
            self.waiter.close();
        }
    }
}

/// What threads answer that look like one.
pub(crate) fn call_of_many(call: ServerCall, what: &str) {
    if (call.interface_id(), call.ordinal()) != (INTERFACE, GET_NAME) {
        crate::unimplemented("Thread", call);
        return;
    }
    let name = format!("{}/{what}", call.connection().event_loop().name());
    // Fails only when the connection has ended.
    answer_name(call, &name).ok();
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
