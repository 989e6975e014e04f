//! Offers local objects and closures to a peer process, and takes them back.

mod call_future;
mod convert;
mod interface;
mod log;
mod objects;
mod proxy_client;
mod server_call;
mod server_object;

use std::sync::Arc;

pub use capnp;
pub use mp_conn::{Error, proxy_capnp};
use mp_conn::{Connection, EventLoop, Limits, Reference, Stream};

pub use self::call_future::CallFuture;
pub use self::convert::*;
pub use self::interface::{Interface, InterfaceInfo, Method};
pub use self::objects::Objects;
pub use self::proxy_client::ProxyClient;
pub use self::server_call::{Reply, ServerCall};
pub use self::server_object::ServerObject;

/// Starts a connection as its client, and takes the peer's first object.
///
/// Whether the peer answers is not known yet when this returns: the first call tells.
///
/// # Errors
///
/// [`Error::Io`] when the socket cannot be watched.
#[doc(alias = "ConnectStream")]
pub fn connect<I: Interface + ?Sized>(
    event_loop: &EventLoop,
    stream: impl Into<Stream>,
    limits: Limits,
) -> Result<I::Client, Error> {
    let capability = mp_conn::connect(event_loop, stream, limits)?;
    Ok(I::from_proxy(ProxyClient::new(capability, I::INFO)?))
}

/// Starts a connection as its server, with the first object that the peer gets.
///
/// # Errors
///
/// [`Error::Io`] when the socket cannot be watched.
#[doc(alias = "ServeStream")]
pub fn serve<I: Interface + ?Sized>(
    event_loop: &EventLoop,
    stream: impl Into<Stream>,
    object: Arc<I>,
    limits: Limits,
) -> Result<Connection, Error> {
    mp_conn::serve(event_loop, stream, Arc::new(ServerObject::new(object)), limits)
}

/// Takes the thread map that a peer gave.
fn take_thread_map(connection: &Connection, given: Option<&Reference>) -> Result<(), Error> {
    match given {
        Some(Reference::Remote(capability)) => {
            mp_thread::set_thread_map(connection, Some(capability))
        }
        _ => mp_thread::set_thread_map(connection, None),
    }
}
