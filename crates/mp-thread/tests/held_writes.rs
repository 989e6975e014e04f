//! What a thread left to others to write is written by a thread that comes, though that one waited for something else.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::task::Poll;
use std::thread;

use capnp::message::ReaderOptions;
use mp_conn::{CallContext, Connection, EventLoop, Limits, connect};
use patience::{deadline, soon};

#[test]
fn a_thread_that_waits_for_something_else_writes_what_is_due() {
    let event_loop = EventLoop::new("client").unwrap();
    let (ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_read_timeout(Some(deadline())).unwrap();
    let receive = || capnp::serialize::read_message(&theirs, ReaderOptions::new()).unwrap();
    let peer = connect(&event_loop, ours, Limits::default()).unwrap();
    let connection = peer.connection().unwrap();
    receive();

    // With others that wait, nobody leads.
    let _others = [connection.waiting(), connection.waiting()];
    let wakes = Arc::new(AtomicUsize::new(0));
    let (ready, waits) = channel();
    let waiter = {
        let (connection, wakes) = (connection.clone(), Arc::clone(&wakes));
        let wait = move || {
            ready.send(mp_thread::waker().unwrap()).unwrap();
            mp_thread::wait(&connection, Some(soon()), |_| {
                match wakes.load(Ordering::SeqCst) {
                    0 | 1 => Poll::Pending,
                    _ => Poll::Ready(()),
                }
            })
        };
        thread::Builder::new().spawn(wait).unwrap()
    };
    let waker = waits.recv_timeout(deadline()).unwrap();
    // The first time the thread goes on waiting, the second time it does not.
    for _ in 0..2 {
        let arrivals = connection.arrivals();
        (0..CROWD).for_each(|_| arrivals.expect());
        let call = Connection::call(&peer, 1, 0, &CallContext::default(), |_| Ok(()));
        assert!(connection.stats().queued_bytes > 0, "nothing was held back");
        (0..CROWD).for_each(|_| arrivals.arrive());
        assert!(arrivals.is_due());
        wakes.fetch_add(1, Ordering::SeqCst);
        waker.wake_by_ref();
        receive();
        // Its `Finish`.
        drop(call);
        receive();
    }
    waiter.join().unwrap().unwrap();
}

/// As many as what is held back is left to.
const CROWD: usize = 3;
