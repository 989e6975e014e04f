//! What was left to others to write is not lost when the connection is closed before they come, and is left to nobody once it
//! was written with something large.

mod util;

use mp_conn::EventLoop;

use crate::util::raw::client;
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

/// As many as what is held back is left to.
const CROWD: usize = 3;
