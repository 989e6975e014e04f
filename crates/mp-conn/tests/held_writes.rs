//! What was left to others to write is not lost when the connection is closed before they come.

use std::os::unix::net::UnixStream;

use capnp::message::ReaderOptions;
use mp_conn::{CallContext, Connection, EventLoop, Limits, connect};
use patience::deadline;

#[test]
fn closing_writes_what_was_held_back() {
    let event_loop = EventLoop::new("client").unwrap();
    let (ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_read_timeout(Some(deadline())).unwrap();
    let receive = || capnp::serialize::try_read_message(&theirs, ReaderOptions::new()).unwrap();
    let peer = connect(&event_loop, ours, Limits::default()).unwrap();
    let connection = peer.connection().unwrap();
    assert!(receive().is_some());

    (0..CROWD).for_each(|_| connection.arrivals().expect());
    let _call = Connection::call(&peer, 1, 0, &CallContext::default(), |_| Ok(())).unwrap();
    assert!(connection.stats().queued_bytes > 0, "nothing was held back");
    connection.close();
    assert!(receive().is_some(), "the call");
    assert!(receive().is_none(), "the end");
}

/// As many as what is held back is left to.
const CROWD: usize = 3;
