//! Every limit of a connection: what is allowed at it, and what the error one beyond it says.

mod util;

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};

use capnp_rpc::rpc_capnp::message;
use mp_conn::{CallContext, Connection, Error, EventLoop, Stats, connect};

use crate::util::raw::{
    Answer, ECHO, GIVE_BACK, HOLD, LARGE, LARGE_BYTES, MAKE, Raw, exceeded, start_with,
};
use crate::util::{Echo, echo, limits, pair, until, within_deadline};

#[test]
fn calls_in_flight() {
    within_deadline(|| {
        let (server, mut raw) = start_with(|limits| limits.calls_in_flight = 3);
        for question in 1..=3 {
            raw.call(question, HOLD);
        }
        raw.call(4, ECHO);
        assert_eq!(raw.answer(), (4, exceeded("calls_in_flight", 3)));
        until("three calls run", || server.held() == 3);
        server.answer_held();
        for _ in 1..=3 {
            assert_eq!(raw.answer().1, Answer::Results(0));
        }
        raw.call(5, GIVE_BACK);
        assert_eq!(raw.answer(), (5, Answer::Results(0)));
        server.serves_others();
    });
}

#[test]
fn pipelined_calls_count_as_calls_in_flight() {
    within_deadline(|| {
        let (server, mut raw) = start_with(|limits| limits.calls_in_flight = 3);
        raw.call(1, HOLD);
        for question in 2..=4 {
            raw.call_with(question, ECHO, |call| {
                let mut answer = call.init_target().init_promised_answer();
                answer.set_question_id(1);
            });
        }
        assert_eq!(raw.answer(), (4, exceeded("calls_in_flight", 3)));
        server.serves_others();
    });
}

#[test]
fn answers_that_are_not_finished_count_as_calls_in_flight() {
    within_deadline(|| {
        let (_server, mut raw) = start_with(|limits| limits.calls_in_flight = 3);
        for question in 1..=3 {
            raw.call(question, MAKE);
            assert_eq!(raw.answer(), (question, Answer::Results(1)));
        }
        raw.call(4, MAKE);
        assert_eq!(raw.answer(), (4, exceeded("calls_in_flight", 3)));
        raw.finish(4);
        raw.finish(2);
        raw.call(5, MAKE);
        assert_eq!(raw.answer(), (5, Answer::Results(1)));
    });
}

#[test]
fn request_bytes() {
    within_deadline(|| {
        let text = |call: capnp_rpc::rpc_capnp::call::Builder<'_>, bytes: u32| {
            let content = call.init_params().get_content();
            content.initn_as::<capnp::text::Builder<'_>>(bytes);
        };
        // What one call is charged for: everything but the frame's header.
        let mut message = capnp::message::Builder::new_default();
        text(message.init_root::<message::Builder<'_>>().init_call(), 999);
        let target = message.get_root::<message::Builder<'_>>().unwrap();
        let Ok(message::Call(call)) = target.which() else {
            panic!("not a call");
        };
        call.unwrap().init_target();
        let bytes = message.size_in_words() * 8;
        for (most, fits) in [(2 * bytes, true), (2 * bytes - 1, false)] {
            let (_server, mut raw) = start_with(|limits| limits.request_bytes = most);
            raw.call_with(1, HOLD, |call| text(call, 999));
            raw.call_with(2, ECHO, |call| text(call, 999));
            let expected = if fits {
                Answer::Results(0)
            } else {
                exceeded("request_bytes", most)
            };
            assert_eq!(raw.answer(), (2, expected));
        }
        let (_server, mut raw) = start_with(|limits| limits.request_bytes = 100_000);
        raw.call_with(1, HOLD, |call| text(call, 60_000));
        raw.call_with(2, ECHO, |call| text(call, 60_000));
        assert_eq!(raw.answer(), (2, exceeded("request_bytes", 100_000)));
        raw.call_with(3, ECHO, |call| text(call, 30_000));
        assert_eq!(raw.answer(), (3, Answer::Results(0)));
    });
}

#[test]
fn exports() {
    within_deadline(|| {
        // The first object is one of them.
        let (server, mut raw) = start_with(|limits| limits.exports = 4);
        for question in 1..=3 {
            raw.call(question, MAKE);
            assert_eq!(raw.answer(), (question, Answer::Results(1)));
            raw.finish(question);
        }
        raw.call(4, MAKE);
        assert_eq!(raw.answer(), (4, exceeded("exports", 4)));
        raw.release(2, 1);
        raw.call(5, MAKE);
        assert_eq!(raw.answer(), (5, Answer::Results(1)));
        server.serves_others();
    });
}

#[test]
fn imports() {
    within_deadline(|| {
        let (server, mut raw) = start_with(|limits| limits.imports = 3);
        let give = |raw: &mut Raw, question, method, objects: std::ops::Range<u32>| {
            raw.call_with(question, method, |call| {
                let mut table = call.init_params().init_cap_table(objects.len() as u32);
                for (index, object) in objects.enumerate() {
                    table.reborrow().get(index as u32).set_sender_hosted(object);
                }
            });
        };
        give(&mut raw, 1, HOLD, 10..13);
        give(&mut raw, 2, HOLD, 12..14);
        assert_eq!(raw.answer(), (2, exceeded("imports", 3)));
        // Both references that came with the refused call are given back, and only those.
        for expected in [12, 13] {
            let message = raw.receive().unwrap();
            let root: message::Reader<'_> = message.get_root().unwrap();
            let Ok(message::Release(release)) = root.which() else {
                panic!("no release");
            };
            let release = release.unwrap();
            assert_eq!(
                (release.get_id(), release.get_reference_count()),
                (expected, 1)
            );
        }
        give(&mut raw, 3, HOLD, 10..13);
        until("both calls run", || server.held() == 2);
        server.answer_held();
        give(&mut raw, 4, HOLD, 20..23);
        until("the last call runs", || server.held() == 1);
        server.serves_others();
    });
}

#[test]
fn several_limits_at_once() {
    within_deadline(|| {
        let (server, mut raw) = start_with(|limits| {
            limits.imports = 3;
            limits.calls_in_flight = 1;
        });
        raw.call(1, HOLD);
        raw.call_with(2, ECHO, |call| {
            let mut table = call.init_params().init_cap_table(5);
            for index in 0..5 {
                table.reborrow().get(index).set_sender_hosted(index);
            }
        });
        assert_eq!(raw.answer(), (2, exceeded("imports", 3)));
        raw.call(3, ECHO);
        assert_eq!(raw.answer(), (3, exceeded("calls_in_flight", 1)));
        until("the first call runs", || server.held() == 1);
        server.answer_held();
        assert_eq!(raw.answer(), (1, Answer::Results(0)));
        raw.call(4, ECHO);
        assert_eq!(raw.answer(), (4, Answer::Results(0)));
        server.serves_others();
    });
}

#[test]
fn message_bytes_of_the_peer() {
    within_deadline(|| {
        let (server, mut raw) = start_with(|limits| limits.message_bytes = 80_000);
        raw.call_with(1, ECHO, |call| {
            let content = call.init_params().get_content();
            content.initn_as::<capnp::text::Builder<'_>>(79_000);
        });
        assert_eq!(raw.answer(), (1, Answer::Results(0)));
        // A frame of one segment of 80,008 bytes is announced.
        raw.send_bytes(&[0, 0, 0, 0]);
        raw.send_bytes(&10_001_u32.to_le_bytes());
        let reason = raw.aborted();
        assert!(reason.contains("limit message_bytes is 80000"), "{reason}");
        server.serves_others();
    });
}

#[test]
fn message_bytes_of_calls() {
    within_deadline(|| {
        let event_loop = EventLoop::new("limits").unwrap();
        let limits = limits(|limits| limits.message_bytes = 80_000);
        let (peer, _served) = pair(&event_loop, Arc::new(Echo), limits);
        let text = "x".repeat(79_000);
        assert_eq!(echo(&peer, 0, &text).unwrap(), text);
        for _ in 0..3 {
            let error = echo(&peer, 0, &"x".repeat(80_000)).unwrap_err();
            assert_eq!(error.to_string(), "limit exceeded: message_bytes is 80000");
        }
        assert_eq!(echo(&peer, 0, "still").unwrap(), "still");
        let connection = peer.connection().unwrap();
        until("nothing is left of the calls", || {
            connection.stats() == Stats::default() || connection.stats().calls == 0
        });
    });
}

#[test]
fn message_bytes_of_results() {
    within_deadline(|| {
        let (_server, mut raw) = start_with(|limits| limits.message_bytes = 1 << 20);
        raw.call(1, LARGE);
        assert_eq!(raw.answer(), (1, exceeded("message_bytes", 1 << 20)));
        raw.finish(1);
        raw.call(1, ECHO);
        assert_eq!(raw.answer(), (1, Answer::Results(0)));
    });
}

/// Says that it was woken.
struct Flag(std::sync::mpsc::Sender<()>);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        // The receiver is gone when the test is over.
        self.0.send(()).ok();
    }
}

#[test]
fn queued_bytes_make_callers_wait() {
    within_deadline(|| {
        let event_loop = EventLoop::new("limits").unwrap();
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let limits = limits(|limits| limits.queued_bytes = 1 << 20);
        let peer = connect(&event_loop, ours, limits).unwrap();
        let connection = peer.connection().unwrap();
        let large = "x".repeat(600 << 10);
        let context = CallContext {
            bounded: true,
            ..CallContext::default()
        };
        let send = || {
            Connection::call(&peer, 1, 0, &context, |mut params| {
                Ok(params.set_as::<capnp::text::Owned>(&*large)?)
            })
        };
        let mut calls = Vec::new();
        let error = loop {
            match send() {
                Ok(call) => calls.push(call),
                Err(error) => break error,
            }
            assert!(calls.len() < 10, "nothing bounds the queue");
        };
        assert_eq!(error.to_string(), "limit exceeded: queued_bytes is 1048576");
        assert!(error.is_full());
        assert!(!connection.has_room());
        assert!(connection.stats().queued_bytes < 2 << 20);
        let (sender, woken) = std::sync::mpsc::channel();
        let waker = Waker::from(Arc::new(Flag(sender)));
        assert!(connection.poll_room(&waker).is_pending());
        // The peer begins to read.
        let reader = std::thread::Builder::new()
            .spawn(move || std::io::copy(&mut theirs, &mut std::io::sink()))
            .unwrap();
        woken.recv().unwrap();
        assert!(matches!(connection.poll_room(&waker), Poll::Ready(Ok(()))));
        until("there is room", || connection.has_room());
        calls.push(send().unwrap());
        drop(calls);
        connection.close();
        assert!(matches!(
            connection.poll_room(&waker),
            Poll::Ready(Err(Error::CalledAfterDisconnect))
        ));
        drop((peer, connection));
        reader.join().unwrap().unwrap();
    });
}

#[test]
fn a_peer_that_does_not_read_its_answers_is_cut_off() {
    within_deadline(|| {
        let (server, mut raw) = start_with(|limits| {
            limits.queued_bytes = 1 << 20;
            limits.message_bytes = 2 << 20;
        });
        // Answers of ten times what may be queued, of which none is read.
        let most = (1 << 20) + 4 * (2 << 20) + LARGE_BYTES as usize + 4096;
        for question in 1..=90 {
            raw.call(question, LARGE);
            assert!(server.connection.stats().queued_bytes < most);
            if server.connection.is_closed() {
                break;
            }
        }
        server.connection.wait_closed(None).unwrap();
        server.serves_others();
        raw.ended();
    });
}

#[test]
fn calls_of_this_process_need_room_for_their_objects() {
    within_deadline(|| {
        let event_loop = EventLoop::new("limits").unwrap();
        let limits = limits(|limits| limits.exports = 1);
        let (peer, _served) = pair(&event_loop, Arc::new(Echo), limits);
        let give = |objects: usize| {
            let mut context = CallContext::default();
            for index in 0..objects {
                context.objects.push((index as u16, Arc::new(Echo)));
            }
            Connection::call(&peer, 1, 7, &context, |_| Ok(()))
        };
        let error = give(2).unwrap_err();
        assert_eq!(error.to_string(), "limit exceeded: exports is 1");
        until("the object of the failed call is gone", || give(1).is_ok());
        assert_eq!(echo(&peer, 0, "still").unwrap(), "still");
    });
}
