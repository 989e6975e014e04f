//! Calls that no thread waits for: sent now, or queued until a thread of the peer is free for them.

use std::task::Waker;

use capnp::any_pointer::Owned as Any;
use capnp::traits::Owned;
use mp_conn::{Call, CallContext, Connection, Error, Message, Threads};

use crate::call_future::{CallFuture, SentCall};
use crate::proxy_client::{build_message, send_destroy};
use crate::queued_call::QueuedCall;
use crate::{Method, Objects, ProxyClient, log};

/// How far an asynchronous call has come.
pub(crate) enum Started {
    Sent(SentCall),
    Queued(QueuedCall),
}

impl ProxyClient {
    /// Calls a method without waiting. The call goes out now, unless as many run already as
    /// [`async_threads`](mp_conn::Limits::async_threads) says; the future is its answer, and dropping it cancels the call.
    pub fn call_async<P: Owned, R: Owned, T: Send + 'static>(
        &self,
        method: &'static Method,
        build: impl FnOnce(P::Builder<'_>, &mut Objects) -> Result<(), Error>,
        read: impl FnOnce(R::Reader<'_>, &Objects) -> Result<T, Error> + Send + 'static,
    ) -> CallFuture<T> {
        let started = self
            .connection()
            .and_then(|connection| self.start::<P>(&connection, method, build));
        CallFuture::new::<R>(self.clone(), method, started, read)
    }

    /// Calls the object's `destroy` method without waiting. The object cannot be called any more, through no clone, also if
    /// the future is dropped: it then goes with its last reference at the latest.
    ///
    /// The future fails as [`destroy`](Self::destroy) does.
    pub fn destroy_async(&self) -> CallFuture<()> {
        let Some(method) = self.info().destroy else {
            return CallFuture::ended(self.end());
        };
        let started = self
            .connection()
            .and_then(|connection| self.start_destroy(&connection, method));
        CallFuture::new::<Any>(self.clone(), method, started, |_, _| Ok(()))
    }

    fn start_destroy(
        &self,
        connection: &Connection,
        method: &'static Method,
    ) -> Result<Started, Error> {
        self.end()?;
        log::destroying(self.info().name);
        let (client, there) = (self.clone(), connection.clone());
        let send = move |threads, ended| {
            let context = unattended(threads, ended);
            let call = send_destroy(client.capability(), &there, method, &context)?;
            Ok((call, Vec::new()))
        };
        let Some(field) = method.context else {
            return SentCall::send(None, |ended| send(None, ended)).map(Started::Sent);
        };
        match mp_thread::lease_threads(connection, field)? {
            Some((threads, lease)) => {
                SentCall::send(Some(lease), |ended| send(Some(threads), ended)).map(Started::Sent)
            }
            None => {
                let send = move |threads, ended| send(Some(threads), ended);
                Ok(Started::Queued(QueuedCall::new(connection, field, send)))
            }
        }
    }

    fn start<P: Owned>(
        &self,
        connection: &Connection,
        method: &'static Method,
        build: impl FnOnce(P::Builder<'_>, &mut Objects) -> Result<(), Error>,
    ) -> Result<Started, Error> {
        let (threads, lease) = match method.context {
            None => (None, None),
            Some(field) => match mp_thread::lease_threads(connection, field)? {
                Some((threads, lease)) => (Some(threads), Some(lease)),
                None => return self.queue::<P>(connection, (method, field), build),
            },
        };
        let sent = SentCall::send(lease, |ended| {
            let context = CallContext {
                bounded: true,
                ..unattended(threads, ended)
            };
            let room = || connection.room();
            let (call, homes) = self.send::<P>(connection, method, context, build, room)?;
            use_thread_map(connection, method, &call)?;
            Ok((call, homes))
        });
        sent.map(Started::Sent)
    }

    /// Builds the params, and has them sent when a thread is free.
    fn queue<P: Owned>(
        &self,
        connection: &Connection,
        (method, field): (&'static Method, u16),
        build: impl FnOnce(P::Builder<'_>, &mut Objects) -> Result<(), Error>,
    ) -> Result<Started, Error> {
        self.is_alive()?;
        let (message, homes) = build_message::<P>(connection, build)?;
        let (client, there) = (self.clone(), connection.clone());
        let send = move |threads, ended| {
            let call = client.send_built(&there, method, (threads, ended), &message)?;
            Ok((call, homes))
        };
        Ok(Started::Queued(QueuedCall::new(connection, field, send)))
    }

    /// Sends a call whose params were built before.
    fn send_built(
        &self,
        connection: &Connection,
        method: &'static Method,
        (threads, ended): (Threads, Waker),
        message: &Message,
    ) -> Result<Call, Error> {
        self.is_alive()?;
        connection.room()?;
        log::sending_request(connection, method);
        let thread_map = method
            .thread_map_param
            .map(|field| (field, mp_thread::thread_map(connection)));
        let context = CallContext {
            objects: thread_map.into_iter().collect(),
            bounded: true,
            ..unattended(Some(threads), ended)
        };
        let (id, ordinal) = (method.interface_id, method.ordinal);
        let call = Connection::call_message(self.capability(), id, ordinal, &context, message)?;
        use_thread_map(connection, method, &call)?;
        Ok(call)
    }
}

/// The context of a call that no thread waits for, with what to wake when it has ended.
fn unattended(threads: Option<Threads>, ended: Waker) -> CallContext {
    CallContext {
        threads,
        ended: Some(ended),
        batched: true,
        ..CallContext::default()
    }
}

/// Takes the thread map that the peer will answer with.
fn use_thread_map(
    connection: &Connection,
    method: &'static Method,
    call: &Call,
) -> Result<(), Error> {
    match method.thread_map_result {
        Some(field) => mp_thread::set_thread_map(connection, Some(call.pipelined(&[field])?)),
        None => Ok(()),
    }
}
