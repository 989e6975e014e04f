//! Two ends of a connection in one process, each with an event loop of its own.

use std::os::unix::net::UnixStream;
use std::sync::Arc;

use multiprocess::codegen::Interface;
use multiprocess::{Connection, EventLoop};

use crate::party::{DoorObject, PartyObject};
use crate::record::Recorder;
use crate::scenarios::{Door, DoorClient, Party, PartyClient};
use patience::soon;

/// A client and a server, connected.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests take it apart")]
pub struct Pair {
    /// The client's reference to the server's object.
    pub party: PartyClient,
    /// The server's object itself.
    pub object: Arc<PartyObject>,
    /// The client's end.
    pub client: Connection,
    /// The server's end.
    pub server: Connection,
}

impl Pair {
    /// Both ends, with thread maps exchanged.
    #[must_use]
    pub fn new() -> Self {
        let pair = Self::without_thread_maps();
        pair.party
            .init_thread_map()
            .expect("thread maps are exchanged");
        pair
    }

    /// Both ends, where neither has the other's thread map.
    #[must_use]
    pub fn without_thread_maps() -> Self {
        let (ours, theirs) = UnixStream::pair().expect("sockets can be made");
        Self::on(ours, theirs)
    }

    /// Both ends with thread maps exchanged, and somebody who notes what they say to each other.
    #[must_use]
    pub fn recorded() -> (Self, Recorder) {
        let (ours, theirs, recorder) = Recorder::between();
        let pair = Self::on(ours, theirs);
        pair.party
            .init_thread_map()
            .expect("thread maps are exchanged");
        (pair, recorder)
    }

    /// Both ends, with thread maps exchanged, on event loops of that name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let (ours, theirs) = UnixStream::pair().expect("sockets can be made");
        let pair = Self::between([ours, theirs], [name, name]);
        pair.party
            .init_thread_map()
            .expect("thread maps are exchanged");
        pair
    }

    fn on(ours: UnixStream, theirs: UnixStream) -> Self {
        Self::between([ours, theirs], ["client", "server"])
    }

    fn between([ours, theirs]: [UnixStream; 2], [client, server]: [&str; 2]) -> Self {
        let object = PartyObject::new();
        let server_loop = event_loop(server);
        let client_loop = event_loop(client);
        let served: Arc<dyn Party> = Arc::<PartyObject>::clone(&object);
        let server = multiprocess::serve(&server_loop, theirs, served).expect("it can be served");
        let party = multiprocess::connect::<dyn Party>(&client_loop, ours).expect("it connects");
        let client = connection::<dyn Party>(&party);
        Self {
            party,
            object,
            client,
            server,
        }
    }

    /// Ends the client, and waits until the server has noticed.
    pub fn end(self) {
        self.client.close();
        self.server
            .wait_closed(Some(soon()))
            .expect("the server notices");
    }
}

impl Default for Pair {
    fn default() -> Self {
        Self::new()
    }
}

/// A client of an object behind a door, where `construct` exchanges the thread maps.
#[must_use]
pub fn through_door(object: &Arc<PartyObject>) -> (DoorClient, Connection) {
    let (ours, theirs) = UnixStream::pair().expect("sockets can be made");
    let door: Arc<dyn Door> = DoorObject::new(object);
    let server =
        multiprocess::serve(&event_loop("server"), theirs, door).expect("it can be served");
    let door = multiprocess::connect::<dyn Door>(&event_loop("client"), ours).expect("it connects");
    (door, server)
}

/// An event loop.
#[must_use]
pub fn event_loop(name: &str) -> EventLoop {
    EventLoop::new(name).expect("an event loop can be started")
}

/// The connection that a client's object is reached over.
#[must_use]
pub fn connection<I: Interface + ?Sized>(object: &I) -> Connection {
    let proxy = object.as_proxy().expect("it is a client");
    proxy.connection().expect("it is connected")
}
