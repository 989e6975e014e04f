//! Two ends of a connection in one process, each with an event loop of its own.

use std::os::unix::net::UnixStream;
use std::sync::Arc;

use multiprocess::codegen::Interface;
use multiprocess::{Connection, EventLoop, Stream};

use crate::faults::{Site, SiteClient};
use crate::patience::{eventually, soon};
use crate::site::SiteObject;

/// The two event loops, for as many connections as one likes.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests take it apart")]
pub struct Loops {
    /// The client's.
    pub client: EventLoop,
    /// The server's.
    pub server: EventLoop,
}

impl Loops {
    /// Starts both.
    ///
    /// # Panics
    ///
    /// When the system has no threads left.
    #[must_use]
    pub fn new() -> Self {
        let start = |name| EventLoop::new(name).expect("an event loop can be started");
        Self {
            client: start("client"),
            server: start("server"),
        }
    }

    /// Connects two ends over a socket.
    ///
    /// # Panics
    ///
    /// When the system has no sockets left.
    #[must_use]
    pub fn pair(&self) -> Pair {
        let (ours, theirs) = UnixStream::pair().expect("sockets can be made");
        self.pair_on(ours, theirs)
    }

    /// Connects two ends over what is given.
    ///
    /// # Panics
    ///
    /// When one of them cannot be watched.
    #[must_use]
    pub fn pair_on(&self, ours: impl Into<Stream>, theirs: impl Into<Stream>) -> Pair {
        let object = SiteObject::new();
        let served: Arc<dyn Site> = Arc::<SiteObject>::clone(&object);
        let server = multiprocess::serve(&self.server, theirs, served).expect("it can be served");
        let site = multiprocess::connect::<dyn Site>(&self.client, ours).expect("it connects");
        Pair {
            client: connection::<dyn Site>(&site),
            site,
            object,
            server,
        }
    }
}

impl Default for Loops {
    fn default() -> Self {
        Self::new()
    }
}

/// A client and a server, connected.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests take it apart")]
pub struct Pair {
    /// The client's reference to the server's object.
    pub site: SiteClient,
    /// The server's object itself.
    pub object: Arc<SiteObject>,
    /// The client's end.
    pub client: Connection,
    /// The server's end.
    pub server: Connection,
}

impl Pair {
    /// Both ends, with event loops of their own.
    #[must_use]
    pub fn new() -> Self {
        Loops::new().pair()
    }

    /// Ends the client, waits until the server has noticed, and checks that nothing is left.
    ///
    /// # Panics
    ///
    /// When something is left.
    pub fn end(self) {
        let Self {
            site,
            object,
            client,
            server,
        } = self;
        drop(site);
        client.close();
        server
            .wait_closed(Some(soon()))
            .expect("the server notices");
        client
            .wait_closed(Some(soon()))
            .expect("the client notices");
        object.forget().expect("it forgets its listeners");
        nothing_left(&client, "client");
        nothing_left(&server, "server");
        eventually("the server's objects are gone", || {
            object.register.live() == 0
        });
    }
}

impl Default for Pair {
    fn default() -> Self {
        Self::new()
    }
}

/// Waits until a connection that has ended has nothing any more: objects, references, calls, threads.
pub fn nothing_left(connection: &Connection, end: &str) {
    eventually(&format!("the {end} keeps {:?}", connection.stats()), || {
        connection.stats() == multiprocess::Stats::default()
    });
}

/// The connection that a client's object is reached over.
///
/// # Panics
///
/// When the object is no client, or not connected.
#[must_use]
pub fn connection<I: Interface + ?Sized>(object: &I) -> Connection {
    let proxy = object.as_proxy().expect("it is a client");
    proxy.connection().expect("it is connected")
}
