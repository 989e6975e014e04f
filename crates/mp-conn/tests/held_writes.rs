//! What was left to others to write is not lost when the connection is closed before they come, and is left to nobody once it
//! was written with something large.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod util;

use std::os::unix::net::UnixStream;

use capnp::message::ReaderOptions;
use mp_conn::{Capability, EventLoop, Limits, connect};

use crate::util::{deadline, send};

/// A client whose peer is a socket that has got the first message.
fn silent_peer(event_loop: &EventLoop) -> (Capability, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_read_timeout(Some(deadline())).unwrap();
    let peer = connect(event_loop, ours, Limits::default()).unwrap();
    assert!(receive(&theirs));
    (peer, theirs)
}

/// Reads a message. False: the connection has ended.
fn receive(theirs: &UnixStream) -> bool {
    let message = capnp::serialize::try_read_message(theirs, ReaderOptions::new());
    message.unwrap().is_some()
}

#[test]
fn closing_writes_what_was_held_back() {
    let event_loop = EventLoop::new("client").unwrap();
    let (peer, theirs) = silent_peer(&event_loop);
    let connection = peer.connection().unwrap();
    (0..CROWD).for_each(|_| connection.arrivals().expect());
    let _call = send(&peer, 0, "").unwrap();
    assert!(connection.stats().queued_bytes > 0, "nothing was held back");
    connection.close();
    assert!(receive(&theirs), "the call");
    assert!(!receive(&theirs), "the end");
}

#[test]
fn what_is_written_with_something_large_is_left_to_nobody() {
    let event_loop = EventLoop::new("client").unwrap();
    let (peer, theirs) = silent_peer(&event_loop);
    let connection = peer.connection().unwrap();
    let arrivals = connection.arrivals();
    (0..CROWD).for_each(|_| arrivals.expect());
    let _small = send(&peer, 0, "").unwrap();
    assert!(connection.stats().queued_bytes > 0, "nothing was held back");
    let _large = send(&peer, 0, &"x".repeat(40 << 10)).unwrap();
    assert!(receive(&theirs), "the small call");
    assert!(receive(&theirs), "the large one");
    (0..CROWD).for_each(|_| arrivals.arrive());
    assert!(!arrivals.is_due(), "those who come enter for nothing");
}

/// As many as what is held back is left to.
const CROWD: usize = 3;
