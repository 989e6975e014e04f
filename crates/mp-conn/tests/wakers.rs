//! Wakers are code of the user's: none is dropped where it could not use the connection, or the event loop.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod util;

use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use mp_conn::{Call, CallContext, Capability, Connection, EventLoop, WeakConnection};

use crate::util::raw::{Raw, client};
use crate::util::{is_pending, send, within_deadline};

/// A waker that does something when it is dropped, and tells the outcome.
struct OnDrop<F: Fn() -> T, T> {
    action: F,
    told: Sender<T>,
}

impl<F: Fn() -> T + Send + Sync + 'static, T: Send + 'static> OnDrop<F, T> {
    fn waker(action: F) -> (Waker, Receiver<T>) {
        let (told, outcome) = channel();
        (Waker::from(Arc::new(Self { action, told })), outcome)
    }
}

impl<F: Fn() -> T + Send + Sync + 'static, T: Send + 'static> Wake for OnDrop<F, T> {
    fn wake(self: Arc<Self>) {}
}

impl<F: Fn() -> T, T> Drop for OnDrop<F, T> {
    fn drop(&mut self) {
        // The receiver is gone when the test has failed.
        self.told.send((self.action)()).ok();
    }
}

/// A waker whose drop uses the connection. What is told is what came of it: an error says that it was inside.
fn using(connection: WeakConnection) -> (Waker, Receiver<String>) {
    OnDrop::waker(move || {
        let used =
            connection
                .upgrade()
                .map(|connection| match connection.poll_room(Waker::noop()) {
                    Poll::Ready(Err(error)) => error.to_string(),
                    _ => "used".to_owned(),
                });
        used.unwrap_or_default()
    })
}

/// A peer that says nothing, and the connection to it.
fn start() -> (Capability, Connection, Raw) {
    let event_loop = EventLoop::new("wakers").unwrap();
    let (peer, raw) = client(&event_loop);
    let connection = peer.connection().unwrap();
    (peer, connection, raw)
}

/// Polls a call with a waker of which nobody has another.
fn poll_once(call: &mut Call, waker: Waker) {
    let mut read = Some(|_: capnp::any_pointer::Reader<'_>| Ok(()));
    assert!(call.poll_read(&waker, &mut read).is_pending());
    drop(waker);
}

#[test]
fn a_waker_that_is_dropped_can_use_the_connection() {
    within_deadline(|| {
        let (peer, connection, _silent) = start();
        let call = || {
            let (waker, outcome) = using(connection.downgrade());
            let mut call = send(&peer, 0, "").unwrap();
            poll_once(&mut call, waker);
            (call, outcome)
        };
        // Another takes its place.
        let (mut replaced, outcome) = call();
        assert!(is_pending(&mut replaced));
        assert_eq!(outcome.try_recv().unwrap(), "used");
        // The call is given up, or goes on without anybody waiting for it.
        let (given_up, outcome) = call();
        drop(given_up);
        assert_eq!(outcome.try_recv().unwrap(), "used");
        let (unattended, outcome) = call();
        unattended.complete_later(drop).unwrap();
        assert_eq!(outcome.try_recv().unwrap(), "used");
    });
}

#[test]
fn a_waker_of_the_end_of_a_call_can_use_the_connection_when_it_is_dropped() {
    within_deadline(|| {
        let (peer, connection, _silent) = start();
        let call = || {
            let (waker, outcome) = using(connection.downgrade());
            let context = CallContext {
                ended: Some(waker),
                ..CallContext::default()
            };
            let call = Connection::call(&peer, 1, 0, &context, |_| Ok(()));
            drop(context);
            (call, outcome)
        };
        let (given_up, outcome) = call();
        drop(given_up.unwrap());
        assert_eq!(outcome.try_recv().unwrap(), "used");
        let (unattended, outcome) = call();
        unattended.unwrap().complete_later(drop).unwrap();
        assert_eq!(outcome.try_recv().unwrap(), "used");
        let (_kept, outcome) = call();
        connection.close();
        let told = outcome.try_recv().unwrap();
        assert_eq!(told, connection.ended().unwrap().to_string());
        // One that is not sent has no end.
        let (refused, outcome) = call();
        refused.unwrap_err();
        assert_eq!(outcome.try_recv().unwrap(), told);
    });
}

#[test]
fn a_waker_of_a_deadline_can_set_another_when_it_is_dropped() {
    within_deadline(|| {
        let event_loop = EventLoop::new("wakers").unwrap();
        let far = Instant::now() + Duration::from_secs(3600);
        let sleep = move |event_loop: &EventLoop, waker: &Waker| {
            let mut sleep = Box::pin(event_loop.sleep_until(far));
            assert!(
                pin!(&mut sleep)
                    .poll(&mut Context::from_waker(waker))
                    .is_pending()
            );
            sleep
        };
        let other = event_loop.clone();
        let (waker, outcome) = OnDrop::waker(move || drop(sleep(&other, Waker::noop())));
        let given_up = sleep(&event_loop, &waker);
        drop(waker);
        drop(given_up);
        // The loop looks at its deadlines, of which this is the first.
        event_loop.post(|| ());
        outcome.recv().unwrap();
        // And it goes on.
        let (sender, posted) = channel();
        event_loop.post(move || sender.send(()).unwrap_or_default());
        posted.recv().unwrap();
    });
}
