//! A server under attack: whatever one peer says, others are served as ever. Most messages here are built by hand.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod util;

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use capnp_rpc::rpc_capnp::message;
use mp_conn::{EventLoop, Limits, ListenOptions, Stream, connect, listen};

use crate::util::raw::{
    Answer, ECHO, GIVE_BACK, HOLD, LARGE, MAKE, Raw, Server, call_with_cap, is_unimplemented,
    resolve, start,
};
use crate::util::{Echo, echo, patience, until, within_deadline};

#[test]
fn garbage() {
    within_deadline(|| {
        for bytes in [
            &b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
            &[0xff; 64],
            &[0; 4096],
            // One segment of one word: a pointer out of the message.
            &[0, 0, 0, 0, 1, 0, 0, 0, 0xfc, 0xff, 0xff, 0x7f, 1, 0, 1, 0],
            // A far pointer to itself.
            &[0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0],
        ] {
            let (server, mut raw) = Server::start(Limits::default());
            raw.send_bytes(bytes);
            raw.stream().shutdown(std::net::Shutdown::Write).unwrap();
            raw.ended();
            server.connection.wait_closed(None).unwrap();
            server.serves_others();
        }
    });
}

#[test]
fn unknown_messages_are_answered_and_change_nothing() {
    within_deadline(|| {
        let (server, mut raw) = start();
        // A message of type 200, and those that nobody implements.
        raw.send_bytes(&[
            0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 200, 0, 0, 0, 0, 0, 0, 0,
        ]);
        raw.send_bytes(&[0; 8]);
        is_unimplemented(&mut raw);
        raw.send(|message| {
            message.init_provide();
        });
        is_unimplemented(&mut raw);
        raw.send(|message| {
            message.init_join();
        });
        is_unimplemented(&mut raw);
        raw.call(1, ECHO);
        assert_eq!(raw.answer(), (1, Answer::Results(0)));
        server.serves_others();
    });
}

#[test]
fn half_of_many_connections_and_slow_clients() {
    within_deadline(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("node.sock");
        let event_loop = EventLoop::new("server").unwrap();
        let mut options = ListenOptions::default();
        options.max_connections = 401;
        let listener = listen(&event_loop, &*path, options, |_| Arc::new(Echo)).unwrap();
        let clients = EventLoop::new("client").unwrap();
        let stream = Stream::unix(&path).unwrap();
        let honest = connect(&clients, stream, Limits::default()).unwrap();
        let latency = || {
            let start = Instant::now();
            for _ in 0..200 {
                assert_eq!(echo(&honest, 0, "hello").unwrap(), "hello");
            }
            start.elapsed() / 200
        };
        let before = latency();
        let half_open: Vec<_> = (0..400)
            .map(|index| {
                let mut stream = UnixStream::connect(&path).unwrap();
                // Some say nothing, some stop in the middle of a header, some in the middle of a message.
                let bytes = [0, 0, 0, 0, 0xff, 0, 0, 0, 1, 2, 3];
                stream.write_all(&bytes[..[0, 6, 11][index % 3]]).unwrap();
                stream
            })
            .collect();
        until("all are connected", || listener.connections().len() == 401);
        let during = latency();
        println!("latency before {before:?}, with 400 half-open connections {during:?}");
        let most = Duration::from_millis(50) * patience();
        assert!(during < most, "{during:?}");
        drop(half_open);
        until("one is left", || listener.connections().len() == 1);
    });
}

#[test]
fn a_peer_that_neither_reads_nor_stops() {
    within_deadline(|| {
        let (server, raw) = start();
        let mut stream = raw.stream().try_clone().unwrap();
        // Writes until it is cut off: the server neither waits for it nor keeps what it cannot deliver.
        let writer = std::thread::Builder::new()
            .spawn(move || {
                let mut message = capnp::message::Builder::new_default();
                let mut sent = 0_u32;
                loop {
                    let root = message.init_root::<message::Builder<'_>>();
                    let mut call = root.init_call();
                    call.set_question_id(sent + 1);
                    call.set_method_id(LARGE);
                    call.init_target().set_imported_cap(0);
                    if capnp::serialize::write_message(&mut stream, &message).is_err() {
                        return sent;
                    }
                    sent += 1;
                }
            })
            .unwrap();
        while !writer.is_finished() {
            server.serves_others();
        }
        assert!(writer.join().unwrap() > 10);
        server.connection.wait_closed(None).unwrap();
        server.serves_others();
    });
}

#[test]
fn random_damage() {
    within_deadline(|| {
        let mut random = Random(0x2545_f491_4f6c_dd1d);
        let sessions: Vec<Vec<u8>> = vec![session(HOLD), session(GIVE_BACK), session(MAKE)];
        let (honest, _raw) = Server::start(Limits::default());
        for round in 0..600 {
            let mut bytes = sessions[random.below(sessions.len())].clone();
            for _ in 0..=random.below(6) {
                let at = random.below(bytes.len());
                bytes[at] = match random.below(4) {
                    0 => 0xff,
                    1 => 0,
                    _ => random.below(256) as u8,
                };
            }
            let (ours, theirs) = UnixStream::pair().unwrap();
            let object = honest.victim();
            let server =
                mp_conn::serve(honest.event_loop(), theirs, object, Limits::default()).unwrap();
            let mut ours = ours;
            // It may be cut off before it has said everything.
            ours.write_all(&bytes).ok();
            ours.shutdown(std::net::Shutdown::Write).ok();
            server.wait_closed(None).unwrap();
            honest.answer_held();
            if round % 50 == 0 {
                honest.serves_others();
            }
        }
        honest.serves_others();
    });
}

/// The bytes of a client's session.
fn session(method: u16) -> Vec<u8> {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut raw = Raw::new(ours);
    raw.send(|message| message.init_bootstrap().set_question_id(0));
    raw.finish(0);
    raw.call(1, method);
    call_with_cap(&mut raw, 2, GIVE_BACK, |mut cap| cap.set_sender_promise(5));
    call_with_cap(&mut raw, 3, method, |mut cap| cap.set_sender_hosted(6));
    resolve(&mut raw, 5, |mut cap| cap.set_sender_hosted(7));
    call_with_cap(&mut raw, 4, GIVE_BACK, |cap| {
        cap.init_receiver_answer().set_question_id(2);
    });
    raw.call_with(8, ECHO, |call| {
        call.init_target().init_promised_answer().set_question_id(2);
    });
    raw.finish(2);
    raw.call(9, LARGE);
    drop(raw);
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut { theirs }, &mut bytes).unwrap();
    bytes
}

/// Numbers that are the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}
