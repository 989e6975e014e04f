//! The answer of a call that nobody waits for with a thread.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use capnp::any_pointer;
use capnp::traits::Owned;
use mp_conn::{Call, Connection, Error, Sleep};
use mp_thread::ThreadLease;

use crate::server_call::contained;
use crate::{Interface, Method, Objects, ProxyClient, log};

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
    running: Running,
    deadline: Option<Sleep>,
}

/// What is kept until the answer is there: the peer's thread that runs the call, and is free for another one afterwards; and
/// proxies whose objects come home with the call.
pub(crate) type Lease = (Option<ThreadLease>, Vec<ProxyClient>);

/// A lease whose call runs. Dropped, the call is cancelled, and the thread is not used again: the method may still run on it.
struct Running(Lease);

impl Running {
    /// The call has ended, or is followed to its end elsewhere.
    fn ended(mut self) -> Lease {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(lease) = self.0.0.take() {
            lease.retire();
        }
    }
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
        sent: Result<(Connection, Call, Lease, Option<Instant>), Error>,
        read: impl FnOnce(R::Reader<'_>, &Objects) -> Result<T, Error> + Send + 'static,
    ) -> Self {
        let state = match sent {
            Ok((connection, call, lease, deadline)) => State::Sent(Sent {
                deadline: deadline.map(|deadline| connection.event_loop().sleep_until(deadline)),
                connection,
                call,
                read: Read::new::<R>(method, read),
                running: Running(lease),
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

impl<T> CallFuture<T> {
    /// The object that the method gives, before the answer is there: calls on it go out at once, and fail if the method
    /// does. For methods whose one result is an object.
    ///
    /// ```text
    /// let mining = init.make_mining_async().pipelined::<dyn Mining>()?;
    /// let tip = mining.get_tip_async().await?;    // one round trip for both
    /// ```
    ///
    /// # Errors
    ///
    /// Why the call could not be sent; [`Error::Disconnected`] when the connection has ended since.
    pub fn pipelined<I: Interface<Client = T> + ?Sized>(self) -> Result<T, Error> {
        match self.state {
            State::Sent(sent) => {
                let capability = sent.call.pipelined(&[RESULT])?;
                finish_later(sent.call, (sent.running.ended(), self.client))?;
                Ok(I::from_proxy(ProxyClient::new(capability, I::INFO)?))
            }
            State::Failed(error) => Err(error.unwrap_or(Error::Cancelled)),
        }
    }

    /// Lets the method run to its end without anybody waiting for it. An error is lost. `keep` is dropped when the method
    /// has ended, on whichever thread learned of it: its destructor must not wait.
    pub fn detach(self, keep: impl Send + 'static) {
        if let State::Sent(sent) = self.state {
            // Fails only when the connection has ended: then there is nothing left to wait for.
            finish_later(sent.call, (sent.running.ended(), self.client, keep)).ok();
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
                let message = message?;
                contained(|| {
                    message.read(|results, references| {
                        read(results, &Objects::reading(&sent.connection, references))
                    })
                })
            }),
        };
        let (result, in_time) = match (polled, &mut sent.deadline) {
            (Poll::Ready(result), _) => (result, true),
            (Poll::Pending, None) => return Poll::Pending,
            (Poll::Pending, Some(deadline)) => {
                if Pin::new(deadline).poll(context).is_pending() {
                    return Poll::Pending;
                }
                (Err(Error::TimedOut), false)
            }
        };
        log::received_response(&sent.connection, method, result.as_ref().err());
        let state = std::mem::replace(&mut self.state, State::Failed(None));
        if let (State::Sent(sent), true) = (state, in_time) {
            drop(sent.running.ended());
        }
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

/// Lets a call go on, and keeps what it needs until it has ended.
fn finish_later(call: Call, keep: impl Send + 'static) -> Result<(), Error> {
    call.complete_later(move |_| drop(keep))
}

/// The pointer field of the results that holds a method's one result.
const RESULT: u16 = 0;

// Nothing in it is pinned.
impl<T> Unpin for CallFuture<T> {}

impl<T> std::fmt::Debug for CallFuture<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallFuture")
            .field("method", &self.method.name)
            .finish_non_exhaustive()
    }
}
