//! A deadline as a future, for programs on any runtime.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use super::{EventLoop, Timer};

/// Ready when its deadline has passed. The event loop's thread wakes whoever polls it; dropping it gives up.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Sleep {
    event_loop: EventLoop,
    deadline: Instant,
    /// Made when the future is polled before its deadline.
    timer: Option<Arc<Timer>>,
}

impl EventLoop {
    /// A future that is ready at the deadline.
    pub fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep {
            event_loop: self.clone(),
            deadline,
            timer: None,
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.deadline {
            return Poll::Ready(());
        }
        if let Some(timer) = &self.timer {
            timer.set_waker(context.waker());
        } else {
            let timer = Arc::new(Timer::default());
            timer.set_waker(context.waker());
            self.event_loop.set_timer(self.deadline, &timer);
            self.timer = Some(timer);
        }
        // The timer may have fired between the look at the clock and the new waker.
        if Instant::now() >= self.deadline {
            return Poll::Ready(());
        }
        Poll::Pending
    }
}
