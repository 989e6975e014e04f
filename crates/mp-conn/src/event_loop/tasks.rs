//! Futures that run on the event loop's thread.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};

use super::{EventLoop, WeakEventLoop};

impl EventLoop {
    /// Runs a future on the loop's thread. It must not block: all of the loop's connections wait while it is polled, and a
    /// blocking call from it is an error.
    ///
    /// It does not keep the loop running. Nobody polls it any more when the loop has ended.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let task = Arc::new(Task {
            future: Mutex::new(Some(Box::pin(future))),
            posted: AtomicBool::new(false),
            event_loop: self.downgrade(),
        });
        task.wake();
    }
}

/// A future until it is ready. Its wakers own it, so one that nobody will wake is dropped.
struct Task {
    /// `None` while it is polled, and when it is ready. Not locked while it is polled.
    future: Mutex<Option<BoxFuture>>,
    /// It was posted to the loop, to be polled.
    posted: AtomicBool,
    event_loop: WeakEventLoop,
}

type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Task {
    /// Polls the future. Thread: the loop's.
    fn run(self: Arc<Self>) {
        // Whoever wakes it from here on has it polled once more.
        self.posted.store(false, Ordering::SeqCst);
        let Some(mut future) = self.future().take() else {
            return;
        };
        let waker = Waker::from(Arc::clone(&self));
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        if polled.is_pending() {
            *self.future() = Some(future);
        }
    }

    fn future(&self) -> MutexGuard<'_, Option<BoxFuture>> {
        self.future.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if !self.posted.swap(true, Ordering::SeqCst) {
            let event_loop = self.event_loop.clone();
            event_loop.post(Box::new(move || self.run()));
        }
    }
}
