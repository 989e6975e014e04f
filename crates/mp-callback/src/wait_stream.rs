//! Methods that wait for something, call after call, as streams.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use mp_conn::Error;

use crate::CallFuture;

/// A call that waits at the peer, which is told to end it when nobody waits for it here any more.
/// [`CallFuture::interrupted_by`] makes it.
#[must_use = "dropping the future interrupts the call"]
pub struct Interruptible<T, I: FnOnce()> {
    /// `None`: it has ended.
    waiting: Option<(CallFuture<T>, I)>,
}

impl<T> CallFuture<T> {
    /// The same call, with what ends it at the peer when this future is dropped before it is ready, such as the interface's own
    /// method for that: `move || template.interrupt_wait_async().detach(())`. The function is called once at the most, where the
    /// future is dropped, and must not wait.
    ///
    /// Unlike a call that is merely dropped, this one is not cancelled on the wire: its method is trusted to end, and its thread is
    /// used again then. A deadline that passes does both.
    pub fn interrupted_by<I: FnOnce()>(self, interrupt: I) -> Interruptible<T, I> {
        Interruptible {
            waiting: Some((self, interrupt)),
        }
    }
}

impl<T: Send + 'static, I: FnOnce()> Future for Interruptible<T, I> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some((call, _)) = &mut self.waiting else {
            return Poll::Ready(Err(Error::Cancelled));
        };
        let polled = Pin::new(call).poll(context);
        if let Poll::Ready(result) = &polled
            && let Some((_, interrupt)) = self.waiting.take()
            && matches!(result, Err(Error::TimedOut))
        {
            interrupt();
        }
        polled
    }
}

// Nothing in it is pinned.
impl<T, I: FnOnce()> Unpin for Interruptible<T, I> {}

impl<T, I: FnOnce()> Drop for Interruptible<T, I> {
    fn drop(&mut self) {
        if let Some((call, interrupt)) = self.waiting.take() {
            interrupt();
            call.detach(());
        }
    }
}

impl<T, I: FnOnce()> std::fmt::Debug for Interruptible<T, I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Interruptible").finish_non_exhaustive()
    }
}

/// What a waiting method gives, again and again. [`wait_stream`] makes it.
#[must_use = "streams do nothing unless polled"]
pub struct WaitStream<T, W, F> {
    wait: W,
    last: Option<T>,
    waiting: Option<Pin<Box<F>>>,
    has_ended: bool,
}

/// A stream of what a waiting method gives. `wait` makes each call, from what the one before gave; the stream ends when a call
/// gives `None`, and after an error.
///
/// Dropping the stream drops the call that waits: one that is [`interrupted_by`](CallFuture::interrupted_by) something is
/// interrupted then, others are cancelled.
///
/// ```text
/// let mut tips = pin!(multiprocess::wait_stream(move |last: Option<&BlockRef>| {
///     let mining = mining.clone();
///     mining.wait_tip_changed_async(last.map_or(&[], |tip| &tip.hash), f64::MAX)
///         .interrupted_by(move || mining.interrupt_async().detach(()))
/// }));
/// while let Some(tip) = tips.try_next().await? { .. }
/// ```
pub fn wait_stream<T, W, F>(wait: W) -> WaitStream<T, W, F>
where
    T: Clone,
    W: FnMut(Option<&T>) -> F,
    F: Future<Output = Result<Option<T>, Error>>,
{
    WaitStream {
        wait,
        last: None,
        waiting: None,
        has_ended: false,
    }
}

impl<T, W, F> Stream for WaitStream<T, W, F>
where
    T: Clone,
    W: FnMut(Option<&T>) -> F,
    F: Future<Output = Result<Option<T>, Error>>,
{
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.has_ended {
            return Poll::Ready(None);
        }
        let (wait, last) = (&mut this.wait, this.last.as_ref());
        let waiting = this.waiting.get_or_insert_with(|| Box::pin(wait(last)));
        let Poll::Ready(result) = waiting.as_mut().poll(context) else {
            return Poll::Pending;
        };
        this.waiting = None;
        match result {
            Ok(Some(item)) => {
                this.last = Some(item.clone());
                Poll::Ready(Some(Ok(item)))
            }
            Ok(None) => {
                this.has_ended = true;
                Poll::Ready(None)
            }
            Err(error) => {
                this.has_ended = true;
                Poll::Ready(Some(Err(error)))
            }
        }
    }
}

// What is pinned is in a box.
impl<T, W, F> Unpin for WaitStream<T, W, F> {}

impl<T, W, F> std::fmt::Debug for WaitStream<T, W, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WaitStream").finish_non_exhaustive()
    }
}
