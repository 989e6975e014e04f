//! What a thread waits with: for an answer, or for work that arrives meanwhile. Modelled in `tests/loom.rs`.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::task::Wake;
use std::time::Instant;

use mp_conn::{Arrivals, Bell};

#[cfg(loom)]
use loom::sync::{Mutex, MutexGuard};
#[cfg(not(loom))]
use std::sync::{Mutex, MutexGuard};

/// A queue of jobs and a flag "woken", with one thread that waits for either.
pub struct Waiter<J> {
    state: Mutex<State<J>>,
    bell: Bell,
}

struct State<J> {
    jobs: VecDeque<J>,
    woken: bool,
    /// Nobody will post any more (a worker's last reference went), or nobody will run jobs any more (the thread ended).
    closed: bool,
    /// The thread sleeps, or is about to: whoever changes something has to ring.
    asleep: Option<Asleep>,
    /// The thread was woken by what it slept for, and is expected there.
    expected: Option<Arc<Arrivals>>,
    /// The thread waits for something else, and is to be interrupted by this.
    interrupt: Option<Interrupt>,
}

/// A thread that sleeps.
struct Asleep {
    purpose: For,
    arrivals: Arc<Arrivals>,
}

/// What a thread sleeps for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    Answer,
    Job,
}

/// What ends a wait for something that is not the waiter.
pub type Interrupt = Arc<dyn Fn() + Send + Sync>;

/// What ended a wait.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<J> {
    /// Something may have happened to what the thread waits for.
    Woken,
    /// A job that may run now.
    Job(J),
    /// The deadline passed.
    TimedOut,
    /// The waiter was closed, and its queue is empty.
    Closed,
}

impl<J> Waiter<J> {
    /// A waiter with nothing to do.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: Mutex::new(State {
                jobs: VecDeque::new(),
                woken: false,
                closed: false,
                asleep: None,
                expected: None,
                interrupt: None,
            }),
            bell: Bell::new(),
        }
    }

    /// Adds a job.
    ///
    /// # Errors
    ///
    /// Gives the job back when the waiter is closed.
    pub fn post(&self, job: J) -> Result<(), J> {
        let mut state = self.lock();
        if state.closed {
            return Err(job);
        }
        if state.jobs.capacity() == 0 {
            // Most threads get one at a time.
            state.jobs.reserve_exact(1);
        }
        state.jobs.push_back(job);
        self.notify(state, Some(For::Job));
        Ok(())
    }

    /// Ends the wait of the thread, now or the next time that it waits.
    pub fn wake(&self) {
        let mut state = self.lock();
        state.woken = true;
        self.notify(state, Some(For::Answer));
    }

    /// Refuses jobs from now on. Those that are there already can still be taken.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        self.notify(state, None);
    }

    /// Takes what is left in the queue.
    pub fn drain(&self) -> Vec<J> {
        self.lock().jobs.drain(..).collect()
    }

    /// Takes the jobs that are not to be run.
    pub fn take(&self, unwanted: impl Fn(&J) -> bool) -> Vec<J> {
        let mut state = self.lock();
        let jobs = std::mem::take(&mut state.jobs);
        let (taken, left): (Vec<J>, Vec<J>) = jobs.into_iter().partition(unwanted);
        state.jobs = left.into();
        taken
    }

    /// Waits until the waiter is woken, or there is a job that is eligible. Wake-ups come first. When it was woken, the thread
    /// enters the connection of those arrivals next, or looks whether something [is due](Arrivals::is_due).
    pub fn wait(
        &self,
        arrivals: &Arc<Arrivals>,
        deadline: Option<Instant>,
        mut eligible: impl FnMut(&J) -> bool,
    ) -> Event<J> {
        let mut state = self.lock();
        loop {
            if let Some(event) = state.next(&mut eligible) {
                return event;
            }
            state = match self.sleep(state, For::Answer, arrivals, deadline) {
                Ok(state) => state,
                Err(()) => return Event::TimedOut,
            };
        }
    }

    /// What [`wait`](Self::wait) would return at once.
    pub fn check(&self, eligible: impl FnMut(&J) -> bool) -> Option<Event<J>> {
        self.lock().next(eligible)
    }

    /// Says that the thread is about to wait for something else, which the interrupt ends when the waiter is woken or gets
    /// a job. If either has happened already, that is returned, and the thread must not wait.
    pub fn wait_elsewhere(
        &self,
        interrupt: &Interrupt,
        eligible: impl FnMut(&J) -> bool,
    ) -> Option<Event<J>> {
        let mut state = self.lock();
        let event = state.next(eligible);
        if event.is_none() {
            state.interrupt = Some(Arc::clone(interrupt));
        }
        event
    }

    /// The same for a thread that waits for the next job of any kind: a closed waiter ends that too.
    pub fn idle_elsewhere(&self, interrupt: &Interrupt) -> Option<Event<J>> {
        let mut state = self.lock();
        let event = state.next_of_any_kind();
        if event.is_none() {
            state.interrupt = Some(Arc::clone(interrupt));
        }
        event
    }

    /// Says that the thread is back from waiting for something else.
    pub fn back(&self) {
        self.lock().interrupt = None;
    }

    /// Waits for the next job of any kind, as a thread does that has nothing else to do. Whatever ends the wait, the thread looks
    /// first whether something [is due](Arrivals::is_due). `Woken`: something is, and the job was taken by somebody else.
    pub fn next_job(&self, arrivals: &Arc<Arrivals>) -> Event<J> {
        let mut state = self.lock();
        loop {
            if let Some(event) = state.next_of_any_kind() {
                return event;
            }
            state = match self.sleep(state, For::Job, arrivals, None) {
                Ok(state) => state,
                Err(()) => return Event::TimedOut,
            };
            if state.jobs.is_empty() && !state.closed && arrivals.is_due() {
                return Event::Woken;
            }
        }
    }

    fn sleep<'a>(
        &'a self,
        mut state: MutexGuard<'a, State<J>>,
        purpose: For,
        arrivals: &Arc<Arrivals>,
        deadline: Option<Instant>,
    ) -> Result<MutexGuard<'a, State<J>>, ()> {
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Err(());
        }
        state.asleep = Some(Asleep {
            purpose,
            arrivals: Arc::clone(arrivals),
        });
        let listening = self.bell.listen();
        drop(state);
        self.bell.sleep(listening, deadline);
        let mut state = self.lock();
        state.asleep = None;
        if let Some(arrivals) = state.expected.take() {
            arrivals.arrive();
        }
        Ok(state)
    }

    /// Wakes the thread, which is expected if this is what it sleeps for.
    fn notify(&self, mut state: MutexGuard<'_, State<J>>, brought: Option<For>) {
        let asleep = state.asleep.is_some();
        let wanted = |asleep: &mut Asleep| Some(asleep.purpose) == brought;
        if let Some(asleep) = state.asleep.take_if(wanted) {
            asleep.arrivals.expect();
            state.expected = Some(asleep.arrivals);
        }
        let interrupt = state.interrupt.take();
        drop(state);
        if asleep {
            self.bell.ring();
        }
        if let Some(interrupt) = interrupt {
            interrupt();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J> std::fmt::Debug for Waiter<J> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiter").finish_non_exhaustive()
    }
}

impl<J> Default for Waiter<J> {
    fn default() -> Self {
        Self::new()
    }
}

impl<J: Send> Wake for Waiter<J> {
    fn wake(self: Arc<Self>) {
        Self::wake(&self);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        Self::wake(self);
    }
}

impl<J> State<J> {
    fn next(&mut self, eligible: impl FnMut(&J) -> bool) -> Option<Event<J>> {
        if std::mem::take(&mut self.woken) {
            return Some(Event::Woken);
        }
        let index = self.jobs.iter().position(eligible)?;
        self.jobs.remove(index).map(Event::Job)
    }

    fn next_of_any_kind(&mut self) -> Option<Event<J>> {
        // Wake-ups of earlier waits mean nothing here.
        self.woken = false;
        match self.jobs.pop_front() {
            Some(job) => Some(Event::Job(job)),
            None => self.closed.then_some(Event::Closed),
        }
    }
}
