//! Calls and objects without any layer above.

mod util;

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Instant;

use mp_conn::{EventLoop, Limits};

use crate::util::{Echo, deadline, echo, pair};

#[test]
fn calls_are_answered_and_failures_come_back() {
    let event_loop = EventLoop::new("raw").unwrap();
    let (peer, server) = pair(&event_loop, Arc::new(Echo), Limits::default());
    assert_eq!(echo(&peer, 0, "hello").unwrap(), "hello");
    let large = "x".repeat(3 << 20);
    assert_eq!(echo(&peer, 0, &large).unwrap(), large);
    let error = echo(&peer, 1, "").unwrap_err();
    assert_eq!(
        error.to_string(),
        "remote exception: std::exception: no such method"
    );
    assert_eq!(server.stats().requests, 0);
    assert_eq!(peer.connection().unwrap().stats().calls, 0);
}

#[test]
fn a_client_that_goes_away_ends_the_connection() {
    let event_loop = EventLoop::new("raw").unwrap();
    let (peer, server) = pair(&event_loop, Arc::new(Echo), Limits::default());
    let (sender, ended) = channel();
    server.on_disconnect(move || sender.send(()).unwrap());
    assert_eq!(echo(&peer, 0, "once").unwrap(), "once");
    drop(peer);
    ended.recv_timeout(deadline()).unwrap();
    assert!(server.is_closed());
}

#[test]
fn a_closed_connection_refuses_calls() {
    let event_loop = EventLoop::new("raw").unwrap();
    let (peer, server) = pair(&event_loop, Arc::new(Echo), Limits::default());
    assert_eq!(echo(&peer, 0, "once").unwrap(), "once");
    peer.connection().unwrap().close();
    let error = echo(&peer, 0, "twice").unwrap_err();
    assert_eq!(
        error.to_string(),
        "IPC client method called after disconnect."
    );
    server
        .wait_closed(Some(Instant::now() + deadline()))
        .unwrap();
}

#[test]
fn a_server_that_goes_away_interrupts_calls() {
    let event_loop = EventLoop::new("raw").unwrap();
    let (peer, server) = pair(&event_loop, Arc::new(Echo), Limits::default());
    server.close();
    let error = echo(&peer, 0, "late").unwrap_err();
    assert_eq!(
        error.to_string(),
        "IPC client method call interrupted by disconnect."
    );
}
