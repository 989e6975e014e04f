//! The answer of a call that nobody waits for with a thread.

use std::pin::Pin;
use std::task::{Context, Poll};

use capnp::any_pointer;
use capnp::traits::Owned;
use mp_conn::{Call, Connection, Error};
use mp_thread::ThreadLease;

use crate::{Method, Objects, ProxyClient, log};

/// The answer of a call, to come. It can be polled on any runtime, and dropped at any moment: that cancels the call.
#[must_use = "dropping the future cancels the call"]
pub struct CallFuture<T> {
    state: State<T>,
    method: &'static Method,
    /// Keeps the object alive as long as its method runs.
    client: Option<ProxyClient>,
}

enum State<T> {
    Sent(Sent<T>),
    Failed(Option<Error>),
}

struct Sent<T> {
    connection: Connection,
    call: Call,
    read: Read<T>,
    /// The peer's thread that runs the call, and is free for another one afterwards.
    _lease: Option<ThreadLease>,
}

/// What reads the answer: with the connection's lock held, or outside of it.
enum Read<T> {
    InPlace(Option<InPlace<T>>),
    Apart(Option<Apart<T>>),
}

type InPlace<T> = Box<dyn FnOnce(any_pointer::Reader<'_>) -> Result<T, Error> + Send>;
type Apart<T> = Box<dyn FnOnce(any_pointer::Reader<'_>, &Objects) -> Result<T, Error> + Send>;

impl<T: Send + 'static> CallFuture<T> {
    pub(crate) fn new<R: Owned>(
        client: ProxyClient,
        method: &'static Method,
        sent: Result<(Connection, Call, Option<ThreadLease>), Error>,
        read: impl FnOnce(R::Reader<'_>, &Objects) -> Result<T, Error> + Send + 'static,
    ) -> Self {
        let state = match sent {
            Ok((connection, call, lease)) => State::Sent(Sent {
                connection,
                call,
                read: Read::new::<R>(method, read),
                _lease: lease,
            }),
            Err(error) => State::Failed(Some(error)),
        };
        Self {
            state,
            method,
            client: Some(client),
        }
    }
}

impl<T: Send + 'static> Future for CallFuture<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let method = self.method;
        let sent = match &mut self.state {
            State::Sent(sent) => sent,
            State::Failed(error) => {
                return Poll::Ready(Err(error.take().unwrap_or(Error::Cancelled)));
            }
        };
        let waker = context.waker();
        let polled = match &mut sent.read {
            Read::InPlace(read) => sent.call.poll_read(waker, read),
            Read::Apart(read) => sent.call.poll_message(waker).map(|message| {
                let read = read.take().ok_or(Error::Cancelled)?;
                message?.read(|results, references| {
                    read(results, &Objects::reading(&sent.connection, references))
                })
            }),
        };
        let Poll::Ready(result) = polled else {
            return Poll::Pending;
        };
        log::received_response(&sent.connection, method, result.as_ref().err());
        self.state = State::Failed(None);
        self.client = None;
        Poll::Ready(result)
    }
}

impl<T: Send + 'static> Read<T> {
    fn new<R: Owned>(
        method: &'static Method,
        read: impl FnOnce(R::Reader<'_>, &Objects) -> Result<T, Error> + Send + 'static,
    ) -> Self {
        if method.apart_results {
            Self::Apart(Some(Box::new(move |results, objects| {
                read(results.get_as()?, objects)
            })))
        } else {
            Self::InPlace(Some(Box::new(move |results| {
                read(results.get_as()?, &Objects::default())
            })))
        }
    }
}

// Nothing in it is pinned.
impl<T> Unpin for CallFuture<T> {}

impl<T> std::fmt::Debug for CallFuture<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallFuture")
            .field("method", &self.method.name)
            .finish_non_exhaustive()
    }
}
