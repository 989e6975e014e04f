//! Deadlines that the event loop's thread watches.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

use crate::contain::drop_each;
use crate::log;

/// Wakers and the times at which they are due.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: Mutex<BinaryHeap<Reverse<Entry>>>,
}

impl Timers {
    /// Adds a deadline. True: it is the next one, so the thread has to look again.
    pub(crate) fn add(&self, deadline: Instant, timer: &Arc<Timer>) -> bool {
        let mut heap = self.lock();
        let first = heap.peek().is_none_or(|next| deadline < next.0.deadline);
        heap.push(Reverse(Entry {
            deadline,
            timer: Arc::clone(timer),
        }));
        first
    }

    /// When the next deadline is.
    pub(crate) fn next(&self) -> Option<Instant> {
        let mut given_up = Vec::new();
        let mut heap = self.lock();
        while heap
            .peek()
            .is_some_and(|next| Arc::strong_count(&next.0.timer) == 1)
        {
            given_up.extend(heap.pop());
        }
        let next = heap.peek().map(|next| next.0.deadline);
        drop(heap);
        if !drop_each(given_up) {
            log::uncaught("a waker");
        }
        next
    }

    /// The timers whose deadlines have passed.
    pub(crate) fn due(&self, now: Instant) -> Vec<Arc<Timer>> {
        let mut heap = self.lock();
        let mut due = Vec::new();
        while heap.peek().is_some_and(|next| next.0.deadline <= now) {
            due.extend(heap.pop().map(|entry| entry.0.timer));
        }
        due
    }

    fn lock(&self) -> MutexGuard<'_, BinaryHeap<Reverse<Entry>>> {
        self.heap.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who waits for a deadline. Dropping the other reference is giving up.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    waker: Mutex<Option<Waker>>,
}

impl Timer {
    pub(crate) fn set_waker(&self, waker: &Waker) {
        let replaced = self.replace(Some(waker.clone()));
        drop(replaced);
    }

    pub(crate) fn fire(&self) {
        if let Some(waker) = self.replace(None) {
            waker.wake();
        }
    }

    fn replace(&self, waker: Option<Waker>) -> Option<Waker> {
        let mut current = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut current, waker)
    }
}

#[derive(Debug)]
struct Entry {
    deadline: Instant,
    timer: Arc<Timer>,
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.deadline.cmp(&other.deadline)
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.deadline == other.deadline
    }
}

impl Eq for Entry {}
