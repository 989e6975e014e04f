//! Threads that share one queue, for a peer's asynchronous calls. They look like one thread.
//!
//! A thread of its own for each call costs each a wake-up and a system call to write its answer: with 64 calls under way at a
//! time, that was a third of what they cost. A pool, as `makePool` makes it, has a queue for each of its threads, and what is
//! behind a call that waits, waits with it. Here whichever thread is free takes the next call, and there are as many threads
//! as there are calls that take their time.
//!
//! The peer asks for it on the thread map, by an interface that the C++ library does not have: it answers that this is not
//! implemented, and its threads are made one by one.
//!
//! ```capnp
//! interface SharedThreads @0xaf31dd9d019c4539 {
//!     sharedThread @0 () -> (result :Proxy.Thread);
//! }
//! ```

use std::sync::Arc;

use mp_conn::{Connection, Error, Object, ServerCall, WeakConnection};

use crate::context::{ThreadContext, Writing};
use crate::crew::{CallUp, Crew};
use crate::job::{Job, ThreadWaiter};
use crate::thread_map::ThreadState;
use crate::waiter::Event;
use crate::{thread_object, worker};

/// The interface by which the peer asks for [`SharedThreads`].
pub(crate) const INTERFACE: u64 = 0xaf31_dd9d_019c_4539;
/// Its only method. The results are those of `makeThread`.
pub(crate) const SHARED_THREAD: u16 = 0;

/// The threads, which are made as they are needed, and end with the connection. Each counts as one that the peer made.
#[derive(Debug, Default)]
pub(crate) struct SharedThreads(Crew<Job>);

impl SharedThreads {
    /// Has a call run. It fails when there is no thread and none can be made. After the connection's end it is dropped: nobody
    /// waits for its answer.
    pub(crate) fn post(self: &Arc<Self>, connection: &Connection, job: Job) {
        match self.0.post(job) {
            Ok(Some(thread)) => self.call(thread, connection),
            Ok(None) => {}
            Err(job) => drop(job),
        }
    }

    /// Ends the threads when they have run what they were given.
    pub(crate) fn close(&self) {
        self.0.close();
    }

    /// What each of the threads does.
    fn run(self: &Arc<Self>, waiter: &Arc<ThreadWaiter>, connection: &WeakConnection) {
        self.0.begin();
        loop {
            while let Some((job, thread)) = self.0.next(waiter) {
                self.call_up(thread, &job);
                run(job);
            }
            let Ok(Some(job)) =
                ThreadContext::with(|context| context.next_job(connection, Writing::ForNobody))
            else {
                return;
            };
            self.call_up(self.0.come_back(waiter), &job);
            run(job);
            // That was a callback for this very thread, if it was given a job of the queue as well.
            while let Some(event) = waiter.check(|_| true) {
                if let Event::Job(job) = event {
                    run(job);
                }
            }
        }
    }

    /// Calls another thread, for what is behind a job.
    fn call_up(self: &Arc<Self>, thread: Option<CallUp<Job>>, job: &Job) {
        if let Some(thread) = thread {
            self.call(thread, &job.connection());
        }
    }

    fn call(self: &Arc<Self>, thread: CallUp<Job>, connection: &Connection) {
        match thread {
            CallUp::Idle(waiter, job) => {
                // Fails only when that thread is gone: an idle one is not, before the connection is.
                waiter.post(job).unwrap_or_else(drop);
            }
            CallUp::New(number) => {
                if let Err(error) = self.make(number, connection) {
                    for job in self.0.not_made() {
                        let (call, _) = job.into_parts();
                        call.fail(&error);
                    }
                }
            }
        }
    }

    fn make(self: &Arc<Self>, number: usize, connection: &Connection) -> Result<(), Error> {
        let guard = ThreadState::of(connection).count_thread(connection)?;
        let program = connection.event_loop().name();
        let suffix = format!("async/{number}");
        let threads = Arc::clone(self);
        worker::start(
            program,
            suffix,
            connection.downgrade(),
            guard,
            move |waiter, connection| threads.run(waiter, connection),
        )?;
        Ok(())
    }
}

/// Runs a job. The thread may have taken the socket when it answered the one before, to wait for the next there: nobody
/// would read it meanwhile.
fn run(job: Job) {
    // Fails only when the thread is ending, and then it has none.
    ThreadContext::with(ThreadContext::give_back).unwrap_or_default();
    job.run();
}

impl Object for SharedThreads {
    fn context_field(&self, _interface_id: u64, _ordinal: u16) -> Option<u16> {
        None
    }

    fn call(&self, call: ServerCall) {
        thread_object::call_of_many(call, "async");
    }

    fn needs_cleanup(&self) -> bool {
        false
    }
}
