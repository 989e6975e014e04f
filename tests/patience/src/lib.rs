//! How tests wait: always with a deadline, never longer than needed.

#![forbid(unsafe_code)]

use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Runs a test's body, and fails when it takes longer than any test may.
///
/// # Panics
///
/// When the body does, or when the time is over.
pub fn within_deadline(body: impl FnOnce() + Send + 'static) {
    within("the test", 2 * deadline(), body);
}

/// Runs a body on a thread of its own, which has the name of the calling one, and fails when it takes longer than it may.
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
    let name = thread::current().name().unwrap_or("test").to_owned();
    let thread = start(&name, move || {
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

/// Runs a test about a race several times: as often as the variable `MP_STRESS` says.
///
/// # Panics
///
/// When the body does, or when one run takes too long. In a long run that is longer: other tests run beside it, and perhaps
/// nothing else on the machine waits for it.
pub fn stress(body: impl Fn() + Send + Clone + 'static) {
    let (times, longest) = match stressed() {
        Some(times) => (times, 10 * deadline()),
        None => (FEW, 2 * deadline()),
    };
    for time in 1..=times {
        within(&format!("run {time}"), longest, body.clone());
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

/// Starts a named thread, with as much of a stack as a main thread has.
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
    Instant::now() + SOON * factor()
}

/// Longer than anything takes.
#[must_use]
pub fn deadline() -> Duration {
    Duration::from_secs(30) * factor()
}

/// How many times slower than usual tests may be: `MP_PATIENCE`, for runs under valgrind.
#[must_use]
pub fn factor() -> u32 {
    let asked = std::env::var("MP_PATIENCE").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Much longer than anything takes, even on a busy machine.
const SOON: Duration = Duration::from_secs(20);
const FEW: u32 = 3;
const STACK_BYTES: usize = 8 << 20;
