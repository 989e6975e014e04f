//! A call that waits in this process until a thread of the peer is free for it.

use std::any::Any;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use mp_conn::{Call, Connection, Error, Threads};
use mp_thread::Queued;

use crate::ProxyClient;
use crate::call_future::SentCall;

/// A call in the queue, or one that has just been sent. Dropping it gives the call up.
pub(crate) struct QueuedCall {
    slot: Arc<Slot>,
    /// `None`: the call goes on without this.
    queued: Option<Queued>,
}

/// Where the call is put when it was sent.
#[derive(Default)]
struct Slot {
    /// No other lock is taken within it.
    state: Mutex<State>,
    filled: Condvar,
}

enum State {
    /// The waker is that of whoever waits for the answer.
    Waiting(Option<Waker>),
    Sent(Result<SentCall, Error>),
    /// Nobody waits for the answer. The box is kept until it is there.
    Detached(Box<dyn Any + Send>),
    /// It was given up, or taken.
    Gone,
}

impl QueuedCall {
    /// Queues a call. `send` sends it, on whichever thread finds that it can be, see [`SentCall::send`].
    pub(crate) fn new(
        connection: &Connection,
        field: u16,
        send: impl FnOnce(Threads, Waker) -> Result<(Call, Vec<ProxyClient>), Error> + Send + 'static,
    ) -> Self {
        let slot = Arc::<Slot>::default();
        let filled = Arc::clone(&slot);
        let queued = mp_thread::queue_for_threads(connection, field, move |leased| {
            filled.fill(leased.and_then(|(threads, lease)| {
                SentCall::send(Some(lease), |ended| send(threads, ended))
            }));
        });
        Self {
            slot,
            queued: Some(queued),
        }
    }

    /// Ready when the call was sent, or could not be.
    pub(crate) fn poll(&self, waker: &Waker) -> Poll<Result<SentCall, Error>> {
        // Cloned, and what it replaces dropped, without the lock.
        let mut waker = Some(waker.clone());
        let mut state = self.slot.lock();
        let polled = match &mut *state {
            State::Waiting(current) => {
                std::mem::swap(current, &mut waker);
                Poll::Pending
            }
            _ => Poll::Ready(state.take()),
        };
        drop(state);
        polled
    }

    /// Sends the call now, if it still waits, beyond the limit.
    pub(crate) fn send(mut self) -> Result<SentCall, Error> {
        if let Some(queued) = self.queued.take() {
            queued.start();
        }
        let mut state = self.slot.lock();
        // Only for the moment in which another thread is sending it.
        while matches!(*state, State::Waiting(_)) {
            state = self
                .slot
                .filled
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.take()
    }

    /// Has the call made without anybody waiting for it, and keeps something until it has ended.
    pub(crate) fn finish_later(mut self, keep: impl Send + 'static) {
        let Some(queued) = self.queued.take() else {
            return;
        };
        let mut state = self.slot.lock();
        if matches!(*state, State::Waiting(_)) {
            let waiting = std::mem::replace(&mut *state, State::Detached(Box::new(keep)));
            drop(state);
            drop(waiting);
            queued.detach();
        } else if let Ok(sent) = state.take() {
            drop(state);
            // Fails only when the connection has ended: then there is nothing left to wait for.
            sent.finish_later(keep).unwrap_or_default();
        }
    }
}

impl Drop for QueuedCall {
    fn drop(&mut self) {
        if let Some(queued) = self.queued.take() {
            let given_up = std::mem::replace(&mut *self.slot.lock(), State::Gone);
            // Dropping either may enter the connection.
            drop(queued);
            drop(given_up);
        }
    }
}

impl Slot {
    fn fill(&self, sent: Result<SentCall, Error>) {
        let mut state = self.lock();
        match std::mem::replace(&mut *state, State::Gone) {
            State::Waiting(waker) => {
                *state = State::Sent(sent);
                drop(state);
                self.filled.notify_all();
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
            State::Detached(keep) => {
                drop(state);
                // As in `CallFuture::detach`.
                sent.and_then(|sent| sent.finish_later(keep))
                    .unwrap_or_default();
            }
            State::Sent(_) | State::Gone => {
                drop(state);
                drop(sent);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self) -> Result<SentCall, Error> {
        match std::mem::replace(self, Self::Gone) {
            Self::Sent(sent) => sent,
            _ => Err(Error::Cancelled),
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self::Waiting(None)
    }
}
