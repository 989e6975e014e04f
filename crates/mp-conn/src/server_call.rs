//! A call of the peer's on its way through this process.

use std::sync::Arc;

use capnp::any_pointer;
use capnp::private::capability::ResultsHook;
use capnp::traits::{Imbue, ImbueMut};
use futures::channel::oneshot;

use crate::before_answer::BeforeAnswer;
use crate::call_inside::object_at;
use crate::cancellation::{Cancellation, RequestState};
use crate::connection::Connection;
use crate::inner::{Inner, Release};
use crate::lent::Lender;
use crate::vat::raw;
use crate::vat::shared::RequestSlot;
use crate::vat::state::State;
use crate::{Error, Message, Object, Reference};

/// A call of the peer's that waits for its answer.
///
/// Any thread may answer it. Dropping it unanswered answers with a failure.
#[derive(Debug)]
pub struct ServerCall {
    /// Boxed: it goes through many hands, each of which would have room for it on the thread's stack.
    parts: Box<Parts>,
}

#[derive(Debug)]
struct Parts {
    connection: Arc<Inner>,
    key: Option<usize>,
    interface_id: u64,
    ordinal: u16,
    thread: ThreadRef,
    caller: Option<usize>,
    is_batched: bool,
    before_answer: BeforeAnswer,
    state: Arc<RequestState>,
}

/// The thread that a call asks for, after promises have resolved.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ThreadRef {
    /// The method has no context: it runs where the connection is served.
    NotMapped,
    /// There is no context, or no thread in it.
    Unspecified,
    /// An object of this process, which should be a thread.
    Local(Arc<dyn Object>),
    /// A capability that is not of this process.
    Foreign,
    /// A promise that broke.
    Broken(capnp::Error),
}

impl ServerCall {
    pub(crate) fn new(
        connection: Arc<Inner>,
        key: usize,
        interface_id: u64,
        ordinal: u16,
        state: Arc<RequestState>,
    ) -> Self {
        let parts = Parts {
            connection,
            key: Some(key),
            interface_id,
            ordinal,
            thread: ThreadRef::NotMapped,
            caller: None,
            is_batched: false,
            before_answer: BeforeAnswer::default(),
            state,
        };
        Self {
            parts: Box::new(parts),
        }
    }

    pub(crate) fn by(mut self, caller: Option<usize>) -> Self {
        self.parts.caller = caller;
        self
    }

    pub(crate) fn on(mut self, thread: ThreadRef) -> Self {
        self.parts.thread = thread;
        self
    }

    /// The interface that declares the method.
    #[must_use]
    pub fn interface_id(&self) -> u64 {
        self.parts.interface_id
    }

    /// The method's number in its interface.
    #[must_use]
    pub fn ordinal(&self) -> u16 {
        self.parts.ordinal
    }

    /// The thread that the call asks for.
    #[must_use]
    pub fn thread(&self) -> &ThreadRef {
        &self.parts.thread
    }

    /// What tells the peer's calling threads apart: the same for all calls of one thread while one of them is unanswered.
    /// `None`: the caller did not name a thread for callbacks.
    #[must_use]
    pub fn caller(&self) -> Option<usize> {
        self.parts.caller
    }

    /// The connection that the call came over.
    #[must_use]
    pub fn connection(&self) -> Connection {
        Connection::from_inner(Arc::clone(&self.parts.connection))
    }

    /// Says that the answer may be written together with those of other calls, where many are running.
    pub fn answer_in_batches(&mut self) {
        self.parts.is_batched = true;
    }

    /// Has a function called when the method has ended, before the answer goes out, or when the call is dropped. It must not wait.
    pub fn before_answer(&mut self, action: impl FnOnce() + Send + Sync + 'static) {
        self.parts.before_answer = BeforeAnswer::new(action);
    }

    /// Whether the caller gave up, or went away. The answer will be thrown away.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.parts.state.is_cancelled()
    }

    /// A handle that tells when the caller gives up.
    #[must_use]
    pub fn cancellation(&self) -> Cancellation {
        Cancellation {
            state: Arc::clone(&self.parts.state),
        }
    }

    /// A handle to the params, which finds nothing once the call was answered.
    #[must_use]
    pub fn params_handle(&self) -> ParamsHandle {
        ParamsHandle {
            connection: Arc::clone(&self.parts.connection),
            key: self.parts.key.unwrap_or(usize::MAX),
            state: Arc::clone(&self.parts.state),
        }
    }

    /// Reads the params in place: the function runs with the connection's lock held, and sees no objects.
    ///
    /// # Errors
    ///
    /// Those of the function; [`Error::Cancelled`] when the connection has ended.
    pub fn read_params<R: Send>(
        &self,
        read: impl FnOnce(any_pointer::Reader<'_>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        self.lend_params(|params, _| read(params))
    }

    /// The same for a function that may keep bytes of the params, without copying them.
    ///
    /// # Errors
    ///
    /// Those of the function; [`Error::Cancelled`] when the connection has ended.
    pub fn lend_params<R: Send>(
        &self,
        read: impl FnOnce(any_pointer::Reader<'_>, Lender) -> Result<R, Error>,
    ) -> Result<R, Error> {
        self.with_slot(|slot, _| {
            let no_objects = Vec::new();
            let lender = Lender::of(slot.lendable.as_ref());
            let mut content = slot.params.get()?;
            content.imbue(&no_objects);
            crate::contain::contained(|| read(content, lender))
        })
    }

    /// Copies the params out, with the objects that they refer to.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`] when the connection has ended; [`Error::Malformed`].
    pub fn params(&self) -> Result<Message, Error> {
        let connection = Arc::clone(&self.parts.connection);
        self.with_slot(|slot, state| Message::copy_from(slot.params.get()?, &connection, state))
    }

    /// The object at a path of pointer fields in the params. `None`: it is null.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`] when the connection has ended; [`Error::Malformed`].
    pub fn param_object(&self, path: &[u16]) -> Result<Option<Reference>, Error> {
        self.params_handle().object(path)
    }

    /// Answers with results built in place: the function runs with the connection's lock held, and sets no objects.
    /// The objects are put into pointer fields of the results after it.
    ///
    /// # Errors
    ///
    /// Those of the function, which the caller gets as well; [`Error::Cancelled`] when the connection has ended.
    pub fn reply(
        self,
        objects: &[(u16, Arc<dyn Object>)],
        build: impl FnOnce(any_pointer::Builder<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.finish(|results, state| {
            let mut no_objects = Vec::new();
            let mut content = if objects.is_empty() {
                state.shared.in_reused_memory(|| results.get())?
            } else {
                results.get()?
            };
            content.imbue_mut(&mut no_objects);
            crate::contain::contained(|| build(content))?;
            put_objects(results, objects, state)
        })
    }

    /// Answers with results that were built apart. The objects are put into pointer fields of the results after them.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`] when the connection has ended; [`Error::Malformed`].
    pub fn reply_message(
        self,
        objects: &[(u16, Arc<dyn Object>)],
        message: Message,
    ) -> Result<(), Error> {
        let connection = Arc::clone(&self.parts.connection);
        // Dropped outside of the lock if it is not sent: then it may have the last references.
        let mut message = Some(message);
        self.finish(|results, state| {
            if let Some(content) = &message {
                content.copy_to(results.get()?, &connection, state)?;
            }
            // From here on the vat has the objects. They are its alone when the peer gets them: what happens to them then is not
            // to depend on when this thread comes to let go of them.
            message = None;
            put_objects(results, objects, state)
        })
    }

    /// Answers with a failure.
    pub fn fail(self, error: &Error) {
        self.fail_with(error.to_wire());
    }

    /// Answers with a failure whose kind and text are given.
    pub fn fail_with(mut self, error: capnp::Error) {
        self.parts.before_answer.run();
        if let Some(key) = self.parts.key.take() {
            self.parts.connection.release(Release::Request(key, error));
        }
    }

    fn enter<R: Send>(&self, action: impl FnOnce(&State) -> R) -> Result<R, Error> {
        self.parts.connection.enter(|state| {
            if self.parts.is_batched {
                state.shared.batch_requests();
            }
            action(state)
        })
    }

    fn with_slot<R: Send>(
        &self,
        action: impl FnOnce(&mut RequestSlot, &State) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let Some(key) = self.parts.key else {
            return Err(Error::Cancelled);
        };
        let read = self.enter(|state| {
            let mut requests = state.shared.requests.borrow_mut();
            let slot = requests.get_mut(key).ok_or(Error::Cancelled)?;
            action(slot, state)
        })?;
        read.map_err(|error| self.parts.connection.limits.reading(error))
    }

    fn finish(
        mut self,
        build: impl FnOnce(&mut dyn ResultsHook, &State) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.parts.before_answer.run();
        let Some(key) = self.parts.key.take() else {
            return Err(Error::Cancelled);
        };
        self.enter(|state| {
            let slot = state.shared.requests.borrow_mut().try_remove(key);
            let RequestSlot {
                params,
                mut results,
                done,
                ..
            } = slot.ok_or(Error::Cancelled)?;
            // First: the results are built in the same memory, which is in the processor's cache.
            drop(params);
            let result = build(results.as_mut(), state);
            let answer = match &result {
                Ok(()) => Ok(()),
                Err(error) => Err(error.to_wire()),
            };
            send_answer(results, done, answer);
            result
        })?
    }
}

impl Drop for ServerCall {
    fn drop(&mut self) {
        self.parts.before_answer.run();
        if let Some(key) = self.parts.key.take() {
            let error = Error::failed("the call was dropped without an answer").to_wire();
            self.parts.connection.release(Release::Request(key, error));
        }
    }
}

/// The params of a call that is being served.
#[derive(Clone, Debug)]
pub struct ParamsHandle {
    connection: Arc<Inner>,
    key: usize,
    state: Arc<RequestState>,
}

impl ParamsHandle {
    /// The object at a path of pointer fields in the params. `None`: it is null.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`] when the call was answered or the connection has ended; [`Error::Malformed`].
    pub fn object(&self, path: &[u16]) -> Result<Option<Reference>, Error> {
        self.connection.enter(|state| {
            let requests = state.shared.requests.borrow();
            let slot = requests
                .get(self.key)
                .filter(|slot| Arc::ptr_eq(&slot.state, &self.state))
                .ok_or(Error::Cancelled)?;
            let params = slot.params.get()?;
            object_at(params, path, &self.connection, &state.shared)
        })?
    }
}

fn put_objects(
    results: &mut dyn ResultsHook,
    objects: &[(u16, Arc<dyn Object>)],
    state: &State,
) -> Result<(), Error> {
    for object in objects {
        raw::put_object(results.get()?, object, &state.shared)?;
    }
    Ok(())
}

/// Lets a served call's answer go out.
pub(crate) fn answer_slot(slot: RequestSlot, answer: capnp::Result<()>) {
    let RequestSlot {
        params,
        results,
        done,
        ..
    } = slot;
    drop(params);
    send_answer(results, done, answer);
}

fn send_answer(
    results: Box<dyn ResultsHook>,
    done: oneshot::Sender<capnp::Result<()>>,
    answer: capnp::Result<()>,
) {
    // `capnp-rpc` sends the results when they are dropped and the call's promise is done.
    drop(results);
    // The receiver is gone only if the connection is.
    drop(done.send(answer));
}
