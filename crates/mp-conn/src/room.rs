//! Back-pressure: a peer that does not read makes callers wait, not memory grow.

use std::sync::atomic::Ordering;
use std::task::{Poll, Waker};

use crate::Error;
use crate::connection::Connection;
use crate::error::QUEUED_BYTES;

impl Connection {
    /// Whether fewer bytes wait to be written than [`Limits::queued_bytes`](crate::Limits::queued_bytes). If not, calls fail
    /// with [`Error::LimitExceeded`]: a thread that may wait does so before, by means of [`poll_room`](Self::poll_room).
    #[must_use]
    pub fn has_room(&self) -> bool {
        !self.inner().congested.load(Ordering::SeqCst)
    }

    /// The error of a call that cannot be sent now, because too many bytes wait to be written.
    ///
    /// # Errors
    ///
    /// [`Error::LimitExceeded`].
    pub fn room(&self) -> Result<(), Error> {
        if self.has_room() {
            Ok(())
        } else {
            Err(Error::limit(QUEUED_BYTES, self.limits().queued_bytes))
        }
    }

    /// Ready when another message may be queued. If it may not, the waker is woken when it may.
    ///
    /// # Errors
    ///
    /// [`Error::CalledAfterDisconnect`] and [`Error::Disconnected`] when the connection has ended.
    pub fn poll_room(&self, waker: &Waker) -> Poll<Result<(), Error>> {
        let inner = self.inner();
        // Cloned, and dropped if it is not needed, outside of the lock.
        let mut added = Some(waker.clone());
        let polled = inner.enter(|state| {
            if state.is_closed() {
                return Poll::Ready(Err(inner.disconnected()));
            }
            if state.shared.outbox.borrow().queued() < inner.limits.queued_bytes {
                return Poll::Ready(Ok(()));
            }
            let mut room = state.shared.room.borrow_mut();
            if !room.iter().any(|waiting| waiting.will_wake(waker)) {
                room.extend(added.take());
            }
            Poll::Pending
        });
        match polled {
            Ok(polled) => polled,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}
