//! A call of this process on its way.

use std::sync::Arc;
use std::task::{Poll, Waker};

use capnp::any_pointer;
use capnp::traits::Imbue;
use futures::future::abortable;

use crate::capability::Capability;
use crate::connection::Connection;
use crate::contain::contained;
use crate::error::QUEUED_BYTES;
use crate::inner::{Inner, Release};
use crate::proxy_capnp::context;
use crate::vat::raw;
use crate::vat::shared::{CallSlot, CallState, Completion, Deferred, Shared};
use crate::vat::state::State;
use crate::{Error, Message, Object};

/// What the run-time adds to a call's params, beside the caller's arguments.
#[derive(Clone, Debug, Default)]
pub struct CallContext {
    /// The `Context`, if the method has one.
    pub threads: Option<Threads>,
    /// Objects of this process to be put into pointer fields, such as a thread map.
    pub objects: Vec<(u16, Arc<dyn Object>)>,
    /// Whether the call fails with [`Error::LimitExceeded`] when [`queued_bytes`](crate::Limits::queued_bytes) wait to be
    /// written. Calls that nobody waits for do not: they must not get lost, and are small.
    pub bounded: bool,
    /// Woken when the answer is there or the connection has ended, whether anybody takes the answer or not. Not woken for a
    /// call that is given up, or that [nobody waits for](Call::complete_later).
    pub ended: Option<Waker>,
    /// Whether what is sent for the call may be written together with what is sent for others: no thread waits for it.
    pub batched: bool,
    /// Whether what is sent may be written with what the calling thread sends next, which it does in a moment.
    pub held: bool,
}

/// The content of a `Context`.
#[derive(Clone, Debug)]
pub struct Threads {
    /// The index of the params' pointer field.
    pub field: u16,
    /// The peer's thread that is to run the call. `None`: null.
    pub thread: Option<Capability>,
    /// This process's thread that runs the peer's callbacks.
    pub callback_thread: Option<Arc<dyn Object>>,
}

/// A call that was sent. Dropping it tells the peer that the answer is not wanted.
#[derive(Debug)]
pub struct Call {
    connection: Arc<Inner>,
    key: Option<usize>,
}

impl Call {
    pub(crate) fn send(
        target: &Capability,
        interface_id: u64,
        ordinal: u16,
        context: &CallContext,
        build: impl FnOnce(any_pointer::Builder<'_>, &State) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let connection = target.inner()?;
        let method = (interface_id, ordinal);
        let key = Self::send_then(&connection, target, method, context, build, |_, key| {
            Ok(key)
        })?;
        Ok(Self {
            connection,
            key: Some(key),
        })
    }

    /// Sends a call that nobody waits for, whose end is told to a function, and takes an object of its answer.
    pub(crate) fn send_unattended(
        target: &Capability,
        method: (u64, u16),
        context: &CallContext,
        build: impl FnOnce(any_pointer::Builder<'_>, &State) -> Result<(), Error>,
        path: &[u16],
        completion: Completion,
    ) -> Result<Capability, Error> {
        let connection = target.inner()?;
        // Dropped outside of the lock if it is not taken.
        let mut completion = Some(completion);
        let sent = Self::send_then(&connection, target, method, context, build, |state, key| {
            let shared = &state.shared;
            let mut calls = shared.calls.borrow_mut();
            let slot = calls.get_mut(key).ok_or(Error::Disconnected)?;
            if let Some(completion) = completion.take() {
                slot.state = CallState::Unattended(completion);
            }
            let hook = slot.pipelined(path)?;
            drop(calls);
            Ok(shared.add_import(hook))
        });
        Ok(Capability::new(connection, sent?))
    }

    fn send_then(
        connection: &Arc<Inner>,
        target: &Capability,
        (interface_id, ordinal): (u64, u16),
        context: &CallContext,
        build: impl FnOnce(any_pointer::Builder<'_>, &State) -> Result<(), Error>,
        then: impl FnOnce(&State, usize) -> Result<usize, Error>,
    ) -> Result<usize, Error> {
        let inner = connection;
        let mut ended = context.ended.clone();
        connection.enter(|state| {
            if state.is_closed() {
                return Err(inner.disconnected());
            }
            let queued = state.shared.outbox.borrow().queued();
            if context.bounded && queued >= inner.limits.queued_bytes {
                return Err(Error::limit(QUEUED_BYTES, inner.limits.queued_bytes));
            }
            let hook = state
                .shared
                .import(target.key())
                .ok_or(Error::CalledAfterDisconnect)?;
            // `capnp-rpc` panics if params with objects are for a promise that became no object of the peer's.
            let hook = Shared::resolved(hook);
            let mut request = state
                .shared
                .in_reused_memory(|| hook.new_call(interface_id, ordinal, None));
            build(request.hook.get(), state)?;
            if let Some(threads) = &context.threads {
                set_threads(request.hook.get(), threads, inner, state)?;
            }
            for object in &context.objects {
                raw::put_object(request.hook.get(), object, &state.shared)?;
            }
            state.shared.too_large.set(false);
            let sent = request.hook.send();
            if state.shared.too_large.take() {
                return Err(Error::limit("message_bytes", inner.limits.message_bytes));
            }
            let key = start(state, sent, ended.take(), context.batched);
            if context.batched {
                state.shared.batch_calls();
            }
            if context.held && queued == 0 {
                state.shared.hold();
            }
            then(state, key)
        })?
    }

    /// The connection that the call went over.
    #[must_use]
    pub fn connection(&self) -> Connection {
        Connection::from_inner(Arc::clone(&self.connection))
    }

    /// An object of the answer, before the answer is there: calls on it go out at once. If the answer is a failure, or lacks
    /// the object, they fail, whether that is known already or not.
    ///
    /// # Errors
    ///
    /// [`Error::Disconnected`] when the connection has ended.
    pub fn pipelined(&self, path: &[u16]) -> Result<Capability, Error> {
        let key = self.key.ok_or(Error::Cancelled)?;
        let import = self.connection.enter(|state| {
            let calls = state.shared.calls.borrow();
            let slot = calls.get(key).ok_or(Error::Disconnected)?;
            Ok::<_, Error>(state.shared.add_import(slot.pipelined(path)?))
        })??;
        Ok(Capability::new(Arc::clone(&self.connection), import))
    }

    /// Lets the call go on without anybody waiting for it. The function is called when it has ended, on whichever thread
    /// learned of it, without the connection's lock. It must not wait.
    ///
    /// # Errors
    ///
    /// When the connection has ended already: then the function is not called.
    pub fn complete_later(
        mut self,
        completion: impl FnOnce(Result<(), Error>) + Send + 'static,
    ) -> Result<(), Error> {
        let key = self.key.take().ok_or(Error::Cancelled)?;
        // Dropped outside of the lock if it is not called.
        let mut completion: Option<Completion> = Some(Box::new(completion));
        self.connection.enter(|state| {
            let shared = &state.shared;
            let mut calls = shared.calls.borrow_mut();
            let slot = calls.get_mut(key).ok_or(Error::Disconnected)?;
            if matches!(slot.state, CallState::Waiting { .. }) {
                let wakers = slot.take_wakers().map(Deferred::Forget);
                shared.deferred.borrow_mut().extend(wakers);
                let unattended = completion.take().map(CallState::Unattended);
                slot.state = unattended.unwrap_or(CallState::Disconnected);
                return Ok(());
            }
            let slot = calls.remove(key);
            drop(calls);
            let result = match slot.state {
                CallState::Done(result) => result.map(drop).map_err(Error::from_wire),
                _ => return Err(Error::Disconnected),
            };
            let complete = completion.take();
            let complete = complete.map(|completion| Deferred::Complete(completion, result));
            shared.deferred.borrow_mut().extend(complete);
            Ok(())
        })?
    }

    /// Reads the answer in place if it is there: the function runs with the connection's lock held, and sees no objects.
    /// If it is not, the waker is woken when it is.
    pub fn poll_read<R: Send>(
        &mut self,
        waker: &Waker,
        read: &mut Option<impl FnOnce(any_pointer::Reader<'_>) -> Result<R, Error>>,
    ) -> Poll<Result<R, Error>> {
        self.poll_with(waker, |content, _| {
            let no_objects = Vec::new();
            let mut content = content;
            content.imbue(&no_objects);
            match read.take() {
                Some(read) => contained(|| read(content)),
                None => Err(Error::Cancelled),
            }
        })
    }

    /// Copies the answer out if it is there, with the objects that it refers to.
    pub fn poll_message(&mut self, waker: &Waker) -> Poll<Result<Message, Error>> {
        let connection = Arc::clone(&self.connection);
        self.poll_with(waker, |content, state| {
            Message::copy_from(content, &connection, state)
        })
    }

    fn poll_with<R: Send>(
        &mut self,
        waker: &Waker,
        read: impl FnOnce(any_pointer::Reader<'_>, &State) -> Result<R, Error>,
    ) -> Poll<Result<R, Error>> {
        let Some(key) = self.key else {
            return Poll::Ready(Err(Error::Cancelled));
        };
        // Cloned, and what it replaces dropped, outside of the lock.
        let mut waker = Some(waker.clone());
        let polled = self.connection.enter(|state| {
            let slot = {
                let mut calls = state.shared.calls.borrow_mut();
                match calls.get_mut(key).map(|slot| &mut slot.state) {
                    None => return Poll::Ready(Err(Error::Disconnected)),
                    Some(CallState::Unattended(_)) => return Poll::Ready(Err(Error::Cancelled)),
                    Some(CallState::Waiting { waker: current, .. }) => {
                        std::mem::swap(current, &mut waker);
                        return Poll::Pending;
                    }
                    Some(_) => calls.try_remove(key),
                }
            };
            if slot.as_ref().is_some_and(|slot| slot.is_batched) {
                state.shared.batch_calls();
            }
            Poll::Ready(match slot.map(|slot| slot.state) {
                Some(CallState::Done(Ok(response))) => response
                    .hook
                    .get()
                    .map_err(Error::from)
                    .and_then(|content| read(content, state)),
                Some(CallState::Done(Err(error))) => Err(Error::from_wire(error)),
                _ => Err(Error::Disconnected),
            })
        });
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(result)) => {
                self.key = None;
                Poll::Ready(result.map_err(|error| self.connection.limits.reading(error)))
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.connection.release(Release::Call(key));
        }
    }
}

/// Enters a sent call into the vat's table, with a future that completes it.
fn start(
    state: &State,
    sent: capnp::capability::RemotePromise<any_pointer::Owned>,
    ended: Option<Waker>,
    is_batched: bool,
) -> usize {
    let shared = &state.shared;
    let (answer, abort) = abortable(sent.promise);
    let key = shared.calls.borrow_mut().insert(CallSlot {
        state: CallState::Waiting { waker: None, abort },
        pipeline: Some(sent.pipeline),
        ended,
        is_batched,
    });
    let weak = std::rc::Rc::downgrade(shared);
    shared.spawn(async move {
        if let (Ok(result), Some(shared)) = (answer.await, weak.upgrade()) {
            shared.complete_call(key, result);
        }
    });
    key
}

fn set_threads(
    params: any_pointer::Builder<'_>,
    threads: &Threads,
    connection: &Inner,
    state: &State,
) -> Result<(), Error> {
    let mut builder: context::Builder<'_> = raw::pointer_field(params, threads.field)?.init_as();
    if let Some(thread) = &threads.thread {
        let thread = crate::Reference::Remote(thread.clone()).to_hook(connection, state)?;
        let thread = Shared::resolved(thread);
        // The peer would only say that this is no thread.
        if let Some(error) = state.shared.broken(thread.as_ref()) {
            return Err(Error::from_wire(error));
        }
        builder.set_thread(capnp::capability::FromClientHook::new(thread));
    }
    if let Some(callback) = &threads.callback_thread {
        builder.set_callback_thread(capnp::capability::FromClientHook::new(
            state.export(callback)?,
        ));
    }
    Ok(())
}
