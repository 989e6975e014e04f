//! Connections with an object at the serving end.

use std::sync::Arc;

use mp_conn::{Connection, Error, EventLoop, Limits, Stream};

use crate::{Interface, ProxyClient, ServerObject};

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
    mp_conn::serve(
        event_loop,
        stream,
        Arc::new(ServerObject::new(object)),
        limits,
    )
}
