//! Listening: how many clients are accepted, and what happens at the ends of listeners and clients.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod util;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mp_conn::{
    Capability, Error, EventLoop, Limits, ListenOptions, Listener, Stream, connect, listen,
};

use crate::util::{Echo, echo, patience, until, within_deadline};

fn start(event_loop: &EventLoop, path: &Path, max_connections: usize) -> Result<Listener, Error> {
    let mut options = ListenOptions::default();
    options.max_connections = max_connections;
    listen(event_loop, path, options, |_| Arc::new(Echo))
}

fn client(event_loop: &EventLoop, path: &Path) -> Capability {
    connect(event_loop, Stream::unix(path).unwrap(), Limits::default()).unwrap()
}

#[test]
fn clients_are_served_and_outlive_the_listener() {
    within_deadline(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/er/node.sock");
        let event_loop = EventLoop::new("listen").unwrap();
        let listener = start(&event_loop, &path, 10).unwrap();
        let clients: Vec<_> = (0..3).map(|_| client(&event_loop, &path)).collect();
        for client in &clients {
            assert_eq!(echo(client, 0, "hello").unwrap(), "hello");
        }
        assert_eq!(listener.connections().len(), 3);
        assert_eq!(listener.path(), Some(&*path));
        drop(listener);
        assert!(!path.exists());
        assert!(UnixStream::connect(&path).is_err());
        assert_eq!(echo(&clients[1], 0, "still").unwrap(), "still");
    });
}

#[test]
fn the_limit_of_connections_makes_clients_wait() {
    within_deadline(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("node.sock");
        let event_loop = EventLoop::new("listen").unwrap();
        let listener = start(&event_loop, &path, 2).unwrap();
        let first = client(&event_loop, &path);
        let second = client(&event_loop, &path);
        assert_eq!(echo(&first, 0, "1").unwrap(), "1");
        assert_eq!(echo(&second, 0, "2").unwrap(), "2");
        let third = client(&event_loop, &path);
        let mut waiting = util::send(&third, 0, "3").unwrap();
        // Another client gets its answer, so the listener has had its turn.
        assert_eq!(echo(&first, 0, "1").unwrap(), "1");
        assert_eq!(listener.connections().len(), 2);
        assert!(util::is_pending(&mut waiting));
        drop(second);
        assert_eq!(util::wait(waiting).unwrap(), "3");
        assert_eq!(listener.connections().len(), 2);
    });
}

#[test]
fn clients_that_say_nothing_lose_their_places() {
    within_deadline(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("node.sock");
        let event_loop = EventLoop::new("listen").unwrap();
        let mut options = ListenOptions::default();
        options.max_connections = 3;
        let time = Duration::from_secs(1) * patience();
        options.handshake_timeout = Some(time);
        let listener = listen(&event_loop, &*path, options, |_| Arc::new(Echo)).unwrap();
        let first = client(&event_loop, &path);
        assert_eq!(echo(&first, 0, "1").unwrap(), "1");
        let begin = Instant::now();
        let mut silent = UnixStream::connect(&path).unwrap();
        let mut halting = UnixStream::connect(&path).unwrap();
        halting.write_all(&[0, 0, 0, 0, 9, 0, 0, 0, 1]).unwrap();
        // There is no place for another one, until they have had their time.
        let late = client(&event_loop, &path);
        assert_eq!(echo(&late, 0, "late").unwrap(), "late");
        assert!(begin.elapsed() >= time);
        for stream in [&mut silent, &mut halting] {
            // The end of the stream, or a reset because of what was not read.
            assert_eq!(stream.read(&mut [0; 8]).unwrap_or(0), 0);
        }
        // Who has said something may be silent after that.
        let past = Instant::now() + time;
        until("the time passes again", || Instant::now() > past);
        assert_eq!(echo(&first, 0, "still").unwrap(), "still");
        assert_eq!(listener.connections().len(), 2);
    });
}

#[test]
fn clients_that_leave_before_they_are_accepted_do_no_harm() {
    within_deadline(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("node.sock");
        let event_loop = EventLoop::new("listen").unwrap();
        let listener = start(&event_loop, &path, 1).unwrap();
        let first = client(&event_loop, &path);
        assert_eq!(echo(&first, 0, "1").unwrap(), "1");
        for _ in 0..50 {
            drop(UnixStream::connect(&path).unwrap());
        }
        drop(first);
        let last = client(&event_loop, &path);
        assert_eq!(echo(&last, 0, "last").unwrap(), "last");
        drop(last);
        until("all connections end", || listener.connections().is_empty());
    });
}

#[test]
fn a_factory_that_panics_costs_its_client_only() {
    within_deadline(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("node.sock");
        let event_loop = EventLoop::new("listen").unwrap();
        let count = AtomicUsize::new(0);
        let mut options = ListenOptions::default();
        options.max_connections = 1;
        let listener = listen(&event_loop, &*path, options, move |peer| {
            assert_eq!(peer.pid, Some(std::process::id()));
            assert_ne!(
                count.fetch_add(1, Ordering::SeqCst),
                0,
                "the first client is unlucky"
            );
            Arc::new(Echo)
        })
        .unwrap();
        let unlucky = client(&event_loop, &path);
        let error = echo(&unlucky, 0, "1").unwrap_err();
        assert!(error.is_disconnected(), "{error}");
        let lucky = client(&event_loop, &path);
        assert_eq!(echo(&lucky, 0, "2").unwrap(), "2");
        assert_eq!(listener.connections().len(), 1);
    });
}

#[test]
fn connections_can_be_ended_from_the_listener() {
    within_deadline(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("node.sock");
        let event_loop = EventLoop::new("listen").unwrap();
        let listener = start(&event_loop, &path, 5).unwrap();
        let peer = client(&event_loop, &path);
        assert_eq!(echo(&peer, 0, "1").unwrap(), "1");
        for connection in listener.connections() {
            connection.close();
        }
        assert!(echo(&peer, 0, "2").unwrap_err().is_disconnected());
        assert!(listener.connections().is_empty());
    });
}

#[test]
fn sockets_that_listen_already_are_taken() {
    within_deadline(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("node.sock");
        let event_loop = EventLoop::new("listen").unwrap();
        let socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let listener = listen(&event_loop, socket, ListenOptions::default(), |_| {
            Arc::new(Echo)
        })
        .unwrap();
        assert_eq!(echo(&client(&event_loop, &path), 0, "1").unwrap(), "1");
        drop(listener);
        assert!(path.exists(), "the file is not the listener's");
        let (one, _other) = UnixStream::pair().unwrap();
        let one = std::os::fd::OwnedFd::from(one);
        let error = listen(&event_loop, one, ListenOptions::default(), |_| {
            Arc::new(Echo)
        });
        assert_eq!(
            error.unwrap_err().to_string(),
            "the socket is not listening"
        );
    });
}

#[test]
fn tcp_clients_have_no_user_and_are_accepted_on_demand_only() {
    within_deadline(|| {
        let event_loop = EventLoop::new("listen").unwrap();
        for peers in [mp_conn::Peers::SameUser, mp_conn::Peers::Any] {
            let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let address = socket.local_addr().unwrap();
            let mut options = ListenOptions::default();
            options.peers = peers;
            let _listener = listen(&event_loop, socket, options, |_| Arc::new(Echo)).unwrap();
            let stream = std::net::TcpStream::connect(address).unwrap();
            let peer = connect(&event_loop, stream, Limits::default()).unwrap();
            let accepted = echo(&peer, 0, "tcp").is_ok();
            assert_eq!(accepted, peers == mp_conn::Peers::Any);
        }
    });
}
