//! A peer that does not read: callers wait, and memory does not grow.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use mp_conn::{CallContext, Capability, Connection, Error, EventLoop, Limits, connect};

use patience::deadline;

fn send(peer: &Capability, deadline: Option<Instant>) -> Result<mp_conn::Call, Error> {
    let connection = peer.connection()?;
    let context = CallContext {
        bounded: true,
        ..CallContext::default()
    };
    loop {
        mp_thread::wait_for_room(&connection, deadline)?;
        let sent = Connection::call(peer, 1, 0, &context, |params| {
            params.initn_as::<capnp::data::Builder<'_>>(MESSAGE_BYTES);
            Ok(())
        });
        if !sent.as_ref().is_err_and(Error::is_full) {
            return sent;
        }
    }
}

#[test]
fn callers_wait_while_the_peer_does_not_read() {
    let event_loop = EventLoop::new("client").unwrap();
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let mut limits = Limits::default();
    limits.queued_bytes = 1 << 20;
    let peer = connect(&event_loop, ours, limits).unwrap();
    let connection = peer.connection().unwrap();

    let sent = Arc::new(AtomicUsize::new(0));
    let (done, all_done) = channel();
    for _ in 0..THREADS {
        let (peer, sent, done): (_, _, mpsc::Sender<()>) =
            (peer.clone(), Arc::clone(&sent), done.clone());
        thread::Builder::new()
            .spawn(move || {
                let mut calls = Vec::new();
                for _ in 0..CALLS {
                    calls.push(send(&peer, None).unwrap());
                    sent.fetch_add(1, Ordering::SeqCst);
                }
                done.send(()).unwrap();
            })
            .unwrap();
    }
    // Nothing is read, so soon nobody can go on.
    let late = Instant::now() + deadline();
    while connection.has_room() {
        assert!(Instant::now() < late, "the queue does not fill");
        thread::park_timeout(Duration::from_millis(1));
    }
    let error = send(&peer, Some(Instant::now() + Duration::from_millis(50))).unwrap_err();
    assert_eq!(error.to_string(), "IPC call timed out");
    assert!(connection.stats().queued_bytes < (1 << 20) + 2 * MESSAGE_BYTES as usize);
    assert!(sent.load(Ordering::SeqCst) < THREADS * CALLS);
    assert!(all_done.try_recv().is_err());

    // The peer reads everything: everybody goes on.
    let reader = thread::Builder::new()
        .spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while theirs.read(&mut buffer).is_ok_and(|count| count > 0) {}
        })
        .unwrap();
    for _ in 0..THREADS {
        all_done.recv_timeout(deadline()).unwrap();
    }
    assert_eq!(sent.load(Ordering::SeqCst), THREADS * CALLS);
    connection.close();
    assert!(send(&peer, None).unwrap_err().is_disconnected());
    drop((peer, connection));
    reader.join().unwrap();
}

const MESSAGE_BYTES: u32 = 200 << 10;
const THREADS: usize = 4;
const CALLS: usize = 20;
