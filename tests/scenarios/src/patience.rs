//! Waiting in tests: always with a deadline, never longer than needed.

use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Runs a test's body on a thread of its own, and fails when it takes longer than any test may.
///
/// # Panics
///
/// When the body does, or when the time is over.
pub fn within_deadline(body: impl FnOnce() + Send + 'static) {
    let (done, ended) = channel();
    let name = thread::current().name().unwrap_or("test").to_owned();
    let thread = start(&name, move || {
        body();
        // The receiver is gone only if the time is over.
        done.send(()).ok();
    });
    match ended.recv_timeout(DEADLINE) {
        Err(RecvTimeoutError::Timeout) => panic!("the test still runs after {DEADLINE:?}"),
        Ok(()) | Err(RecvTimeoutError::Disconnected) => {
            if let Err(panic) = thread.join() {
                resume_unwind(panic);
            }
        }
    }
}

/// Runs a test about a race several times: as often as the variable `MP_STRESS` says.
///
/// # Panics
///
/// When the body does, or when one run takes too long.
pub fn stress(body: impl Fn() + Send + Clone + 'static) {
    let times = std::env::var("MP_STRESS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(FEW);
    for _ in 0..times {
        within_deadline(body.clone());
    }
}

/// Waits until something that ends on its own has come about: a count that goes down when a message has crossed.
///
/// # Panics
///
/// When it does not come about.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !holds() {
        assert!(Instant::now() < deadline, "it does not come about: {what}");
        thread::park_timeout(Duration::from_millis(1));
    }
}

/// Starts a named thread.
///
/// # Panics
///
/// When the system cannot.
pub fn start<R: Send + 'static>(
    name: &str,
    body: impl FnOnce() -> R + Send + 'static,
) -> JoinHandle<R> {
    let thread = thread::Builder::new()
        .name(name.to_owned())
        .stack_size(STACK_BYTES)
        .spawn(body);
    thread.expect("a thread can be started")
}

/// A moment that is too late for anything that a test waits for.
#[must_use]
pub fn soon() -> Instant {
    Instant::now() + SOON
}

const DEADLINE: Duration = Duration::from_secs(60);
/// Much longer than anything takes, even on a busy machine.
pub const SOON: Duration = Duration::from_secs(20);
const FEW: u32 = 3;
/// As much as a main thread has.
const STACK_BYTES: usize = 8 << 20;
