//! A server under attack: whatever one peer says, others are served as ever. Most messages here are built by hand.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod util;

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use capnp_rpc::rpc_capnp::{cap_descriptor, message};
use mp_conn::{Call, Connection, EventLoop, Limits, ListenOptions, Stream, connect, listen};

use crate::util::raw::{Answer, ECHO, GIVE_BACK, HOLD, LARGE, MAKE, Raw, Server};
use crate::util::{Echo, echo, until, within_deadline};

fn start() -> (Server, Raw) {
    let (server, mut raw) = Server::start(Limits::default());
    raw.bootstrap();
    raw.finish(0);
    (server, raw)
}

/// Expects that a message ends the connection with an abort that says why.
fn aborts(why: &str, attack: impl FnOnce(&mut Raw)) {
    let (server, mut raw) = start();
    attack(&mut raw);
    let reason = raw.aborted();
    assert!(reason.contains(why), "{reason}");
    server.connection.wait_closed(None).unwrap();
    server.serves_others();
}

/// Sends a call whose one capability is described so, and whose content is that capability.
fn call_with_cap(
    raw: &mut Raw,
    question: u32,
    method: u16,
    describe: impl FnOnce(cap_descriptor::Builder<'_>),
) {
    raw.call_with(question, method, |call| {
        let mut params = call.init_params();
        describe(params.reborrow().init_cap_table(1).get(0));
        set_first_capability(params.get_content());
    });
}

/// Makes a pointer to the first capability of the message.
fn set_first_capability(mut content: capnp::any_pointer::Builder<'_>) {
    let mut table = Vec::new();
    let mut content = content.reborrow();
    capnp::traits::ImbueMut::imbue_mut(&mut content, &mut table);
    content.set_as_capability(mp_conn::ticket(0));
}

fn resolve(raw: &mut Raw, promise: u32, describe: impl FnOnce(cap_descriptor::Builder<'_>)) {
    raw.send(|message| {
        let mut resolve = message.init_resolve();
        resolve.set_promise_id(promise);
        describe(resolve.init_cap());
    });
}

/// Expects that the peer is told that its message was not understood, and nothing else happens.
fn is_unimplemented(raw: &mut Raw) {
    loop {
        let received = raw.receive().expect("the connection ended");
        let root: message::Reader<'_> = received.get_root().unwrap();
        match root.which().unwrap() {
            message::Unimplemented(_) => return,
            message::Abort(abort) => panic!("{:?}", abort.unwrap().get_reason()),
            _ => {}
        }
    }
}

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
fn a_frame_of_four_gigabytes_is_announced() {
    within_deadline(|| {
        for table in [
            [0_u32, 0x2000_0000],
            [0, u32::MAX],
            [510, u32::MAX],
            [u32::MAX, 1],
        ] {
            aborts("Message", |raw| {
                for number in table {
                    raw.send_bytes(&number.to_le_bytes());
                }
                // The rest of a table of sizes.
                let rest = vec![0xff; if table[0] == 510 { 4 * 511 } else { 0 }];
                raw.send_bytes(&rest);
            });
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
        raw.send(|message| drop(message.init_provide()));
        is_unimplemented(&mut raw);
        raw.send(|message| drop(message.init_join()));
        is_unimplemented(&mut raw);
        raw.call(1, ECHO);
        assert_eq!(raw.answer(), (1, Answer::Results(0)));
        server.serves_others();
    });
}

#[test]
fn wrong_ids_end_the_connection() {
    within_deadline(|| {
        aborts("not a current export", |raw| {
            raw.call_with(1, ECHO, |call| call.init_target().set_imported_cap(77));
        });
        aborts("already in use", |raw| {
            raw.call(1, HOLD);
            raw.call(1, HOLD);
        });
        aborts("already in use", |raw| {
            raw.call(1, MAKE);
            raw.send(|message| message.init_bootstrap().set_question_id(1));
        });
        aborts("Invalid question ID", |raw| {
            raw.send(|message| {
                let mut answer = message.init_return();
                answer.set_answer_id(7);
                answer.init_results();
            });
        });
        aborts("invalid export ID", |raw| {
            raw.send(|message| {
                let mut release = message.init_release();
                release.set_id(9);
                release.set_reference_count(1);
            });
        });
        aborts("below zero", |raw| {
            raw.send(|message| {
                let mut release = message.init_release();
                release.set_id(0);
                release.set_reference_count(u32::MAX);
            });
        });
        aborts("Invalid embargo", |raw| {
            raw.send(|message| {
                let mut disembargo = message.init_disembargo();
                disembargo
                    .reborrow()
                    .init_context()
                    .set_receiver_loopback(3);
                disembargo.init_target().set_imported_cap(0);
            });
        });
        aborts("does not point back", |raw| {
            raw.send(|message| {
                let mut disembargo = message.init_disembargo();
                disembargo.reborrow().init_context().set_sender_loopback(3);
                disembargo.init_target().set_imported_cap(0);
            });
        });
    });
}

#[test]
fn parts_of_the_protocol_that_nobody_needs_are_refused() {
    within_deadline(|| {
        aborts("Unsupported `Call.sendResultsTo`", |raw| {
            raw.call_with(1, ECHO, |call| call.get_send_results_to().set_yourself(()));
        });
        aborts("Unsupported `Call.sendResultsTo`", |raw| {
            raw.call_with(1, ECHO, |call| {
                drop(call.get_send_results_to().init_third_party())
            });
        });
        aborts("ThirdPartyHosted", |raw| {
            call_with_cap(raw, 1, HOLD, |cap| drop(cap.init_third_party_hosted()));
        });
        aborts("takeFromOtherQuestion", |raw| {
            raw.send(|message| {
                let mut answer = message.init_return();
                answer.set_answer_id(0);
                answer.set_take_from_other_question(1);
            });
        });
        aborts("required RPC message", |raw| {
            raw.send(|message| drop(message.init_unimplemented().init_call()));
        });
    });
}

#[test]
fn a_promise_cannot_lead_back_to_itself() {
    within_deadline(|| {
        // Straight.
        let (server, mut raw) = start();
        call_with_cap(&mut raw, 1, HOLD, |mut cap| cap.set_sender_promise(5));
        resolve(&mut raw, 5, |mut cap| cap.set_sender_promise(5));
        is_unimplemented(&mut raw);
        // Through another promise.
        call_with_cap(&mut raw, 2, HOLD, |mut cap| cap.set_sender_promise(6));
        resolve(&mut raw, 5, |mut cap| cap.set_sender_promise(6));
        is_unimplemented(&mut raw);
        // Through the answer of a call that gives its params back.
        call_with_cap(&mut raw, 3, GIVE_BACK, |mut cap| cap.set_sender_promise(5));
        assert_eq!(raw.answer(), (3, Answer::Results(1)));
        resolve(&mut raw, 5, |cap| {
            cap.init_receiver_answer().set_question_id(3)
        });
        is_unimplemented(&mut raw);
        // And it can still become something.
        resolve(&mut raw, 5, |mut cap| cap.set_receiver_hosted(0));
        call_with_cap(&mut raw, 4, GIVE_BACK, |mut cap| cap.set_sender_promise(5));
        assert_eq!(raw.answer(), (4, Answer::Results(1)));
        server.serves_others();
        drop((server, raw));

        // As an object of the same number.
        aborts("a promise and an object at once", |raw| {
            call_with_cap(raw, 1, HOLD, |mut cap| cap.set_sender_promise(5));
            resolve(raw, 5, |mut cap| cap.set_sender_hosted(5));
        });
        aborts("a promise and an object at once", |raw| {
            call_with_cap(raw, 1, HOLD, |mut cap| cap.set_sender_hosted(5));
            call_with_cap(raw, 2, HOLD, |mut cap| cap.set_sender_promise(5));
        });
        aborts("non-promise", |raw| {
            call_with_cap(raw, 1, HOLD, |mut cap| cap.set_sender_hosted(5));
            resolve(raw, 5, |mut cap| cap.set_sender_hosted(6));
        });
    });
}

#[test]
fn calls_wait_one_for_the_other_but_not_without_end() {
    within_deadline(|| {
        let (server, mut raw) = start();
        raw.call(1, HOLD);
        for question in 2..=66 {
            raw.call_with(question, ECHO, |call| {
                let mut answer = call.init_target().init_promised_answer();
                answer.set_question_id(question - 1);
            });
        }
        let text = "std::exception: limit exceeded: pipelined calls is 64".to_owned();
        assert_eq!(raw.answer(), (66, Answer::Exception(text)));
        // The params refer to answers as well.
        call_with_cap(&mut raw, 67, HOLD, |cap| {
            cap.init_receiver_answer().set_question_id(65);
        });
        assert!(matches!(raw.answer(), (67, Answer::Exception(_))));
        // Taken down while all of them wait.
        drop(raw);
        server.connection.wait_closed(None).unwrap();
        server.serves_others();
    });
}

#[test]
fn finishes_and_cancellations_out_of_turn() {
    within_deadline(|| {
        let (server, mut raw) = start();
        raw.finish(55);
        raw.call(1, HOLD);
        for _ in 0..3 {
            raw.finish(1);
        }
        until("the call runs", || server.held() == 1);
        server.answer_held();
        assert_eq!(raw.answer(), (1, Answer::Results(0)));
        raw.call(1, ECHO);
        assert_eq!(raw.answer(), (1, Answer::Results(0)));
        server.serves_others();
        assert_eq!(server.connection.stats().requests, 0);
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
        assert!(during < Duration::from_millis(50), "{during:?}");
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
        cap.init_receiver_answer().set_question_id(2)
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

/// Starts a client whose server is the raw peer, which knows the client's first call.
fn hostile_server() -> (EventLoop, mp_conn::Capability, Raw) {
    let event_loop = EventLoop::new("client").unwrap();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let peer = connect(&event_loop, ours, Limits::default()).unwrap();
    let mut raw = Raw::new(theirs);
    // The bootstrap.
    raw.receive().unwrap();
    (event_loop, peer, raw)
}

fn first_call(peer: &mp_conn::Capability, raw: &mut Raw) -> (Call, u32) {
    let call = util::send(peer, ECHO, "hello").unwrap();
    let received = raw.receive().unwrap();
    let root: message::Reader<'_> = received.get_root().unwrap();
    let Ok(message::Call(sent)) = root.which() else {
        panic!("not a call");
    };
    (call, sent.unwrap().get_question_id())
}

#[test]
fn a_server_that_lies_harms_its_own_connection_only() {
    within_deadline(|| {
        // Twice the same answer.
        let (_event_loop, peer, mut raw) = hostile_server();
        let (call, question) = first_call(&peer, &mut raw);
        for _ in 0..2 {
            raw.send(|message| {
                let mut answer = message.init_return();
                answer.set_answer_id(question);
                answer.init_exception().set_reason("no");
            });
        }
        assert_eq!(
            util::wait(call).unwrap_err().to_string(),
            "remote exception: no"
        );

        // A null object on which calls are pipelined already, and later.
        let (_event_loop, peer, mut raw) = hostile_server();
        let (call, question) = first_call(&peer, &mut raw);
        let early = call.pipelined(&[3]).unwrap();
        let pipelined = util::send(&early, ECHO, "pipelined").unwrap();
        raw.send(|message| {
            let mut answer = message.init_return();
            answer.set_answer_id(question);
            answer.init_results();
        });
        let connection = call.connection();
        until("the answer is there", || call.pipelined(&[3]).is_err());
        drop(pipelined);
        assert!(!connection.is_closed());

        // Results that are cut short, and a type that does not fit.
        let (_event_loop, peer, mut raw) = hostile_server();
        let (call, question) = first_call(&peer, &mut raw);
        raw.send(|message| {
            let mut answer = message.init_return();
            answer.set_answer_id(question);
            let content = answer.init_results().get_content();
            content.initn_as::<capnp::primitive_list::Builder<'_, u64>>(3);
        });
        assert!(util::wait(call).is_err());
        assert!(!peer.connection().unwrap().is_closed());
    });
}

#[test]
fn a_connection_that_panics_inside_ends_alone() {
    within_deadline(|| {
        let (server, mut raw) = start();
        let _: &Connection = &server.connection;
        // Two references to one promise, of which one is resolved to nothing that exists.
        call_with_cap(&mut raw, 1, HOLD, |mut cap| cap.set_sender_promise(5));
        resolve(&mut raw, 5, |mut cap| cap.set_receiver_hosted(4711));
        call_with_cap(&mut raw, 2, GIVE_BACK, |mut cap| cap.set_sender_promise(5));
        drop(raw);
        server.connection.wait_closed(None).unwrap();
        server.answer_held();
        server.serves_others();
    });
}
