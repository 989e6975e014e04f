//! Decides on which thread a call between processes runs.

mod async_threads;
mod context;
mod dispatch;
mod job;
mod lead;
mod name;
mod pool;
mod thread_map;
mod thread_object;
pub mod waiter;
mod worker;

use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Instant;

use mp_conn::{Cancellation, Capability, Connection, Error, Object, ServerCall, Threads};

pub use self::async_threads::ThreadLease;
use self::context::ThreadContext;
pub use self::context::{PendingDestroy, Serving};
pub use self::dispatch::{Need, dispatch};
use self::thread_map::ThreadState;

/// The threads that go into the context of a call that the calling thread makes: its counterpart at the peer, which is made
/// if there is none, and itself for callbacks.
///
/// # Errors
///
/// [`Error::CalledAfterDisconnect`]; or the thread is ending.
pub fn threads(connection: &Connection, field: u16) -> Result<Threads, Error> {
    ThreadContext::with(|context| context.threads(connection, field))?
}

/// The threads that go into the context of a call that no thread waits for: one of the peer's that is free, and a pool of
/// this process for callbacks. The lease is to be kept until the call has ended.
///
/// # Errors
///
/// [`Error::CalledAfterDisconnect`].
pub fn lease_threads(connection: &Connection, field: u16) -> Result<(Threads, ThreadLease), Error> {
    ThreadState::of(connection)
        .asynchronous()
        .lease(connection, field)
}

/// The threads that go into the context of a call that the calling thread makes and does not wait for: its counterpart at
/// the peer, so that the call comes after its earlier ones, or one that is free; and a pool of this process for callbacks,
/// which a thread that does not wait cannot run. The lease is to be kept until the call has ended.
///
/// # Errors
///
/// [`Error::CalledAfterDisconnect`].
pub fn unattended_threads(
    connection: &Connection,
    field: u16,
) -> Result<(Threads, ThreadLease), Error> {
    let counterpart = ThreadContext::with(|context| context.existing_thread(connection))?;
    match counterpart {
        Some(thread) => Ok((
            Threads {
                field,
                thread: Some(thread),
                callback_thread: Some(ThreadState::of(connection).callback_object()),
            },
            ThreadLease::none(),
        )),
        None => lease_threads(connection, field),
    }
}

/// Waits on the calling thread until `poll` is ready, which is called again whenever the waker was woken. Callbacks that
/// belong to what is waited for run on this thread meanwhile.
///
/// # Errors
///
/// [`Error::TimedOut`]; [`Error::WouldBlockEventLoop`] on a thread that may not wait.
pub fn wait<R>(
    connection: &Connection,
    deadline: Option<Instant>,
    poll: impl FnMut(&Waker) -> Poll<R>,
) -> Result<R, Error> {
    ThreadContext::with(|context| context.wait(connection, deadline, poll))?
}

/// Whether the calling thread may wait.
///
/// # Errors
///
/// [`Error::WouldBlockEventLoop`] if it may not.
pub fn may_block(connection: &Connection) -> Result<(), Error> {
    ThreadContext::with(|context| context.may_block(connection))?
}

/// Tells whether the caller of the method that runs on the calling thread gave up. `None`: no method runs on it.
#[must_use]
pub fn cancellation() -> Option<Cancellation> {
    ThreadContext::with(ThreadContext::cancellation)
        .ok()
        .flatten()
}

/// This process's thread map for a connection, to be offered to the peer.
#[must_use]
pub fn thread_map(connection: &Connection) -> Arc<dyn Object> {
    ThreadState::of(connection).local()
}

/// Takes the peer's thread map, on which [`threads`] makes threads. The handle is kept without keeping the connection open.
///
/// # Errors
///
/// [`Error::Disconnected`] when the connection has ended.
pub fn set_thread_map(connection: &Connection, peer: Option<&Capability>) -> Result<(), Error> {
    let detached = peer.map(Capability::detached).transpose()?;
    ThreadState::of(connection).set_remote(detached);
    Ok(())
}

/// How many threads run that the peer made.
#[must_use]
pub fn thread_count(connection: &Connection) -> usize {
    ThreadState::of(connection).count()
}

/// The calling thread's name, as it stands in the log.
#[must_use]
pub fn thread_name(program: &str) -> Arc<str> {
    ThreadContext::with(|context| context.name(|| name::current(program))).unwrap_or_default()
}

/// The wire's answer to a method that an interface does not have, in the words of the C++ runtime.
pub fn unimplemented(interface: &str, call: ServerCall) {
    let (id, ordinal) = (call.interface_id(), call.ordinal());
    call.fail_with(capnp::Error::unimplemented(format!(
        "Method not implemented.; interfaceName = {interface}; typeId = {id}; methodId = {ordinal}"
    )));
}
