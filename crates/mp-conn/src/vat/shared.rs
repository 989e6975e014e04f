//! What the futures of a vat, its objects and its driver share. It never leaves the vat.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::{Rc, Weak};
use std::sync::{Arc, Weak as ArcWeak};
use std::task::Waker;

use capnp::any_pointer;
use capnp::capability::Response;
use capnp::message::{Builder, HeapAllocator};
use capnp::private::capability::{ClientHook, ParamsHook, ResultsHook};
use capnp_rpc::new_broken_cap;
use futures::channel::oneshot;
use futures::future::{AbortHandle, LocalBoxFuture};
use slab::Slab;

use super::inbox::{CallMessage, Inbox};
use super::local::LocalObject;
use super::memory::{Memory, MemoryPool};
use super::outbox::Outbox;
use crate::Error;
use crate::cancellation::RequestState;
use crate::capability::pipeline_ops;
use crate::inner::Inner;
use crate::limits::Limits;
use crate::object::Object;
use crate::server_call::ServerCall;

/// The tables of one connection.
pub(crate) struct Shared {
    pub(crate) connection: ArcWeak<Inner>,
    pub(crate) limits: Limits,
    pub(crate) closed: Cell<bool>,
    /// The RPC system is done with the connection: what it sent last is to be written, and then the connection closed.
    pub(crate) ending: Cell<bool>,
    /// The stream has ended, so that nobody is there to be told why this end ends.
    pub(crate) peer_ended: Cell<bool>,
    pub(crate) inbox: RefCell<Inbox>,
    pub(crate) outbox: RefCell<Outbox>,
    /// Memory for messages in both directions.
    pub(crate) pool: Rc<MemoryPool>,
    /// The message that `capnp-rpc` begins next is built in it.
    pub(crate) reuse: Cell<bool>,
    /// What `capnp-rpc` keeps of messages that were.
    pub(crate) empty_answer: OnceCell<Rc<Builder<HeapAllocator>>>,
    /// Calls of this process that were too large to be sent, until their numbers are used again.
    pub(crate) unsent: RefCell<HashSet<u32>>,
    /// Says that the call that was to be sent last was too large.
    pub(crate) too_large: Cell<bool>,
    /// What was sent since the vat was entered may be written together with what follows.
    pub(crate) batched: Cell<bool>,
    /// So many bytes, which are all that wait, may be written with what the thread that is inside sends next.
    pub(crate) held: Cell<usize>,
    /// The event loop's thread was asked to write what waits.
    pub(crate) flush_asked: Cell<bool>,
    /// Those who wait until fewer bytes are queued.
    pub(crate) room: RefCell<Vec<Waker>>,
    /// Futures that wait for their first poll.
    pub(crate) new_tasks: RefCell<Vec<LocalBoxFuture<'static, ()>>>,
    /// Capabilities that handles outside name by their key.
    pub(crate) imports: RefCell<Slab<Box<dyn ClientHook>>>,
    /// Calls of this process that handles outside wait for.
    pub(crate) calls: RefCell<Slab<CallSlot>>,
    /// Calls of the peer that are not answered yet.
    pub(crate) requests: RefCell<Slab<RequestSlot>>,
    /// Objects of this process that the vat knows, by the address of the object.
    pub(crate) locals: RefCell<HashMap<usize, Weak<LocalObject>>>,
    pub(crate) next_object: Cell<u64>,
    /// The call message that was looked at last.
    pub(crate) current_call: Rc<Cell<Option<CallMessage>>>,
    /// Threads that wait for what just happened, to be woken after unlocking.
    pub(crate) woken: RefCell<Vec<Waker>>,
    /// What to do after unlocking.
    pub(crate) deferred: RefCell<Vec<Deferred>>,
    /// Calls to hand to their objects after unlocking, in this order.
    pub(crate) dispatches: RefCell<Vec<Dispatch>>,
}

/// A call to be handed to its object.
pub(crate) type Dispatch = (Arc<dyn Object>, ServerCall);

/// What has to wait until the lock is released, because it may run code of the user's.
pub(crate) enum Deferred {
    /// Somebody outside waits for what just happened.
    Wake(Waker),
    /// Somebody outside does not wait any more.
    Forget(Waker),
    /// The vat let go of an object. The number orders them: newest first at a disconnect.
    Drop(u64, Arc<dyn Object>),
    /// The caller of a running method gave up, or the connection ended.
    Cancel(Arc<RequestState>),
    /// A call that nobody waits for has ended.
    Complete(Completion, Result<(), Error>),
    /// The event loop's thread is to write what waits.
    Flush(ArcWeak<Inner>),
    /// Something that belongs into the log.
    Report(&'static str),
}

/// What is to be done when a call that nobody waits for has ended.
pub(crate) type Completion = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// A call of this process.
pub(crate) struct CallSlot {
    pub(crate) state: CallState,
    /// The capabilities of the answer before it is there. `None` after the connection ended.
    pub(crate) pipeline: Option<any_pointer::Pipeline>,
    /// Woken when the answer is there, whether anybody takes it or not.
    pub(crate) ended: Option<Waker>,
    /// What is sent for it may be written together with what is sent for others.
    pub(crate) is_batched: bool,
}

impl CallSlot {
    /// An object of the answer, which need not be there yet.
    pub(crate) fn pipelined(&self, path: &[u16]) -> Result<Box<dyn ClientHook>, Error> {
        let ops = pipeline_ops(path);
        Ok(match (&self.state, &self.pipeline) {
            // `capnp-rpc` panics when an answer that is there lacks the object.
            (CallState::Done(Ok(response)), _) => {
                let content = response.hook.get();
                let object = content.and_then(|content| content.get_pipelined_cap(&ops));
                object.unwrap_or_else(|error| new_broken_cap(error).hook)
            }
            (CallState::Done(Err(error)), _) => new_broken_cap(error.clone()).hook,
            (_, Some(pipeline)) => pipeline.hook.get_pipelined_cap(&ops),
            (_, None) => return Err(Error::Disconnected),
        })
    }

    /// Takes those who wait. They are woken, or dropped, after unlocking.
    pub(crate) fn take_wakers(&mut self) -> impl Iterator<Item = Waker> + use<> {
        let waker = match &mut self.state {
            CallState::Waiting { waker, .. } => waker.take(),
            _ => None,
        };
        self.ended.take().into_iter().chain(waker)
    }
}

pub(crate) enum CallState {
    Waiting {
        waker: Option<Waker>,
        abort: AbortHandle,
    },
    /// Nobody waits: the function is called with the outcome.
    Unattended(Completion),
    Done(Result<Response<any_pointer::Owned>, capnp::Error>),
    /// The connection ended before the answer came.
    Disconnected,
}

/// A call of the peer.
pub(crate) struct RequestSlot {
    pub(crate) params: Box<dyn ParamsHook>,
    pub(crate) results: Box<dyn ResultsHook>,
    pub(crate) done: oneshot::Sender<capnp::Result<()>>,
    pub(crate) state: Arc<RequestState>,
    /// The memory of the params, if parts of it may be lent.
    pub(crate) lendable: Option<ArcWeak<Memory>>,
}

impl Shared {
    pub(crate) fn new(connection: ArcWeak<Inner>, limits: Limits) -> Self {
        Self {
            connection,
            inbox: RefCell::new(Inbox::new(limits.clone())),
            limits,
            closed: Cell::new(false),
            ending: Cell::new(false),
            peer_ended: Cell::new(false),
            outbox: RefCell::default(),
            pool: Rc::default(),
            reuse: Cell::new(false),
            empty_answer: OnceCell::new(),
            unsent: RefCell::default(),
            too_large: Cell::new(false),
            batched: Cell::new(false),
            held: Cell::new(0),
            flush_asked: Cell::new(false),
            room: RefCell::default(),
            new_tasks: RefCell::default(),
            imports: RefCell::default(),
            calls: RefCell::default(),
            requests: RefCell::default(),
            locals: RefCell::default(),
            next_object: Cell::new(0),
            current_call: Rc::default(),
            woken: RefCell::default(),
            deferred: RefCell::default(),
            dispatches: RefCell::default(),
        }
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.new_tasks.borrow_mut().push(Box::pin(task));
    }

    pub(crate) fn defer(&self, action: Deferred) {
        self.deferred.borrow_mut().push(action);
    }

    /// Says that what was just sent for a call is one of several messages, if so many calls are under way: it is left to the
    /// event loop's thread, which writes it with those that follow.
    ///
    /// With 64 calls under way, each end's share of a call was measured to cost a tenth less. A few are written at once: waking
    /// a thread takes longer than writing them.
    pub(crate) fn batch_calls(&self) {
        self.batched.set(self.calls.borrow().len() >= BATCH);
    }

    /// The same for what is sent for a call of the peer.
    pub(crate) fn batch_requests(&self) {
        self.batched.set(self.requests.borrow().len() >= BATCH);
    }

    /// Forgets what the thread that was inside last said of what it sent.
    pub(crate) fn begin_turn(&self) {
        self.batched.set(false);
        self.held.set(0);
    }

    /// Says that what waits to be written may be written with what the thread that is inside sends next.
    pub(crate) fn hold(&self) {
        self.held.set(self.outbox.borrow().queued());
    }

    /// Has those woken who wait until fewer bytes are queued, if they are. False: more are queued than can be allowed.
    ///
    /// Callers wait, but answers and the protocol's own messages do not.
    pub(crate) fn make_room(&self, queued: usize) -> bool {
        if queued < self.limits.queued_bytes {
            let waiting = self.room.take();
            let mut deferred = self.deferred.borrow_mut();
            deferred.extend(waiting.into_iter().map(Deferred::Wake));
        }
        let slack = self.limits.message_bytes.saturating_mul(UNASKED_MESSAGES);
        let allowed = queued <= self.limits.queued_bytes.saturating_add(slack);
        if !allowed {
            self.defer(Deferred::Report(
                "limit exceeded: queued_bytes; the peer does not read, and the connection is closed",
            ));
        }
        allowed
    }

    /// Enters a capability into the table. After the connection ended it is dropped, and the key names nothing: the table
    /// was emptied, and an entry under a key of old would be taken for the old one.
    pub(crate) fn add_import(&self, hook: Box<dyn ClientHook>) -> usize {
        if self.closed.get() {
            return NO_IMPORT;
        }
        self.imports.borrow_mut().insert(hook)
    }

    /// The capability that a key names. `None` after the connection ended.
    pub(crate) fn import(&self, key: usize) -> Option<Box<dyn ClientHook>> {
        self.imports.borrow().get(key).map(|hook| hook.add_ref())
    }

    /// Stores the outcome of a call, and has its waiter woken.
    pub(crate) fn complete_call(
        &self,
        key: usize,
        result: Result<Response<any_pointer::Owned>, capnp::Error>,
    ) {
        let mut calls = self.calls.borrow_mut();
        let Some(slot) = calls.get_mut(key) else {
            return;
        };
        match slot.state {
            CallState::Waiting { .. } => {
                let is_attended = !slot.is_batched;
                let wakers = slot.take_wakers();
                slot.state = CallState::Done(result);
                if is_attended {
                    self.woken.borrow_mut().extend(wakers);
                } else {
                    let mut deferred = self.deferred.borrow_mut();
                    deferred.extend(wakers.map(Deferred::Wake));
                }
            }
            CallState::Unattended(_) => {
                let slot = calls.remove(key);
                drop(calls);
                let result = result.map(drop).map_err(Error::from_wire);
                if let CallState::Unattended(completion) = slot.state {
                    self.defer(Deferred::Complete(completion, result));
                }
            }
            CallState::Done(_) | CallState::Disconnected => {}
        }
    }

    /// Follows promises that have resolved already.
    pub(crate) fn resolved(mut hook: Box<dyn ClientHook>) -> Box<dyn ClientHook> {
        while let Some(inner) = hook.get_resolved() {
            hook = inner;
        }
        hook
    }

    /// The object of this process behind a capability, if that is what it is.
    pub(crate) fn local_object(&self, hook: &dyn ClientHook) -> Option<Arc<dyn Object>> {
        if hook.get_brand() != 0 {
            return None;
        }
        let local = self.locals.borrow().get(&hook.get_ptr())?.upgrade()?;
        Some(Arc::clone(&local.object))
    }
}

/// How many messages of the greatest size may be queued beyond the limit: answers that were ready at the same moment.
const UNASKED_MESSAGES: usize = 4;

/// With so many calls under way, messages are written together.
const BATCH: usize = 8;

/// A key that never names anything.
const NO_IMPORT: usize = usize::MAX;
