//! The calls that a thread serves, and the `destroy`s that their answers wait for.

use std::cell::OnceCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use mp_conn::{
    Cancellation, Capability, Connection, Error, EventLoop, ParamsHandle, ServerCall,
    WeakConnection,
};

use crate::context::{Polled, ThreadContext};

/// A call that the calling thread serves, from the time its method starts to the time it returned.
///
/// While it is there, nested calls over the same connection go to the thread of the peer that waits for this one.
#[derive(Debug)]
pub struct Serving {
    connection: Connection,
    cancellation: Cancellation,
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
        let frame = Frame::new(call, context_field, Arc::clone(&destroys), true);
        ThreadContext::with(|context| context.begin(frame))?;
        Ok(Self {
            connection,
            cancellation: call.cancellation(),
            destroys,
        })
    }

    /// Waits for the `destroy` calls that the method caused, over whichever connections, so that what it borrowed is gone
    /// when its caller gets the answer. Ends early when the caller gives up, or goes away.
    pub fn settle(&self) {
        while let Some(connection) = self.destroys.next() {
            if self.cancellation.is_cancelled() {
                return;
            }
            let settled = ThreadContext::with(|context| {
                let mut told = false;
                context.wait(&connection, None, Polled::Never, |waker| {
                    if !std::mem::replace(&mut told, true) {
                        self.cancellation.wake_on_cancel(waker);
                    }
                    if self.cancellation.is_cancelled() {
                        return Poll::Ready(());
                    }
                    self.destroys.poll(connection.id(), waker)
                })
            });
            match settled {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    let name = self.connection.event_loop().name();
                    tracing::warn!(target: "ipc", "{{{name}}} cannot wait for destroyed objects: {error}");
                    return;
                }
                Err(_) => return,
            }
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
    pending: Mutex<Pending>,
}

#[derive(Debug, Default)]
struct Pending {
    /// The connections that the calls go over, each as often as it has calls.
    connections: Vec<(u64, WeakConnection)>,
    waker: Option<Waker>,
}

impl Destroys {
    /// A connection that has calls.
    pub(crate) fn next(&self) -> Option<Connection> {
        let pending = self.pending();
        // One that is gone has none: its calls have ended, though they may not have said so yet.
        pending
            .connections
            .iter()
            .find_map(|(_, connection)| connection.upgrade())
    }

    /// Ready when a connection has no calls any more.
    pub(crate) fn poll(&self, connection: u64, waker: &Waker) -> Poll<()> {
        // Cloned, and what it replaces dropped, without the lock.
        let mut waker = Some(waker.clone());
        let mut pending = self.pending();
        let is_waiting = pending.connections.iter().any(|(id, _)| *id == connection);
        if is_waiting {
            std::mem::swap(&mut pending.waker, &mut waker);
        }
        drop(pending);
        if is_waiting {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }

    fn start(&self, connection: &Connection) {
        let entry = (connection.id(), connection.downgrade());
        self.pending().connections.push(entry);
    }

    /// Forgets a call. The waker is to be woken without the lock.
    fn end(&self, connection: u64) -> Option<Waker> {
        let mut pending = self.pending();
        let index = pending
            .connections
            .iter()
            .position(|(id, _)| *id == connection);
        if let Some(index) = index {
            pending.connections.swap_remove(index);
        }
        pending.waker.take()
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the answer of the call that this thread serves from being sent. Dropped when a `destroy` has returned.
#[derive(Debug)]
pub struct PendingDestroy {
    destroys: Arc<Destroys>,
    connection: u64,
    is_attended: bool,
}

impl PendingDestroy {
    /// Counts a `destroy` over a connection for the innermost call that this thread serves. `None`: it serves none that could
    /// wait.
    #[must_use]
    pub fn start(connection: &Connection) -> Option<Self> {
        let may_block = EventLoop::may_block().is_ok();
        let waiting = ThreadContext::with(|context| {
            let frames = context.frames().borrow();
            let can_wait = |frame: &&Frame| may_block || !frame.is_attended;
            let frame = frames.last().filter(can_wait)?;
            Some((Arc::clone(&frame.destroys), frame.is_attended))
        });
        let (destroys, is_attended) = waiting.ok().flatten()?;
        destroys.start(connection);
        Some(Self {
            destroys,
            connection: connection.id(),
            is_attended,
        })
    }

    /// Whether this thread itself will wait, so that it can run what the destructor calls back.
    #[must_use]
    pub fn is_attended(&self) -> bool {
        self.is_attended
    }
}

impl Drop for PendingDestroy {
    fn drop(&mut self) {
        if let Some(waker) = self.destroys.end(self.connection) {
            waker.wake();
        }
    }
}

/// A call that a thread serves.
pub(crate) struct Frame {
    pub(crate) connection: u64,
    pub(crate) caller: Option<usize>,
    /// The params, and the path to the thread that waits for the answer. `None`: the method has no context.
    pub(crate) callback_thread: Option<(ParamsHandle, [u16; 2])>,
    /// That thread, once something was called there. Reading the params again and again would use up what may be read of them.
    pub(crate) caller_thread: OnceCell<Capability>,
    destroys: Arc<Destroys>,
    pub(crate) cancellation: Cancellation,
    /// The thread stays with the call until it is answered: the method is not asynchronous.
    is_attended: bool,
}

impl Frame {
    /// The frame of a call whose method runs on the calling thread.
    pub(crate) fn new(
        call: &ServerCall,
        context_field: Option<u16>,
        destroys: Arc<Destroys>,
        is_attended: bool,
    ) -> Self {
        Self {
            connection: call.connection().id(),
            caller: call.caller(),
            callback_thread: context_field
                .map(|field| (call.params_handle(), [field, CALLBACK_THREAD])),
            caller_thread: OnceCell::new(),
            destroys,
            cancellation: call.cancellation(),
            is_attended,
        }
    }
}

/// The index of `Context.callbackThread`.
const CALLBACK_THREAD: u16 = 1;
