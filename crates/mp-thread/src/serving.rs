//! The calls that a thread serves, and the `destroy`s that their answers wait for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use mp_conn::{Cancellation, Connection, Error, ParamsHandle, ServerCall};

use crate::context::ThreadContext;

/// A call that the calling thread serves, from the time its method starts to the time it returned.
///
/// While it is there, nested calls over the same connection go to the thread of the peer that waits for this one.
#[derive(Debug)]
pub struct Serving {
    connection: Connection,
    destroys: Arc<Destroys>,
}

impl Serving {
    /// Says that this thread starts to run a method. `context_field`: the method's context among its params.
    ///
    /// # Errors
    ///
    /// When the thread is ending.
    pub fn start(call: &ServerCall, context_field: Option<u16>) -> Result<Self, Error> {
        let connection = call.connection();
        let destroys = Arc::new(Destroys::default());
        let frame = Frame {
            connection: connection.id(),
            caller: call.caller(),
            callback_thread: context_field
                .map(|field| (call.params_handle(), [field, CALLBACK_THREAD])),
            destroys: Arc::clone(&destroys),
            cancellation: call.cancellation(),
            event_loop: connection
                .event_loop()
                .is_current()
                .then(|| connection.event_loop().name().to_owned()),
        };
        ThreadContext::with(|context| context.frames().borrow_mut().push(frame))?;
        Ok(Self {
            connection,
            destroys,
        })
    }

    /// Waits for the `destroy` calls that the method caused, so that what it borrowed is gone when its caller gets the
    /// answer. Ends early when the connection does.
    pub fn settle(&self) {
        if self.destroys.count() == 0 || self.connection.event_loop().is_current() {
            return;
        }
        let settled = ThreadContext::with(|context| {
            context.wait(&self.connection, None, |waker| self.destroys.poll(waker))
        });
        if let Ok(Err(error)) = settled {
            tracing::warn!(target: "ipc", "cannot wait for destroyed objects: {error}");
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Fails only when the thread is ending, and the frames with it.
        ThreadContext::with(|context| context.frames().borrow_mut().pop()).ok();
    }
}

/// The `destroy` calls that a method caused and that have not returned.
#[derive(Debug, Default)]
pub(crate) struct Destroys {
    count: AtomicUsize,
    waker: Mutex<Option<Waker>>,
}

impl Destroys {
    fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    fn poll(&self, waker: &Waker) -> Poll<()> {
        *self.waker() = Some(waker.clone());
        if self.count() == 0 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn waker(&self) -> MutexGuard<'_, Option<Waker>> {
        self.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the answer of the call that this thread serves from being sent. Dropped when a `destroy` has returned.
#[derive(Debug)]
pub struct PendingDestroy {
    destroys: Arc<Destroys>,
}

impl PendingDestroy {
    /// Counts a `destroy` for the innermost call that this thread serves. `None`: it serves none that could wait.
    #[must_use]
    pub fn start() -> Option<Self> {
        let destroys = ThreadContext::with(|context| {
            let frames = context.frames().borrow();
            let frame = frames.last().filter(|frame| frame.event_loop.is_none())?;
            Some(Arc::clone(&frame.destroys))
        });
        let destroys = destroys.ok().flatten()?;
        destroys.count.fetch_add(1, Ordering::SeqCst);
        Some(Self { destroys })
    }
}

impl Drop for PendingDestroy {
    fn drop(&mut self) {
        if self.destroys.count.fetch_sub(1, Ordering::SeqCst) == 1 {
            let waker = self.destroys.waker().take();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

/// A call that a thread serves.
pub(crate) struct Frame {
    pub(crate) connection: u64,
    pub(crate) caller: Option<usize>,
    /// The params, and the path to the thread that waits for the answer. `None`: the method has no context.
    pub(crate) callback_thread: Option<(ParamsHandle, [u16; 2])>,
    destroys: Arc<Destroys>,
    pub(crate) cancellation: Cancellation,
    /// The method runs on this event loop's thread, where nothing may wait.
    pub(crate) event_loop: Option<String>,
}

/// The index of `Context.callbackThread`.
const CALLBACK_THREAD: u16 = 1;
