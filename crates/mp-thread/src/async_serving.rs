//! Calls that an asynchronous method serves: no thread stays with them.

use std::sync::Arc;
use std::task::{Context, Poll};

use mp_conn::{Connection, ServerCall};

use crate::context::ThreadContext;
use crate::serving::{Destroys, Frame};

/// A call whose method is a future, from its first poll to the answer.
///
/// The thread that polls it serves the call for as long as that takes: see [`Serving`](crate::Serving).
#[derive(Debug, Default)]
pub struct AsyncServing {
    destroys: Arc<Destroys>,
}

impl AsyncServing {
    /// For a call that is about to start.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs something of the method on the calling thread: a poll, or the end of its future. `context_field`: the method's
    /// context among its params.
    pub fn enter<R>(
        &self,
        call: &ServerCall,
        context_field: Option<u16>,
        action: impl FnOnce() -> R,
    ) -> R {
        let frame = Frame::new(call, context_field, Arc::clone(&self.destroys), false);
        // Fails only when the thread is ending, and then there are no frames.
        let entered = ThreadContext::with(|context| context.begin(frame)).is_ok();
        let _left = entered.then_some(Left);
        action()
    }

    /// Ready when the `destroy` calls that the method caused have returned, over whichever connections.
    pub fn poll_settled(&self, context: &Context<'_>) -> Poll<()> {
        let connections = std::iter::from_fn(|| self.destroys.next());
        let mut ids = connections.map(|connection: Connection| connection.id());
        let is_pending = |id| self.destroys.poll(id, context.waker()).is_pending();
        if ids.any(is_pending) {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }
}

/// Takes the frame away again, also when the method panics.
struct Left;

impl Drop for Left {
    fn drop(&mut self) {
        ThreadContext::with(|context| context.frames().borrow_mut().pop()).ok();
    }
}
