//! Decides on which thread a call between processes runs.
//!
//! Each thread that calls has a thread of its own in the other process: the first call with a `Context` over a connection asks
//! the peer for one (`ThreadMap.makeThread`), and all later calls of that thread run there. A callback that arrives while the
//! caller waits runs on the caller's own stack. So thread-local variables, locks and callbacks work as if both were one
//! process.
//!
//! The crate works on the untyped calls of `mp-conn`. A caller asks for [`threads`] to put into its call's context and then
//! [`wait`]s; an object hands a call to [`dispatch`], which runs it on the thread that it names, inside a [`Serving`].
//!
//! ```
//! use std::os::unix::net::UnixStream;
//! use std::sync::Arc;
//!
//! use mp_conn::{CallContext, Connection, Error, EventLoop, Limits, Object, ServerCall};
//! use mp_thread::Need;
//!
//! /// Method 0 gives the thread map, method 1 the name of the thread that runs it. The context is the params' first pointer.
//! struct Server;
//!
//! impl Object for Server {
//!     fn context_field(&self, _interface_id: u64, ordinal: u16) -> Option<u16> {
//!         (ordinal == 1).then_some(0)
//!     }
//!
//!     fn call(&self, call: ServerCall) {
//!         if call.ordinal() == 0 {
//!             let map = mp_thread::thread_map(&call.connection());
//!             call.reply(&[(0, map)], |_| Ok(())).unwrap_or_default();
//!             return;
//!         }
//!         mp_thread::dispatch(call, 1, Need::Named, |call| {
//!             let name = mp_thread::thread_name("server");
//!             call.reply(&[], |mut results| Ok(results.set_as::<capnp::text::Owned>(&*name)?))
//!                 .unwrap_or_default();
//!         });
//!     }
//! }
//!
//! # fn main() -> Result<(), Error> {
//! let event_loop = EventLoop::new("example")?;
//! let (ours, theirs) = UnixStream::pair()?;
//! let _server = mp_conn::serve(&event_loop, theirs, Arc::new(Server), Limits::default())?;
//! let server = mp_conn::connect(&event_loop, ours, Limits::default())?;
//! let connection = server.connection()?;
//!
//! let mut call = Connection::call(&server, 1, 0, &CallContext::default(), |_| Ok(()))?;
//! mp_thread::set_thread_map(&connection, Some(call.pipelined(&[0])?))?;
//! mp_thread::wait(&connection, None, |waker| call.poll_message(waker))??;
//!
//! let context = CallContext {
//!     threads: Some(mp_thread::threads(&connection, 0)?),
//!     ..CallContext::default()
//! };
//! let mut call = Connection::call(&server, 1, 1, &context, |_| Ok(()))?;
//! let mut read = Some(|results: capnp::any_pointer::Reader<'_>| {
//!     Ok(results.get_as::<capnp::text::Reader>()?.to_string().unwrap_or_default())
//! });
//! let name = mp_thread::wait(&connection, None, |waker| call.poll_read(waker, &mut read))??;
//! assert!(name.ends_with(&format!("(from {})", mp_thread::thread_name("example"))));
//! # Ok(())
//! # }
//! ```

mod async_serving;
mod async_threads;
mod attendance;
mod awaited;
mod callback_thread;
mod context;
mod counterpart;
mod crew;
mod dispatch;
mod job;
mod lead;
mod name;
mod pool;
mod serving;
mod shared_threads;
mod thread_map;
mod thread_object;
pub mod waiter;
mod worker;

/// What `tests/loom.rs` checks. Not public API.
#[doc(hidden)]
pub mod model {
    pub use crate::attendance::Attendance;
    pub use crate::crew::{CallUp, Crew};
}

use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Instant;

use mp_conn::{
    Cancellation, Capability, Connection, Error, EventLoop, Object, ServerCall, Threads,
};

pub use self::async_serving::AsyncServing;
pub use self::async_threads::{Leased, Queued, ThreadLease};
pub use self::context::Sending;
use self::context::{Polled, ThreadContext};
pub use self::dispatch::{Need, dispatch};
pub use self::serving::{PendingDestroy, Serving};
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
/// this process for callbacks. The lease is to be kept until the call has ended. `None`: as many calls run as may, and this
/// one is to be [queued](queue_for_threads).
///
/// # Errors
///
/// [`Error::CalledAfterDisconnect`].
pub fn lease_threads(connection: &Connection, field: u16) -> Result<Option<Leased>, Error> {
    ThreadState::of(connection)
        .asynchronous()
        .lease(connection, field)
}

/// Has a call started when there are [threads](lease_threads) for it, in the order in which calls come here, or told when the
/// connection ends. The function is called on whichever thread learns of it, which may be this one, and must not wait.
pub fn queue_for_threads(
    connection: &Connection,
    field: u16,
    start: impl FnOnce(Result<Leased, Error>) + Send + 'static,
) -> Queued {
    ThreadState::of(connection)
        .asynchronous()
        .queue(connection, field, start)
}

/// Starts a call that the calling thread makes and does not wait for, with its counterpart at the peer, so that the call comes
/// after its earlier ones, or else one that is free, as soon as one is; and a pool of this process for callbacks, which a
/// thread that does not wait cannot run. The lease is to be kept until the call has ended.
///
/// # Errors
///
/// [`Error::CalledAfterDisconnect`].
pub fn with_unattended_threads(
    connection: &Connection,
    field: u16,
    start: impl FnOnce(Result<Leased, Error>) + Send + 'static,
) -> Result<(), Error> {
    let counterpart = ThreadContext::with(|context| context.existing_thread(connection))?;
    let leased = match counterpart {
        Some(thread) => {
            let threads = Threads {
                field,
                thread: Some(thread),
                callback_thread: Some(ThreadState::of(connection).callback_object()),
            };
            Some((threads, ThreadLease::none()))
        }
        None => lease_threads(connection, field)?,
    };
    match leased {
        Some(leased) => start(Ok(leased)),
        None => queue_for_threads(connection, field, start).detach(),
    }
    Ok(())
}

/// Waits until another message may be queued for a peer that does not read as fast as this process writes. At once if one
/// may, and on a thread that may not wait.
///
/// # Errors
///
/// [`Error::TimedOut`]; [`Error::CalledAfterDisconnect`] and [`Error::Disconnected`] when the connection ends.
pub fn wait_for_room(connection: &Connection, deadline: Option<Instant>) -> Result<(), Error> {
    if connection.has_room() || EventLoop::may_block().is_err() {
        return Ok(());
    }
    wait_not();
    wait(connection, deadline, |waker| connection.poll_room(waker))?
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
    ThreadContext::with(|context| context.wait(connection, deadline, Polled::Never, poll))?
}

/// As [`wait`], for what will wake the calling thread's [`waker`] and can hardly have happened yet: the thread waits before it
/// polls.
///
/// # Errors
///
/// As [`wait`].
pub fn wait_for_waker<R>(
    connection: &Connection,
    deadline: Option<Instant>,
    poll: impl FnMut(&Waker) -> Poll<R>,
) -> Result<R, Error> {
    ThreadContext::with(|context| context.wait(connection, deadline, Polled::Pending, poll))?
}

/// What wakes the calling thread from its next wait.
///
/// # Errors
///
/// The thread is ending.
pub fn waker() -> Result<Waker, Error> {
    ThreadContext::with(ThreadContext::waker)
}

/// Says that the calling thread is about to send something and then to wait for what comes back. It may take the socket for
/// that, so that what comes back wakes no other thread; the next wait uses it, or [`wait_not`] gives it back.
///
/// Nothing of the user's may run on the thread until then.
pub fn wait_ahead(connection: &Connection, sending: Sending) {
    // A thread that is ending does not lead.
    ThreadContext::with(|context| context.lead_ahead(connection, sending)).unwrap_or_default();
}

/// Says that the calling thread will not wait after all.
pub fn wait_not() {
    ThreadContext::with(ThreadContext::give_back).unwrap_or_default();
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
pub fn set_thread_map(connection: &Connection, peer: Option<Capability>) -> Result<(), Error> {
    let detached = peer.map(Capability::into_detached).transpose()?;
    ThreadState::of(connection).set_remote(detached);
    Ok(())
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
