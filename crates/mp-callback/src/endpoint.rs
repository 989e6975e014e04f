//! Connections with an object at the serving end, and how they are to be.

use std::sync::Arc;
use std::time::Duration;

use mp_conn::{
    Connection, Error, EventLoop, Limits, ListenOn, ListenOptions, Listener, Peers, Stream,
};

use crate::{Interface, ProxyClient, ServerObject};

/// How to connect, serve and listen, where the defaults do not fit.
#[derive(Clone, Debug, Default)]
pub struct Options {
    listen: ListenOptions,
}

impl Options {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the limits of each connection. Default: those of [`Limits`].
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.listen.limits = limits;
        self
    }

    /// Sets how many connections a listener serves at one time; further clients wait until one ends. Default: 1,000.
    #[must_use]
    pub fn max_connections(mut self, count: usize) -> Self {
        self.listen.max_connections = count;
        self
    }

    /// Sets the mode of a listening socket's file. Default: 0600.
    #[must_use]
    pub fn mode(mut self, mode: u32) -> Self {
        self.listen.mode = mode;
        self
    }

    /// Sets whose processes a listener accepts. Default: those of this process's user.
    #[must_use]
    pub fn peers(mut self, peers: Peers) -> Self {
        self.listen.peers = peers;
        self
    }

    /// Sets how long a listener's client may take to send its first message before it is disconnected. `None`: for ever.
    /// Default: 30 seconds.
    #[must_use]
    pub fn handshake_timeout(mut self, time: Option<Duration>) -> Self {
        self.listen.handshake_timeout = time;
        self
    }

    /// Starts a connection as its client, and takes the peer's first object.
    ///
    /// Whether the peer answers is not known yet when this returns: the first call tells.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the socket cannot be watched.
    #[doc(alias = "ConnectStream")]
    pub fn connect<I: Interface + ?Sized>(
        &self,
        event_loop: &EventLoop,
        stream: impl Into<Stream>,
    ) -> Result<I::Client, Error> {
        let limits = self.listen.limits.clone();
        let capability = if I::INFO.construct.is_some() {
            mp_conn::connect_and_call(event_loop, stream, limits)?
        } else {
            mp_conn::connect(event_loop, stream, limits)?
        };
        Ok(I::from_proxy(ProxyClient::new(capability, I::INFO)?))
    }

    /// Starts a connection as its server, with the first object that the peer gets.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the socket cannot be watched.
    #[doc(alias = "ServeStream")]
    pub fn serve<I: Interface + ?Sized>(
        &self,
        event_loop: &EventLoop,
        stream: impl Into<Stream>,
        object: Arc<I>,
    ) -> Result<Connection, Error> {
        let object = Arc::new(ServerObject::new(object));
        mp_conn::serve(event_loop, stream, object, self.listen.limits.clone())
    }

    /// Accepts clients, whose first object is this one, until the listener is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Address`] for a path that cannot be a socket's; [`Error::Io`], which names the path, also when another
    /// process listens there.
    #[doc(alias = "ListenConnections")]
    pub fn listen<I: Interface + ?Sized>(
        &self,
        event_loop: &EventLoop,
        on: impl Into<ListenOn>,
        object: Arc<I>,
    ) -> Result<Listener, Error> {
        mp_conn::listen(event_loop, on, self.listen.clone(), move |_| {
            Arc::new(ServerObject::new(Arc::clone(&object)))
        })
    }
}
