//! A server that listens on a socket: how many clients it takes, and when.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;

use multiprocess::{EventLoop, Listener, Options, Stream};
use patience::{eventually, within_deadline};
use scenarios::pair::event_loop;
use scenarios::party::PartyObject;
use scenarios::scenarios::{Party, PartyClient};

/// A listening socket in a directory of its own.
struct Listening {
    listener: Listener,
    path: PathBuf,
    clients: EventLoop,
    server: EventLoop,
    _directory: tempfile::TempDir,
}

impl Listening {
    fn new(options: Options) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let server = event_loop("server");
        let object: Arc<dyn Party> = PartyObject::new();
        let listener = options.listen(&server, &*path, object).unwrap();
        Self {
            listener,
            path,
            clients: event_loop("client"),
            server,
            _directory: directory,
        }
    }

    fn client(&self) -> PartyClient {
        let stream = Stream::unix(&self.path).unwrap();
        multiprocess::connect::<dyn Party>(&self.clients, stream).unwrap()
    }

    fn count(&self) -> usize {
        self.listener.connections().len()
    }

    fn wait_for_count(&self, count: usize) {
        eventually("clients are accepted, or noticed to be gone", || {
            self.count() == count
        });
    }

    /// Returns when the server's loop has handled whatever was there before.
    fn sync(&self) {
        let (tell, told) = std::sync::mpsc::channel();
        self.server.post(move || tell.send(()).unwrap());
        told.recv_timeout(patience::deadline()).unwrap();
    }
}

/// "ListenConnections accepts incoming connections"
#[test]
fn listen_connections_accepts_incoming_connections() {
    within_deadline(|| {
        let listening = Listening::new(Options::new());
        assert_eq!(listening.count(), 0);
        let client = listening.client();
        listening.wait_for_count(1);
        assert_eq!(client.add(1, 2).unwrap(), 3);
    });
}

/// "ListenConnections enforces a local connection limit"
#[test]
fn listen_connections_enforces_a_local_connection_limit() {
    within_deadline(|| {
        let listening = Listening::new(Options::new().max_connections(1));
        let first = listening.client();
        listening.wait_for_count(1);
        assert_eq!(first.add(1, 2).unwrap(), 3);
        // In the backlog: the call is on its way, and nobody answers yet.
        let second = listening.client();
        let waiting = second.add_async(2, 3);
        listening.sync();
        assert_eq!(listening.count(), 1);
        assert_eq!(first.add(1, 2).unwrap(), 3);
        drop(first);
        assert_eq!(futures::executor::block_on(waiting).unwrap(), 5);
        assert_eq!(listening.count(), 1);
        drop(second);
        listening.wait_for_count(0);
        let third = listening.client();
        assert_eq!(third.add(3, 4).unwrap(), 7);
    });
}

/// "ListenConnections accepts multiple connections"
#[test]
fn listen_connections_accepts_multiple_connections() {
    within_deadline(|| {
        let listening = Listening::new(Options::new().max_connections(2));
        let (first, second) = (listening.client(), listening.client());
        listening.wait_for_count(2);
        assert_eq!(first.add(1, 2).unwrap(), 3);
        assert_eq!(second.add(2, 3).unwrap(), 5);
        let third = listening.client();
        let waiting = third.add_async(3, 4);
        listening.sync();
        assert_eq!(listening.count(), 2);
        drop(first);
        assert_eq!(futures::executor::block_on(waiting).unwrap(), 7);
        assert_eq!(second.add(2, 3).unwrap(), 5);
    });
}

/// "ListenConnections handles a client that disconnects before being accepted"
#[test]
fn listen_connections_handles_a_client_that_disconnects_before_being_accepted_stress() {
    patience::stress(|| {
        let listening = Listening::new(Options::new());
        drop(UnixStream::connect(&listening.path).unwrap());
        let client = listening.client();
        assert_eq!(client.add(1, 2).unwrap(), 3);
        listening.wait_for_count(1);
    });
}
