//! Calls and objects without any layer above.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::task::{Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use mp_conn::{
    Call, CallContext, Connection, Error, EventLoop, Limits, Object, ServerCall, connect, serve,
};

/// Answers method 0 with its text, and fails everything else.
struct Echo;

impl Object for Echo {
    fn context_field(&self, _interface_id: u64, _ordinal: u16) -> Option<u16> {
        None
    }

    fn call(&self, call: ServerCall) {
        if call.ordinal() != 0 {
            call.fail(&Error::failed("no such method"));
            return;
        }
        let text = call.read_params(|params| {
            Ok(params
                .get_as::<capnp::text::Reader<'_>>()?
                .to_string()
                .unwrap())
        });
        let text = text.unwrap();
        call.reply(&[], |mut results| {
            Ok(results.set_as::<capnp::text::Owned>(&*text)?)
        })
        .unwrap();
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn wait(mut call: Call) -> Result<String, Error> {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut read = Some(|results: capnp::any_pointer::Reader<'_>| {
        Ok(results
            .get_as::<capnp::text::Reader<'_>>()?
            .to_string()
            .unwrap())
    });
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Poll::Ready(result) = call.poll_read(&waker, &mut read) {
            return result;
        }
        assert!(Instant::now() < deadline, "no answer");
        std::thread::park_timeout(Duration::from_secs(1));
    }
}

fn echo(peer: &mp_conn::Capability, ordinal: u16, text: &str) -> Result<String, Error> {
    let call = Connection::call(peer, 1, ordinal, &CallContext::default(), |mut params| {
        Ok(params.set_as::<capnp::text::Owned>(text)?)
    })?;
    wait(call)
}

#[test]
fn calls_are_answered_and_failures_come_back() {
    let event_loop = EventLoop::new("raw").unwrap();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let server = serve(&event_loop, theirs, Arc::new(Echo), Limits::default()).unwrap();
    let peer = connect(&event_loop, ours, Limits::default()).unwrap();
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
    let (ours, theirs) = UnixStream::pair().unwrap();
    let server = serve(&event_loop, theirs, Arc::new(Echo), Limits::default()).unwrap();
    let (sender, ended) = channel();
    server.on_disconnect(move || sender.send(()).unwrap());
    let peer = connect(&event_loop, ours, Limits::default()).unwrap();
    assert_eq!(echo(&peer, 0, "once").unwrap(), "once");
    drop(peer);
    ended.recv_timeout(Duration::from_secs(20)).unwrap();
    assert!(server.is_closed());
}

#[test]
fn a_closed_connection_refuses_calls() {
    let event_loop = EventLoop::new("raw").unwrap();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let server = serve(&event_loop, theirs, Arc::new(Echo), Limits::default()).unwrap();
    let peer = connect(&event_loop, ours, Limits::default()).unwrap();
    assert_eq!(echo(&peer, 0, "once").unwrap(), "once");
    peer.connection().unwrap().close();
    let error = echo(&peer, 0, "twice").unwrap_err();
    assert_eq!(
        error.to_string(),
        "IPC client method called after disconnect."
    );
    server
        .wait_closed(Some(Instant::now() + Duration::from_secs(20)))
        .unwrap();
}

#[test]
fn a_server_that_goes_away_interrupts_calls() {
    let event_loop = EventLoop::new("raw").unwrap();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let server = serve(&event_loop, theirs, Arc::new(Echo), Limits::default()).unwrap();
    let peer = connect(&event_loop, ours, Limits::default()).unwrap();
    server.close();
    let error = echo(&peer, 0, "late").unwrap_err();
    assert_eq!(
        error.to_string(),
        "IPC client method call interrupted by disconnect."
    );
}
