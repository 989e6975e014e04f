//! What was left to others to write is not lost when the connection is closed before they come, and is left to nobody once it
//! was written with something large. And what goes out at a connection's beginning and end.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod util;

use std::io::{ErrorKind, Read};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use capnp_rpc::rpc_capnp::message;
use mp_conn::{Capability, EventLoop, Limits, connect_and_call};

use crate::util::raw::{Raw, client, start};
use crate::util::send;

#[test]
fn closing_writes_what_was_held_back() {
    let event_loop = EventLoop::new("client").unwrap();
    let (peer, mut raw) = client(&event_loop);
    let connection = peer.connection().unwrap();
    (0..CROWD).for_each(|_| connection.arrivals().expect());
    let _call = send(&peer, 0, "").unwrap();
    assert!(connection.stats().queued_bytes > 0, "nothing was held back");
    connection.close();
    assert!(raw.receive().is_some(), "the call");
    assert!(raw.receive().is_none(), "the end");
}

#[test]
fn what_is_written_with_something_large_is_left_to_nobody() {
    let event_loop = EventLoop::new("client").unwrap();
    let (peer, mut raw) = client(&event_loop);
    let connection = peer.connection().unwrap();
    let arrivals = connection.arrivals();
    (0..CROWD).for_each(|_| arrivals.expect());
    let _small = send(&peer, 0, "").unwrap();
    assert!(connection.stats().queued_bytes > 0, "nothing was held back");
    let _large = send(&peer, 0, &"x".repeat(40 << 10)).unwrap();
    assert!(raw.receive().is_some(), "the small call");
    assert!(raw.receive().is_some(), "the large one");
    (0..CROWD).for_each(|_| arrivals.arrive());
    assert!(!arrivals.is_due(), "those who come enter for nothing");
}

/// A client that did not call yet, and its peer, who was told nothing yet.
fn silent(event_loop: &EventLoop) -> (Capability, Raw) {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let peer = connect_and_call(event_loop, ours, Limits::default()).unwrap();
    theirs.set_nonblocking(true).unwrap();
    let nothing = theirs.read(&mut [0; 64]).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
    theirs.set_nonblocking(false).unwrap();
    (peer, Raw::new(theirs))
}

fn is_bootstrap(raw: &mut Raw) -> bool {
    let message = raw.receive().unwrap();
    let root: message::Reader<'_> = message.get_root().unwrap();
    matches!(root.which().unwrap(), message::Bootstrap(_))
}

#[test]
fn the_first_object_is_asked_for_with_the_first_call() {
    let event_loop = EventLoop::new("client").unwrap();
    let (peer, mut raw) = silent(&event_loop);
    let _call = send(&peer, 0, "").unwrap();
    assert!(is_bootstrap(&mut raw));
    assert!(raw.receive().is_some(), "the call");
}

#[test]
fn whoever_enters_first_asks_for_the_first_object() {
    let event_loop = EventLoop::new("client").unwrap();
    let (peer, mut raw) = silent(&event_loop);
    assert!(peer.connection().unwrap().stats().queued_bytes > 0);
    assert!(is_bootstrap(&mut raw));
}

#[test]
fn the_last_handle_ends_the_connection_and_says_nothing_else() {
    let event_loop = EventLoop::new("client").unwrap();
    let (peer, mut raw) = client(&event_loop);
    drop(peer);
    assert!(raw.receive().is_none(), "the end");
}

#[test]
fn a_handle_that_is_not_the_last_is_released() {
    let event_loop = EventLoop::new("client").unwrap();
    let (peer, mut raw) = client(&event_loop);
    let connection = peer.connection().unwrap();
    let call = send(&peer, 0, "").unwrap();
    assert!(raw.receive().is_some(), "the call");
    drop(call);
    let message = raw.receive().unwrap();
    let root: message::Reader<'_> = message.get_root().unwrap();
    assert!(matches!(root.which().unwrap(), message::Finish(_)));
    drop(connection);
}

#[test]
fn a_peer_that_ended_is_not_told_why() {
    let (_server, mut raw) = start();
    raw.stream().shutdown(Shutdown::Write).unwrap();
    assert!(raw.receive().is_none(), "the end");
}

/// As many as what is held back is left to.
const CROWD: usize = 3;
