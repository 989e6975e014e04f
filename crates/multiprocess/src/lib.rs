//! Calls between processes that look like calls in one process.

use std::process::Command;
use std::sync::Arc;

pub use mp_callback::endpoint::Options;
pub use mp_callback::{BuildField, CallFuture, ConvertError, ReadField, TypedFuture, cast};
pub use mp_conn::{
    Address, ByteStream, Cancellation, Connection, Error, EventLoop, Limits, ListenOn, Listener,
    Peer, Peers, Process, RemoteKind, Stats, Stream, WeakConnection,
};
pub use mp_thread::{cancellation, thread_name};

use self::codegen::Interface;

/// What generated code names. Not public API: it changes with the generator.
#[doc(hidden)]
pub mod codegen {
    pub use mp_callback::*;
    pub use std::sync::Arc;
}

/// Includes what `mp_gen::Builder` wrote in the build script: a module for each schema file.
#[macro_export]
macro_rules! include_proxies {
    () => {
        include!(concat!(env!("OUT_DIR"), "/multiprocess.rs"));
    };
}

/// Starts a connection as its client, and takes the peer's first object: `connect::<dyn Init>(..)` gives an `InitClient`.
///
/// # Errors
///
/// [`Error::Io`] when the socket cannot be watched.
pub fn connect<I: Interface + ?Sized>(
    event_loop: &EventLoop,
    stream: impl Into<Stream>,
) -> Result<I::Client, Error> {
    Options::new().connect::<I>(event_loop, stream)
}

/// Starts a connection as its server, with the first object that the peer gets.
///
/// # Errors
///
/// [`Error::Io`] when the socket cannot be watched.
pub fn serve<I: Interface + ?Sized>(
    event_loop: &EventLoop,
    stream: impl Into<Stream>,
    object: Arc<I>,
) -> Result<Connection, Error> {
    Options::new().serve(event_loop, stream, object)
}

/// Accepts clients at a path, whose first object is this one, until the listener is dropped. [`Options`] says how many, and
/// whose.
///
/// The socket is made with mode 0600, and its directory, if it is missing, with mode 0700. A stale socket is replaced;
/// anything else that is at the path is not. Clients of other users are refused.
///
/// # Errors
///
/// [`Error::Address`] for a path that cannot be a socket's; [`Error::Io`], which names the path, also when another process
/// listens there.
#[doc(alias = "ListenConnections")]
pub fn listen<I: Interface + ?Sized>(
    event_loop: &EventLoop,
    on: impl Into<ListenOn>,
    object: Arc<I>,
) -> Result<Listener, Error> {
    Options::new().listen(event_loop, on, object)
}

/// Starts a program with a connection to it. The number of its descriptor is added as the last argument.
///
/// # Errors
///
/// [`Error::Io`], which names the program: it cannot be found, or not be run. [`Error::ProcessEnded`] when it ended at once.
pub fn spawn<I: Interface + ?Sized>(
    event_loop: &EventLoop,
    command: Command,
) -> Result<(I::Client, Process), Error> {
    let (process, stream) = mp_conn::spawn(command)?;
    let client = connect::<I>(event_loop, stream).map_err(|error| process.explain(error))?;
    Ok((client, process))
}

/// The first number of this library's version.
#[doc(alias = "MP_MAJOR_VERSION")]
pub const VERSION_MAJOR: u32 = number(env!("CARGO_PKG_VERSION_MAJOR"));

/// The second number of this library's version.
#[doc(alias = "MP_MINOR_VERSION")]
pub const VERSION_MINOR: u32 = number(env!("CARGO_PKG_VERSION_MINOR"));

/// A decimal number, while compiling.
const fn number(text: &str) -> u32 {
    match u32::from_str_radix(text, 10) {
        Ok(number) => number,
        Err(_) => panic!("cargo gives decimal numbers"),
    }
}
