//! A desk and its client, connected over a socket.

use std::os::unix::net::UnixStream;
use std::sync::Arc;

use multiprocess::codegen::Interface;
use multiprocess::{AsyncServer, Connection, Error, EventLoop, Limits, Options};

use crate::async_desk::AsyncDesk;
use crate::desk::{Desk, DeskClient};
use crate::plain_peer::without_shared_threads;

/// Both ends.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests take it apart")]
pub struct Pair {
    /// The client.
    pub desk: DeskClient,
    /// The client's end.
    pub client: Connection,
    /// The server's end.
    pub server: Connection,
}

impl Pair {
    /// Serves an asynchronous desk on its event loop.
    ///
    /// # Errors
    ///
    /// When the system has no sockets or threads left.
    pub fn of(desk: &Arc<AsyncDesk>) -> Result<Self, Error> {
        Self::with(AsyncServer::new(Arc::clone(desk)), Limits::default())
    }

    /// Serves any desk, with limits for the client.
    ///
    /// # Errors
    ///
    /// When the system has no sockets or threads left.
    pub fn with(desk: Arc<dyn Desk>, limits: Limits) -> Result<Self, Error> {
        let (ours, theirs) = UnixStream::pair()?;
        let server = multiprocess::serve(&EventLoop::new("server")?, theirs, desk)?;
        Self::on(ours, server, limits)
    }

    /// The same, and the server makes a thread for each call, as the C++ library does.
    ///
    /// # Errors
    ///
    /// When the system has no sockets or threads left.
    pub fn with_plain_threads(desk: Arc<dyn Desk>, limits: Limits) -> Result<Self, Error> {
        let (ours, theirs) = UnixStream::pair()?;
        let server = multiprocess::serve(&EventLoop::new("server")?, theirs, desk)?;
        Self::on(without_shared_threads(ours)?, server, limits)
    }

    /// Serves any desk, with limits for the server.
    ///
    /// # Errors
    ///
    /// When the system has no sockets or threads left.
    pub fn limited(desk: Arc<dyn Desk>, limits: Limits) -> Result<Self, Error> {
        let (ours, theirs) = UnixStream::pair()?;
        let options = Options::new().limits(limits);
        let server = options.serve(&EventLoop::new("server")?, theirs, desk)?;
        Self::on(ours, server, Limits::default())
    }

    fn on(ours: UnixStream, server: Connection, limits: Limits) -> Result<Self, Error> {
        let options = Options::new().limits(limits);
        let desk = options.connect::<dyn Desk>(&EventLoop::new("client")?, ours)?;
        let proxy = <dyn Desk as Interface>::as_proxy(&desk).ok_or("it is a client")?;
        Ok(Self {
            client: proxy.connection()?,
            desk,
            server,
        })
    }
}
