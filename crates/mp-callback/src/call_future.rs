//! The answer of a call that nobody waits for with a thread.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker, ready};
use std::time::{Duration, Instant};

use capnp::any_pointer;
use capnp::traits::Owned;
use mp_conn::{Call, Capability, Error, Sleep};
use mp_thread::ThreadLease;

use crate::async_call::Started;
use crate::queued_call::QueuedCall;
use crate::server_call::contained;
use crate::{Method, Objects, ProxyClient, log};

/// The answer of a call, to come. It can be polled on any runtime, and dropped at any moment: that cancels the call.
#[must_use = "dropping the future cancels the call"]
pub struct CallFuture<T> {
    progress: Progress<T>,
    read: Option<Read<T>>,
    method: Option<&'static Method>,
    deadline: Option<Sleep>,
    /// Keeps the object alive as long as its method runs.
    client: Option<ProxyClient>,
}

enum Progress<T> {
    Queued(QueuedCall),
    Sent(SentCall),
    /// `None`: the outcome was told.
    Ended(Option<Result<T, Error>>),
}

/// A call that was sent.
pub(crate) struct SentCall {
    call: Call,
    running: Running,
    /// Proxies whose objects come home with the call.
    homes: Vec<ProxyClient>,
}

/// A call until its answer comes. Dropped before, the call is cancelled, and the peer's thread that runs it is not used again:
/// the method may go on.
struct Running(Arc<Outcome>);

/// Told when a call has ended. Polling looks here, without entering the connection, until there is an answer to be read.
#[derive(Default)]
struct Outcome(Mutex<OutcomeState>);

#[derive(Default)]
struct OutcomeState {
    has_ended: bool,
    /// The peer's thread that runs the call. It is free for the next when the answer comes, whether anybody takes the answer or
    /// not.
    lease: Option<ThreadLease>,
    /// That of whoever waits for the answer.
    waker: Option<Waker>,
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
        started: Result<Started, Error>,
        read: impl FnOnce(R::Reader<'_>, &Objects) -> Result<T, Error> + Send + 'static,
    ) -> Self {
        let progress = match started {
            Ok(Started::Sent(sent)) => Progress::Sent(sent),
            Ok(Started::Queued(queued)) => Progress::Queued(queued),
            Err(error) => Progress::Ended(Some(Err(error))),
        };
        let mut call = Self {
            progress,
            read: Some(Read::new::<R>(method, read)),
            method: Some(method),
            deadline: None,
            client: Some(client),
        };
        call.deadline = call.client.as_ref().and_then(|client| {
            let connection = client.connection().ok()?;
            let deadline = client.deadline(&connection)?;
            Some(connection.event_loop().sleep_until(deadline))
        });
        call
    }

    /// The answer of a call that is not made.
    pub(crate) fn ended(result: Result<T, Error>) -> Self {
        Self {
            progress: Progress::Ended(Some(result)),
            read: None,
            method: None,
            deadline: None,
            client: None,
        }
    }

    fn poll_answer(&mut self, waker: &Waker) -> Poll<Result<T, Error>> {
        if let Progress::Queued(queued) = &self.progress {
            match ready!(queued.poll(waker)) {
                Ok(sent) => self.progress = Progress::Sent(sent),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        match (&mut self.progress, &mut self.read) {
            (Progress::Sent(sent), Some(read)) => sent.poll(waker, read),
            (Progress::Ended(result), _) => {
                Poll::Ready(result.take().unwrap_or(Err(Error::Cancelled)))
            }
            _ => Poll::Ready(Err(Error::Cancelled)),
        }
    }
}

impl<T> CallFuture<T> {
    /// The same call, which fails with [`Error::TimedOut`], and is cancelled at the peer, when it has no answer by then. Takes
    /// the place of the client's and the connection's timeout.
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        let connection = self.client.as_ref().map(ProxyClient::connection);
        if let Some(Ok(connection)) = connection {
            self.deadline = Some(connection.event_loop().sleep_until(deadline));
        }
        self
    }

    /// The same with a time from now.
    pub fn with_timeout(self, timeout: Duration) -> Self {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.with_deadline(deadline),
            None => self,
        }
    }

    /// Lets the method run to its end without anybody waiting for it. An error is lost. `keep` is dropped when the method
    /// has ended, on whichever thread learned of it: its destructor must not wait.
    pub fn detach(self, keep: impl Send + 'static) {
        match self.progress {
            Progress::Queued(queued) => queued.finish_later((self.client, keep)),
            // Fails only when the connection has ended: then there is nothing left to wait for.
            Progress::Sent(sent) => sent.finish_later((self.client, keep)).unwrap_or_default(),
            Progress::Ended(_) => {}
        }
    }

    /// The object in a pointer field of the results, before they are there. The method runs to its end.
    pub(crate) fn pipelined(self, field: u16) -> Result<Capability, Error> {
        let sent = match self.progress {
            Progress::Queued(queued) => queued.send()?,
            Progress::Sent(sent) => sent,
            Progress::Ended(Some(Err(error))) => return Err(error),
            Progress::Ended(_) => return Err(Error::Cancelled),
        };
        let capability = sent.call.pipelined(&[field])?;
        sent.finish_later(self.client)?;
        Ok(capability)
    }
}

/// The methods that wrap those of a [`CallFuture`] in a field.
macro_rules! deadlines {
    ($call:tt) => {
        /// See [`CallFuture::with_deadline`](crate::CallFuture::with_deadline).
        pub fn with_deadline(mut self, deadline: std::time::Instant) -> Self {
            self.$call = self.$call.with_deadline(deadline);
            self
        }

        /// See [`CallFuture::with_timeout`](crate::CallFuture::with_timeout).
        pub fn with_timeout(mut self, timeout: std::time::Duration) -> Self {
            self.$call = self.$call.with_timeout(timeout);
            self
        }

        /// See [`CallFuture::detach`](crate::CallFuture::detach).
        pub fn detach(self, keep: impl Send + 'static) {
            self.$call.detach(keep);
        }
    };
}
pub(crate) use deadlines;

impl<T: Send + 'static> Future for CallFuture<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let result = match self.poll_answer(context.waker()) {
            Poll::Ready(result) => result,
            Poll::Pending => {
                let deadline = self.deadline.as_mut();
                match deadline.map(|deadline| Pin::new(deadline).poll(context)) {
                    Some(Poll::Ready(())) => Err(Error::TimedOut),
                    _ => return Poll::Pending,
                }
            }
        };
        let client = self.client.take();
        if let (Some(method), Some(Ok(connection))) =
            (self.method, client.as_ref().map(ProxyClient::connection))
        {
            log::received_response(&connection, method, result.as_ref().err());
        }
        let progress = std::mem::replace(&mut self.progress, Progress::Ended(None));
        if let (Progress::Sent(sent), false) = (progress, matches!(result, Err(Error::TimedOut))) {
            // The thread that learned of the answer may be about to do the same.
            sent.running.free();
        }
        Poll::Ready(result)
    }
}

impl SentCall {
    /// Sends a call on a leased thread. The function is given what to wake when the call has ended.
    pub(crate) fn send(
        lease: Option<ThreadLease>,
        send: impl FnOnce(Waker) -> Result<(Call, Vec<ProxyClient>), Error>,
    ) -> Result<Self, Error> {
        let running = Running(Arc::new(Outcome::new(lease)));
        match send(Waker::from(Arc::clone(&running.0))) {
            Ok((call, homes)) => Ok(Self {
                call,
                running,
                homes,
            }),
            Err(error) => {
                running.free();
                Err(error)
            }
        }
    }

    /// Lets the call go on, and keeps what it needs until it has ended.
    pub(crate) fn finish_later(self, keep: impl Send + 'static) -> Result<(), Error> {
        let Self {
            call,
            running,
            homes,
        } = self;
        call.complete_later(move |_| {
            running.free();
            drop((homes, keep));
        })
    }

    fn poll<T: Send>(&mut self, waker: &Waker, read: &mut Read<T>) -> Poll<Result<T, Error>> {
        ready!(self.running.0.poll(waker));
        let call = &mut self.call;
        match read {
            Read::InPlace(read) => call.poll_read(waker, read),
            Read::Apart(read) => call.poll_message(waker).map(|message| {
                let read = read.take().ok_or(Error::Cancelled)?;
                let (message, connection) = (message?, call.connection());
                contained(|| {
                    message.read(|results, references| {
                        read(results, &Objects::reading(&connection, references))
                    })
                })
            }),
        }
    }
}

impl Running {
    /// Says that the call has ended.
    fn free(&self) {
        drop(self.0.state().lease.take());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.0.state();
        let (lease, waker) = (state.lease.take(), state.waker.take());
        drop(state);
        if let Some(lease) = lease {
            lease.retire();
        }
        drop(waker);
    }
}

impl Outcome {
    fn new(lease: Option<ThreadLease>) -> Self {
        Self(Mutex::new(OutcomeState {
            lease,
            ..OutcomeState::default()
        }))
    }

    /// Ready when the call has ended: until then the waker will be woken.
    fn poll(&self, waker: &Waker) -> Poll<()> {
        // A waker is the program's: it is not cloned or dropped within the lock.
        let waker = waker.clone();
        let mut state = self.state();
        if state.has_ended {
            drop(state);
            drop(waker);
            return Poll::Ready(());
        }
        let before = state.waker.replace(waker);
        drop(state);
        drop(before);
        Poll::Pending
    }

    /// Locked for moments only: no other lock is taken within it.
    fn state(&self) -> MutexGuard<'_, OutcomeState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Outcome {
    fn wake(self: Arc<Self>) {
        let mut state = self.state();
        state.has_ended = true;
        let (lease, waker) = (state.lease.take(), state.waker.take());
        drop(state);
        // Freeing the thread may send the next call.
        drop(lease);
        if let Some(waker) = waker {
            waker.wake();
        }
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
            .field("method", &self.method.map(|method| method.name))
            .finish_non_exhaustive()
    }
}
