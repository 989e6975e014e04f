//! Waiting in tests: always with a deadline, never longer than needed.

use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Runs a body on a thread of its own, and fails when it takes longer than it may.
///
/// # Panics
///
/// When the body does, or when the time is over.
pub fn within<R: Send + 'static>(
    what: &str,
    time: Duration,
    body: impl FnOnce() -> R + Send + 'static,
) -> R {
    let (done, ended) = channel();
    let thread = start("test", move || {
        let result = body();
        // The receiver is gone only if the time is over.
        done.send(()).ok();
        result
    });
    if ended.recv_timeout(time) == Err(RecvTimeoutError::Timeout) {
        panic!("{what}: still runs after {time:?}");
    }
    thread
        .join()
        .unwrap_or_else(|panic| match panic.downcast::<String>() {
            Ok(text) => panic!("{what}: {text}"),
            Err(panic) => resume_unwind(panic),
        })
}

/// Runs a test's body, and fails when it takes longer than any test may.
///
/// # Panics
///
/// When the body does, or when the time is over.
pub fn within_deadline(body: impl FnOnce() + Send + 'static) {
    within("the test", DEADLINE, body);
}

/// Runs a test about a race several times: as often as the variable `MP_STRESS` says.
///
/// # Panics
///
/// When the body does, or when one run takes too long.
pub fn stress(body: impl Fn() + Send + Clone + 'static) {
    for _ in 0..stressed().unwrap_or(FEW) {
        within_deadline(body.clone());
    }
}

/// How often a test about a race repeats itself, if somebody asked for a long run.
#[must_use]
pub fn stressed() -> Option<u32> {
    std::env::var("MP_STRESS").ok()?.parse().ok()
}

/// Waits until something that ends on its own has come about: a count that goes down when a message has crossed.
///
/// # Panics
///
/// When it does not come about.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = soon();
    while !holds() {
        assert!(Instant::now() < deadline, "it does not come about: {what}");
        thread::park_timeout(Duration::from_micros(200));
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
    let thread = thread::Builder::new().name(name.to_owned()).spawn(body);
    thread.expect("a thread can be started")
}

/// A moment that is too late for anything that a test waits for.
#[must_use]
pub fn soon() -> Instant {
    Instant::now() + SOON
}

/// The longest that a test may take.
pub const DEADLINE: Duration = Duration::from_secs(60);
/// Much longer than anything takes, even on a busy machine.
pub const SOON: Duration = Duration::from_secs(20);
const FEW: u32 = 3;
