//! Calls of a peer that wait for their thread.

use mp_conn::{Cancellation, Connection, ServerCall, unattended};

use crate::context::Caller;
use crate::waiter::Waiter;

/// The queue of one thread.
pub(crate) type ThreadWaiter = Waiter<Job>;

/// What runs a call and answers it.
pub(crate) type Runner = Box<dyn FnOnce(ServerCall) + Send>;

/// A call, and what runs it.
pub(crate) struct Job {
    call: ServerCall,
    connection: u64,
    /// The call came for a thread that waits for an answer over the same connection: a callback.
    callback: bool,
    /// It runs on any thread if the one that it was sent to does not wait for it: the end of an object.
    anywhere: bool,
    run: Runner,
}

impl Job {
    pub(crate) fn new(call: ServerCall, callback: bool, run: Runner) -> Self {
        Self {
            connection: call.connection().id(),
            call,
            callback,
            anywhere: false,
            run,
        }
    }

    /// Has the job run on any thread if the one that it was sent to does not wait for it.
    pub(crate) fn anywhere(mut self) -> Self {
        self.anywhere = true;
        self
    }

    /// Whether the job came over a connection, and may run on any thread.
    pub(crate) fn is_movable(&self, connection: u64) -> bool {
        self.anywhere && self.connection == connection
    }

    /// Has a function called when the call is about to be answered, or was dropped.
    pub(crate) fn before_answer(mut self, action: impl FnOnce() + Send + Sync + 'static) -> Self {
        self.call.before_answer(action);
        self
    }

    /// Whether a thread that waits for an answer over a connection may run this job meanwhile: it is part of the call.
    ///
    /// It is when it was sent to the waiting thread as such, or when the same thread of the peer makes it whose call the
    /// waiting thread serves: that thread waits itself, so what it sends now is a callback's doing. Callers that name no
    /// thread for callbacks cannot be told apart, and count as one: else their nested calls would wait for ever.
    pub(crate) fn belongs_to(&self, connection: u64, callers: &[Caller]) -> bool {
        self.connection == connection && (self.callback || callers.contains(&self.caller()))
    }

    /// The thread of the peer that makes the call.
    pub(crate) fn caller(&self) -> Caller {
        Caller {
            connection: self.connection,
            caller: self.call.caller(),
        }
    }

    /// The connection that the call came over.
    pub(crate) fn connection(&self) -> Connection {
        self.call.connection()
    }

    /// Tells when the caller gives up, or its connection ends.
    pub(crate) fn cancellation(&self) -> Cancellation {
        self.call.cancellation()
    }

    /// Runs the call on this thread.
    pub(crate) fn run(self) {
        let Self { call, run, .. } = self;
        unattended("a call", || run(call));
    }

    /// Gives the call back, to be run elsewhere.
    pub(crate) fn into_parts(self) -> (ServerCall, Runner) {
        (self.call, self.run)
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job")
            .field("call", &self.call)
            .field("callback", &self.callback)
            .finish_non_exhaustive()
    }
}
