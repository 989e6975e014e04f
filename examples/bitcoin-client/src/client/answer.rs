//! Answers: futures of calls that were sent already, and waits that the node is told to end when they are dropped.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::channel::oneshot;
use multiprocess::CallFuture;

use crate::Result;

/// The answer of a call that is on its way. Dropping it cancels the call.
pub type Answer<T> = Pin<Box<dyn Future<Output = Result<T>> + Send>>;

/// The answer of a generated client, as this library's types say it.
pub(crate) fn answer<A: Send + 'static, T>(
    call: impl Into<CallFuture<A>>,
    convert: impl FnOnce(A) -> Result<T> + Send + 'static,
) -> Answer<T> {
    let call = call.into();
    Box::pin(async move { convert(call.await?) })
}

/// An answer that is known before anything was sent.
pub(crate) fn known<T: Send + 'static>(result: Result<T>) -> Answer<T> {
    Box::pin(std::future::ready(result))
}

/// A call that waits at the node, which is asked to end it when nobody waits for it here any more.
pub(crate) struct Wait<C: GiveUp, K: Send + 'static, I: FnOnce() -> K> {
    call: Option<C>,
    interrupt: Option<I>,
    waits: Arc<Waits>,
}

/// A call that can be given up while it waits at the node.
pub(crate) trait GiveUp {
    /// Lets the call run to its end, and the node let go of what it gives. Drops `keep` when both have happened.
    fn give_up(self, keep: impl Send + 'static);
}

impl<A> GiveUp for CallFuture<A> {
    fn give_up(self, keep: impl Send + 'static) {
        self.detach(keep);
    }
}

impl<A, C, K, I> Wait<C, K, I>
where
    C: GiveUp + Future<Output = std::result::Result<A, multiprocess::Error>> + Unpin,
    K: Send + 'static,
    I: FnOnce() -> K,
{
    /// A call that was sent, and what interrupts it: that runs where the wait is dropped, and must not block. What it gives
    /// is kept until the node has ended the call.
    pub(crate) fn new(call: C, waits: &Arc<Waits>, interrupt: I) -> Self {
        Self {
            call: Some(call),
            interrupt: Some(interrupt),
            waits: Arc::clone(waits),
        }
    }

    /// Waits.
    pub(crate) async fn wait(mut self) -> Result<A> {
        let result = match &mut self.call {
            Some(call) => call.await,
            None => Err(multiprocess::Error::Cancelled),
        };
        (self.call, self.interrupt) = (None, None);
        Ok(result?)
    }
}

impl<C: GiveUp, K: Send + 'static, I: FnOnce() -> K> Drop for Wait<C, K, I> {
    fn drop(&mut self) {
        // The node's thread is busy until the method returns: the call keeps it until then.
        if let (Some(call), Some(interrupt)) = (self.call.take(), self.interrupt.take()) {
            let counted = Counted::new(&self.waits);
            call.give_up((interrupt(), counted));
        }
    }
}

/// Counts what the node was asked to end, and has not ended yet: waits that were given up, and objects that were dropped.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    state: Mutex<WaitsState>,
}

#[derive(Debug, Default)]
struct WaitsState {
    count: usize,
    /// Those who want to know when there are none.
    settled: Vec<oneshot::Sender<()>>,
}

impl Waits {
    /// Ends when there is nothing of that.
    pub(crate) async fn settled(&self) {
        let receiver = {
            let mut state = self.lock();
            if state.count == 0 {
                return;
            }
            let (sender, receiver) = oneshot::channel();
            state.settled.push(sender);
            receiver
        };
        // The sender is not dropped without being used.
        receiver.await.ok();
    }

    fn lock(&self) -> MutexGuard<'_, WaitsState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of the things that are counted.
pub(crate) struct Counted(Arc<Waits>);

impl Counted {
    pub(crate) fn new(waits: &Arc<Waits>) -> Self {
        waits.lock().count += 1;
        Self(Arc::clone(waits))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.count -= 1;
        let settled = if state.count == 0 {
            std::mem::take(&mut state.settled)
        } else {
            Vec::new()
        };
        drop(state);
        for sender in settled {
            // Whoever wanted to know may be gone.
            sender.send(()).ok();
        }
    }
}
