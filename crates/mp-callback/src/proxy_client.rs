//! A reference to an object of the peer: the client side of a proxy.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use capnp::any_pointer;
use capnp::traits::Owned;
use mp_conn::{Call, CallContext, Capability, Connection, Error, EventLoop, Message, Threads};
use mp_thread::{PendingDestroy, Sending, ThreadLease};

use crate::server_call::contained;
use crate::{InterfaceInfo, Method, Objects, log};

/// A reference to an object of the peer, which generated clients hold.
///
/// Clones share it. When the last is dropped, the object's `destroy` method is called if it has one, and the reference is
/// released: dropping never blocks, but if it happens inside a method that this process serves, that method's answer waits
/// for it.
#[derive(Clone, Debug)]
pub struct ProxyClient {
    reference: Arc<ObjectRef>,
    timeout: Option<Duration>,
}

#[derive(Debug)]
struct ObjectRef {
    capability: Capability,
    info: &'static InterfaceInfo,
    /// `destroy` was called, or will be no more.
    destroyed: AtomicBool,
}

impl ProxyClient {
    /// Takes a reference. If the interface has a `construct` method, it is called, without waiting for its answer: the two
    /// ends exchange their thread maps.
    ///
    /// # Errors
    ///
    /// [`Error::Disconnected`] when the connection has ended.
    pub fn new(capability: Capability, info: &'static InterfaceInfo) -> Result<Self, Error> {
        if let Some(method) = info.construct {
            construct(&capability, method)?;
        }
        tracing::debug!(target: "ipc", "Creating {} client", info.name);
        Ok(Self {
            reference: Arc::new(ObjectRef {
                capability,
                info,
                destroyed: AtomicBool::new(false),
            }),
            timeout: None,
        })
    }

    /// The connection that the object is reached over.
    ///
    /// # Errors
    ///
    /// [`Error::CalledAfterDisconnect`] when it is gone.
    pub fn connection(&self) -> Result<Connection, Error> {
        self.reference.capability.connection()
    }

    /// The reference itself.
    #[must_use]
    pub fn capability(&self) -> &Capability {
        &self.reference.capability
    }

    /// The same reference, with calls that give up after a time: they fail with [`Error::TimedOut`], and are cancelled at the
    /// peer. Takes the place of the [connection's timeout](Connection::set_timeout).
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self {
            reference: Arc::clone(&self.reference),
            timeout: Some(timeout),
        }
    }

    /// What the run-time knows of the object's interface.
    pub(crate) fn info(&self) -> &'static InterfaceInfo {
        self.reference.info
    }

    /// When a call that is made now gives up.
    pub(crate) fn deadline(&self, connection: &Connection) -> Option<Instant> {
        let timeout = self.timeout.or_else(|| connection.timeout())?;
        Instant::now().checked_add(timeout)
    }

    /// Calls a method and waits for its answer. Callbacks that belong to it run on the calling thread meanwhile.
    ///
    /// `build` and `read` may run with the connection's lock held, unless the method says otherwise.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn call<P: Owned, R: Owned, T: Send>(
        &self,
        method: &'static Method,
        build: impl FnOnce(P::Builder<'_>, &mut Objects) -> Result<(), Error>,
        read: impl FnOnce(R::Reader<'_>, &Objects) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let connection = self.connection()?;
        EventLoop::may_block()?;
        let context = CallContext {
            threads: method
                .context
                .map(|field| mp_thread::threads(&connection, field))
                .transpose()?,
            bounded: true,
            ended: Some(mp_thread::waker()?),
            ..CallContext::default()
        };
        let deadline = self.deadline(&connection);
        let ahead = || {
            mp_thread::wait_for_room(&connection, deadline)?;
            mp_thread::wait_ahead(&connection, Sending::Call);
            Ok(())
        };
        let sent = self.send::<P>(&connection, method, context, build, ahead);
        let (mut call, _homes) = sent.inspect_err(|_| mp_thread::wait_not())?;
        if let Some(field) = method.thread_map_result {
            mp_thread::wait_not();
            mp_thread::set_thread_map(&connection, Some(call.pipelined(&[field])?))?;
        }
        let result = receive::<R, T>(&connection, &mut call, method, deadline, read);
        log::received_response(&connection, method, result.as_ref().err());
        result
    }

    /// Calls the object's `destroy` method and waits for it. The object cannot be called any more, through no clone.
    ///
    /// # Errors
    ///
    /// [`Error::Destroyed`] the second time; else as for any call.
    pub fn destroy(&self) -> Result<(), Error> {
        let connection = self.connection()?;
        EventLoop::may_block()?;
        self.end()?;
        let Some(method) = self.reference.info.destroy else {
            return Ok(());
        };
        log::destroying(self.reference.info.name);
        let threads = method
            .context
            .map(|field| mp_thread::threads(&connection, field))
            .transpose()?;
        let capability = &self.reference.capability;
        let context = CallContext {
            threads,
            ended: Some(mp_thread::waker()?),
            ..CallContext::default()
        };
        let mut call = send_destroy(capability, &connection, method, &context)?;
        let deadline = self.deadline(&connection);
        receive::<any_pointer::Owned, ()>(&connection, &mut call, method, deadline, |_, _| Ok(()))
    }

    /// Gives the reference up to the peer, with whom the object is at home. If it is the last one, the object is not
    /// destroyed but released: the peer goes on using it.
    pub(crate) fn leave_at_home(self) {
        if let Some(mut reference) = Arc::into_inner(self.reference) {
            *reference.destroyed.get_mut() = true;
        }
    }

    /// Says that the object is about to be destroyed: it cannot be called any more.
    ///
    /// # Errors
    ///
    /// [`Error::Destroyed`] the second time.
    pub(crate) fn end(&self) -> Result<(), Error> {
        if self.reference.destroyed.swap(true, Ordering::SeqCst) {
            return Err(self.destroyed_error());
        }
        Ok(())
    }

    /// Whether the object can be called.
    ///
    /// # Errors
    ///
    /// [`Error::Destroyed`].
    pub(crate) fn is_alive(&self) -> Result<(), Error> {
        if self.reference.destroyed.load(Ordering::SeqCst) {
            return Err(self.destroyed_error());
        }
        Ok(())
    }

    fn destroyed_error(&self) -> Error {
        Error::Destroyed {
            interface: self.reference.info.name.to_owned(),
        }
    }

    /// Sends a call. The proxies that come with it are to be kept until the answer is there. `ahead` is called right before
    /// the call is sent, and again if other threads took the room that there was.
    pub(crate) fn send<P: Owned>(
        &self,
        connection: &Connection,
        method: &'static Method,
        mut context: CallContext,
        build: impl FnOnce(P::Builder<'_>, &mut Objects) -> Result<(), Error>,
        ahead: impl Fn() -> Result<(), Error>,
    ) -> Result<(Call, Vec<Self>), Error> {
        self.is_alive()?;
        log::sending_request(connection, method);
        let target = &self.reference.capability;
        let (id, ordinal) = (method.interface_id, method.ordinal);
        if let Some(field) = method.thread_map_param {
            context
                .objects
                .push((field, mp_thread::thread_map(connection)));
        }
        if method.apart_params {
            let (message, homes) = build_message::<P>(connection, build)?;
            loop {
                ahead()?;
                let sent = Connection::call_message(target, id, ordinal, &context, &message);
                if !sent.as_ref().is_err_and(Error::is_full) {
                    return Ok((sent?, homes));
                }
            }
        } else {
            let mut build = Some(build);
            loop {
                ahead()?;
                let sent = Connection::call(target, id, ordinal, &context, |params| {
                    let build = build.take().ok_or(Error::Cancelled)?;
                    build(params.init_as(), &mut Objects::default())
                });
                if build.is_none() || !sent.as_ref().is_err_and(Error::is_full) {
                    return Ok((sent?, Vec::new()));
                }
            }
        }
    }
}

impl Drop for ObjectRef {
    fn drop(&mut self) {
        let Some(method) = self.info.destroy else {
            return;
        };
        if *self.destroyed.get_mut() {
            return;
        }
        let Ok(connection) = self.capability.connection() else {
            return;
        };
        if connection.is_closed() {
            return;
        }
        let capability = self.capability.clone();
        let pending = PendingDestroy::start(&connection);
        if connection.event_loop().is_current() {
            // The loop's thread has no counterpart at the peer; the cleanup thread has.
            let event_loop = connection.event_loop().clone();
            event_loop
                .post_cleanup(move || destroy_later(capability, &connection, method, pending));
        } else {
            destroy_later(capability, &connection, method, pending);
        }
    }
}

/// Builds params apart, and collects the proxies whose objects come home with them.
pub(crate) fn build_message<P: Owned>(
    connection: &Connection,
    build: impl FnOnce(P::Builder<'_>, &mut Objects) -> Result<(), Error>,
) -> Result<(Message, Vec<ProxyClient>), Error> {
    let mut homes = Vec::new();
    let message = contained(|| {
        Message::build(|params: any_pointer::Builder<'_>, references| {
            let mut objects = Objects::building(connection);
            build(params.init_as(), &mut objects)?;
            (*references, homes) = objects.into_built();
            Ok(())
        })
    })?;
    Ok((message, homes))
}

/// Waits for the answer of a call that was sent with the thread's waker, and reads it.
fn receive<R: Owned, T: Send>(
    connection: &Connection,
    call: &mut Call,
    method: &'static Method,
    deadline: Option<Instant>,
    read: impl FnOnce(R::Reader<'_>, &Objects) -> Result<T, Error>,
) -> Result<T, Error> {
    if method.apart_results {
        let message =
            mp_thread::wait_for_waker(connection, deadline, |waker| call.poll_message(waker))??;
        return contained(|| {
            message.read(|results, references| {
                read(results.get_as()?, &Objects::reading(connection, references))
            })
        });
    }
    let mut read =
        Some(|results: any_pointer::Reader<'_>| read(results.get_as()?, &Objects::default()));
    mp_thread::wait_for_waker(connection, deadline, |waker| -> Poll<Result<T, Error>> {
        call.poll_read(waker, &mut read)
    })?
}

fn construct(capability: &Capability, method: &'static Method) -> Result<(), Error> {
    let connection = capability.connection()?;
    let context = CallContext {
        threads: None,
        objects: method
            .thread_map_param
            .map(|field| (field, mp_thread::thread_map(&connection)))
            .into_iter()
            .collect(),
        ..CallContext::default()
    };
    log::sending_request(&connection, method);
    let (id, ordinal) = (method.interface_id, method.ordinal);
    let told = connection.downgrade();
    let ended = move |result: Result<(), Error>| {
        if let Some(connection) = told.upgrade() {
            log::received_response(&connection, method, result.as_ref().err());
        }
    };
    let no_params = |_: any_pointer::Builder<'_>| Ok(());
    let Some(field) = method.thread_map_result else {
        let call = Connection::call(capability, id, ordinal, &context, no_params)?;
        return call.complete_later(ended);
    };
    let method = (id, ordinal);
    let map =
        Connection::call_unattended(capability, method, &context, no_params, &[field], ended)?;
    mp_thread::set_thread_map(&connection, Some(map))
}

/// Sends `destroy`.
pub(crate) fn send_destroy(
    capability: &Capability,
    connection: &Connection,
    method: &'static Method,
    context: &CallContext,
) -> Result<Call, Error> {
    log::sending_request(connection, method);
    let (id, ordinal) = (method.interface_id, method.ordinal);
    Connection::call(capability, id, ordinal, context, |_| Ok(()))
}

/// Calls `destroy` without waiting for it here; the answer of the method that caused it, if any, waits for it.
fn destroy_later(
    capability: Capability,
    connection: &Connection,
    method: &'static Method,
    pending: Option<PendingDestroy>,
) {
    log::destroying(method.interface);
    let is_attended = pending.as_ref().is_some_and(PendingDestroy::is_attended);
    let there = connection.clone();
    let start = move |threads: Option<Threads>, lease: Option<ThreadLease>| {
        let context = CallContext {
            threads,
            ..CallContext::default()
        };
        let call = send_destroy(&capability, &there, method, &context)?;
        call.complete_later(move |result| {
            report(result);
            drop((pending, lease, capability));
        })
    };
    let started = match method.context {
        None => start(None, None),
        // This thread will wait before it answers, so it can run what the destructor calls back.
        Some(field) if is_attended => {
            mp_thread::threads(connection, field).and_then(|threads| start(Some(threads), None))
        }
        Some(field) => mp_thread::with_unattended_threads(connection, field, move |leased| {
            report(leased.and_then(|(threads, lease)| start(Some(threads), Some(lease))));
        }),
    };
    report(started);
}

/// Tells the log about an object that could not be destroyed.
fn report(destroyed: Result<(), Error>) {
    if let Err(error) = destroyed {
        log::destroy_failed(&error);
    }
}
