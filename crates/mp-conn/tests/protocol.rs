//! What one peer can say that breaks the rules of the protocol, and what becomes of it. Messages are built by hand.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod util;

use std::task::{Poll, Waker};

use capnp_rpc::rpc_capnp::{cap_descriptor, message, return_};
use mp_conn::{Call, EventLoop, Stats};

use crate::util::raw::{
    Answer, ECHO, GIVE_BACK, HOLD, MAKE, Raw, answer_with_object, call_with_cap, client,
    is_unimplemented, resolve, start,
};
use crate::util::{until, within_deadline};

/// Expects that a message ends the connection with an abort that says why.
fn aborts(why: &str, attack: impl FnOnce(&mut Raw)) {
    let (server, mut raw) = start();
    attack(&mut raw);
    let reason = raw.aborted();
    assert!(reason.contains(why), "{reason}");
    server.connection.wait_closed(None).unwrap();
    server.serves_others();
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
                call.get_send_results_to().init_third_party();
            });
        });
        aborts("ThirdPartyHosted", |raw| {
            call_with_cap(raw, 1, HOLD, |cap| {
                cap.init_third_party_hosted();
            });
        });
        aborts("takeFromOtherQuestion", |raw| {
            raw.send(|message| {
                let mut answer = message.init_return();
                answer.set_answer_id(0);
                answer.set_take_from_other_question(1);
            });
        });
        aborts("required RPC message", |raw| {
            raw.send(|message| {
                message.init_unimplemented().init_call();
            });
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
            cap.init_receiver_answer().set_question_id(3);
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
fn calls_wait_one_for_the_other_by_way_of_answers() {
    within_deadline(|| {
        for by_export in [false, true] {
            let (server, mut raw) = start();
            raw.call(1, HOLD);
            let mut waiting = 1;
            let refused = loop {
                // Gives an object of the call that waits back at once, under another name.
                call_with_cap(&mut raw, waiting + 1, GIVE_BACK, |cap| {
                    cap.init_receiver_answer().set_question_id(waiting);
                });
                let Some(export) = promise_in_answer(&mut raw) else {
                    break waiting + 1;
                };
                raw.call_with(waiting + 2, ECHO, |call| {
                    let mut target = call.init_target();
                    if by_export {
                        target.set_imported_cap(export);
                    } else {
                        target.init_promised_answer().set_question_id(waiting + 1);
                    }
                });
                waiting += 2;
                assert!(waiting < 1000, "calls wait without end");
            };
            assert!(refused > 60, "refused early: {refused}");
            // Taken down while all of them wait.
            drop(raw);
            server.connection.wait_closed(None).unwrap();
            server.serves_others();
        }
    });
}

/// The export that the next answer brings as a promise. `None`: the call was refused.
fn promise_in_answer(raw: &mut Raw) -> Option<u32> {
    loop {
        let received = raw.receive().unwrap();
        let root: message::Reader<'_> = received.get_root().unwrap();
        let Ok(message::Return(answer)) = root.which() else {
            continue;
        };
        let return_::Results(results) = answer.unwrap().which().unwrap() else {
            return None;
        };
        return match results
            .unwrap()
            .get_cap_table()
            .unwrap()
            .get(0)
            .which()
            .unwrap()
        {
            cap_descriptor::SenderPromise(export) | cap_descriptor::SenderHosted(export) => {
                Some(export)
            }
            _ => panic!("not an export"),
        };
    }
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

/// Starts a client whose server is the raw peer, which knows the client's first call.
fn hostile_server() -> (EventLoop, mp_conn::Capability, Raw) {
    let event_loop = EventLoop::new("client").unwrap();
    let (peer, raw) = client(&event_loop);
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

/// Whether it is known that the answer has no object there: then a call on it fails at once.
fn lacks_object(call: &Call) -> bool {
    let object = call.pipelined(&[3]).unwrap();
    let mut late = util::send(&object, ECHO, "late").unwrap();
    matches!(late.poll_message(Waker::noop()), Poll::Ready(Err(_)))
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
        until("the answer is there", || lacks_object(&call));
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
fn an_answer_that_is_taken_after_the_end_leaves_no_reference() {
    within_deadline(|| {
        let (_event_loop, peer, mut raw) = hostile_server();
        let (mut call, question) = first_call(&peer, &mut raw);
        answer_with_object(&mut raw, question, 7);
        until("the answer is there", || lacks_object(&call));
        let connection = call.connection();
        connection.close();
        assert_eq!(connection.stats().references, 0);
        let object = call.pipelined(&[]).unwrap();
        let error = util::send(&object, ECHO, "late").unwrap_err();
        assert_eq!(
            error.to_string(),
            "IPC client method called after disconnect."
        );
        let answer = call.poll_message(Waker::noop());
        assert!(matches!(answer, Poll::Ready(Ok(_))));
        // Both handles are still held.
        assert_eq!(connection.stats(), Stats::default());
        drop((object, answer));
    });
}

#[test]
fn a_promise_that_resolves_to_an_unknown_object_harms_nobody() {
    within_deadline(|| {
        let (server, mut raw) = start();
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
