//! A queue, and threads that take the next job of it whenever they have nothing to do. Modelled in `tests/loom.rs`.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};

#[cfg(loom)]
use loom::sync::{Mutex, MutexGuard};
#[cfg(not(loom))]
use std::sync::{Mutex, MutexGuard};

use crate::waiter::Waiter;

/// The queue, and who may be called to it.
///
/// Whoever leaves a job in it without taking it calls another thread, unless one is on its way already: so a job that takes long
/// holds up none, and a thread that is quick takes many before another has woken up.
pub struct Crew<J> {
    state: Mutex<State<J>>,
}

struct State<J> {
    queue: VecDeque<J>,
    /// Threads that have nothing to do, the one that had something last at the end: what it needs is in the processor's cache.
    idle: Vec<Arc<Waiter<J>>>,
    /// A thread was called, and has yet to begin.
    is_one_coming: bool,
    /// Threads that there are, or that are being made.
    count: usize,
    /// Numbers the threads.
    made: usize,
    closed: bool,
}

/// A thread is to be called. Done without the crew's lock.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallUp<J> {
    /// This one, by giving it the job.
    Idle(Arc<Waiter<J>>, J),
    /// A new one, with this number. If it cannot be made, that is to be [said](Crew::not_made).
    New(usize),
}

impl<J> Crew<J> {
    /// A crew without threads.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: Mutex::new(State {
                queue: VecDeque::new(),
                idle: Vec::new(),
                is_one_coming: false,
                count: 0,
                made: 0,
                closed: false,
            }),
        }
    }

    /// Adds a job.
    ///
    /// # Errors
    ///
    /// Gives it back when the crew is closed.
    pub fn post(&self, job: J) -> Result<Option<CallUp<J>>, J> {
        let mut state = self.lock();
        if state.closed {
            return Err(job);
        }
        state.queue.push_back(job);
        Ok(state.call_up())
    }

    /// Says that a thread starts that was called for. It takes the [next](Self::next) job.
    pub fn begin(&self) {
        self.lock().is_one_coming = false;
    }

    /// Says that a thread comes back from its wait, for a job of the queue or for something else. It runs that now.
    pub fn come_back(&self, waiter: &Arc<Waiter<J>>) -> Option<CallUp<J>> {
        let mut state = self.lock();
        let is_self = |idle: &Arc<Waiter<J>>| Arc::ptr_eq(idle, waiter);
        match state.idle.iter().rposition(is_self) {
            Some(index) => drop(state.idle.remove(index)),
            None => state.is_one_coming = false,
        }
        state.call_up()
    }

    /// The next job, for a thread that has nothing to do. `None`: there is none, and the thread is to wait for one with its
    /// waiter, which is closed when there will be none.
    pub fn next(&self, waiter: &Arc<Waiter<J>>) -> Option<(J, Option<CallUp<J>>)> {
        let mut state = self.lock();
        if let Some(job) = state.queue.pop_front() {
            return Some((job, state.call_up()));
        }
        if state.closed {
            drop(state);
            waiter.close();
        } else {
            state.idle.push(Arc::clone(waiter));
        }
        None
    }

    /// Says that a thread that was called for could not be made. Gives the jobs back that nobody will run.
    pub fn not_made(&self) -> VecDeque<J> {
        let mut state = self.lock();
        state.is_one_coming = false;
        state.count -= 1;
        match state.count {
            0 => std::mem::take(&mut state.queue),
            _ => VecDeque::new(),
        }
    }

    /// Refuses jobs from now on, and ends the threads when they have run those that are there.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let idle = std::mem::take(&mut state.idle);
        drop(state);
        for waiter in idle {
            waiter.close();
        }
    }

    /// Locked for moments only: no other lock is taken within it.
    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J> State<J> {
    fn call_up(&mut self) -> Option<CallUp<J>> {
        if self.is_one_coming || self.queue.is_empty() {
            return None;
        }
        self.is_one_coming = true;
        if let Some(waiter) = self.idle.pop() {
            let job = self.queue.pop_front()?;
            return Some(CallUp::Idle(waiter, job));
        }
        self.count += 1;
        self.made += 1;
        Some(CallUp::New(self.made - 1))
    }
}

impl<J> Default for Crew<J> {
    fn default() -> Self {
        Self::new()
    }
}

impl<J> std::fmt::Debug for Crew<J> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Crew").finish_non_exhaustive()
    }
}
