//! What the tests share: a deadline for each of them, an object to call, and a way to wait.
#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "helpers of tests, of which each test crate uses a part"
)]

pub(crate) mod raw;

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use mp_conn::{
    Call, CallContext, Capability, Connection, Error, EventLoop, Limits, Object, ServerCall,
    connect, serve,
};
use patience::soon;
pub(crate) use patience::{deadline, eventually as until, factor as patience, within_deadline};

/// Answers method 0 with its text, and fails everything else.
pub(crate) struct Echo;

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
            let text = params.get_as::<capnp::text::Reader<'_>>()?;
            text.to_string().map_err(Error::failed)
        });
        match text {
            // Fails when the connection has ended.
            Ok(text) => call
                .reply(&[], |mut results| {
                    Ok(results.set_as::<capnp::text::Owned>(&*text)?)
                })
                .unwrap_or_default(),
            Err(error) => call.fail(&error),
        }
    }
}

/// The usual limits, changed.
pub(crate) fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

/// A client with these limits, and the server's end of its connection, with the usual ones.
pub(crate) fn pair(
    event_loop: &EventLoop,
    object: Arc<dyn Object>,
    limits: Limits,
) -> (Capability, Connection) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let server = serve(event_loop, theirs, object, Limits::default()).unwrap();
    (connect(event_loop, ours, limits).unwrap(), server)
}

/// Calls a method of [`Echo`] and waits for the answer.
pub(crate) fn echo(peer: &Capability, ordinal: u16, text: &str) -> Result<String, Error> {
    wait(send(peer, ordinal, text)?)
}

/// Sends a call of a method of [`Echo`].
pub(crate) fn send(peer: &Capability, ordinal: u16, text: &str) -> Result<Call, Error> {
    Connection::call(peer, 1, ordinal, &CallContext::default(), |mut params| {
        Ok(params.set_as::<capnp::text::Owned>(text)?)
    })
}

/// Waits for the answer of a call that carries text.
pub(crate) fn wait(mut call: Call) -> Result<String, Error> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut read = Some(|results: capnp::any_pointer::Reader<'_>| {
        let text = results.get_as::<capnp::text::Reader<'_>>()?;
        text.to_string().map_err(Error::failed)
    });
    let deadline = soon();
    loop {
        if let Poll::Ready(result) = call.poll_read(&waker, &mut read) {
            return result;
        }
        assert!(Instant::now() < deadline, "no answer");
        thread::park_timeout(Duration::from_secs(1));
    }
}

/// Whether a call that carries text has no answer yet.
pub(crate) fn is_pending(call: &mut Call) -> bool {
    let mut read = Some(|_: capnp::any_pointer::Reader<'_>| Ok(()));
    call.poll_read(Waker::noop(), &mut read).is_pending()
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
