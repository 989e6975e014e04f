//! Promises of a peer that it resolves to an answer of this process. Messages are built by hand.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod util;

use capnp_rpc::rpc_capnp::{cap_descriptor, message, return_};
use mp_conn::{CallContext, Connection, Message, Reference, ServerCall, ticket};

use crate::util::raw::{
    Answer, ECHO, GIVE_BACK, HOLD, HOLD_GIVE_BACK, HOLD_MAKE, MAKE, Raw, Server, call_with_cap,
    is_unimplemented, resolve, start, start_with,
};
use crate::util::{until, within_deadline};

/// What a promise is for the server in the end, as calls say that hold it and give it back.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// An object of the server's.
    Object,
    /// The peer's promise, still.
    Promise(u32),
    /// Something of which only calls tell that it failed.
    Broken,
}

/// Makes a promise known: the call that holds it has the number of the promise.
fn promise(raw: &mut Raw, promise: u32) {
    call_with_cap(raw, promise, HOLD_GIVE_BACK, |mut cap| {
        cap.set_sender_promise(promise);
    });
}

/// Resolves a promise to the object at a path of pointers in an answer.
fn resolve_to_answer(raw: &mut Raw, promise: u32, question: u32, path: &[u16]) {
    resolve(raw, promise, |cap| {
        let mut answer = cap.init_receiver_answer();
        answer.set_question_id(question);
        let mut transform = answer.init_transform(path.len() as u32);
        for (place, index) in (0..).zip(path) {
            transform
                .reborrow()
                .get(place)
                .set_get_pointer_field(*index);
        }
    });
}

/// Has the server answer everything, when it has got so many calls, and looks at what it gives back for these promises.
fn look_at<const N: usize>(
    server: &Server,
    raw: &mut Raw,
    calls: usize,
    promises: [u32; N],
) -> [Seen; N] {
    answer(server, raw, calls);
    promises.map(|promise| seen(raw, promise))
}

/// Has the server answer so many calls, when it has read everything that was sent.
fn answer(server: &Server, raw: &mut Raw, calls: usize) {
    await_held(server, raw, calls);
    server.answer_held();
}

fn await_held(server: &Server, raw: &mut Raw, calls: usize) {
    raw.call(99, ECHO);
    assert!(matches!(raw.answer(), (99, _)));
    until("the calls run", || server.held() == calls);
}

fn seen(raw: &mut Raw, question: u32) -> Seen {
    match given(raw, question) {
        Given::Object(1) => Seen::Object,
        Given::Object(_) => Seen::Broken,
        Given::Own(import) => Seen::Promise(import),
        Given::Promise(_) => panic!("a promise of the server's"),
    }
}

/// How the object in an answer is described, with its number.
#[derive(Debug, PartialEq, Eq)]
enum Given {
    Object(u32),
    Promise(u32),
    /// One of the peer's own.
    Own(u32),
}

fn given(raw: &mut Raw, question: u32) -> Given {
    loop {
        let received = raw.receive().expect("the connection ended");
        let root: message::Reader<'_> = received.get_root().unwrap();
        let message::Return(answer) = root.which().unwrap() else {
            continue;
        };
        let answer = answer.unwrap();
        if answer.get_answer_id() != question {
            continue;
        }
        let return_::Results(results) = answer.which().unwrap() else {
            panic!("not given back");
        };
        let table = results.unwrap().get_cap_table().unwrap();
        return match table.get(0).which().unwrap() {
            cap_descriptor::SenderHosted(export) => Given::Object(export),
            cap_descriptor::SenderPromise(export) => Given::Promise(export),
            cap_descriptor::ReceiverHosted(import) => Given::Own(import),
            _ => panic!("something else"),
        };
    }
}

/// Calls a method with what a call that is not answered will make, which is a promise of the server's, and has it given back.
fn give_back_promised(raw: &mut Raw, question: u32, made_by: u32) -> Given {
    call_with_cap(raw, question, GIVE_BACK, |cap| {
        let mut answer = cap.init_receiver_answer();
        answer.set_question_id(made_by);
        answer.init_transform(1).get(0).set_get_pointer_field(0);
    });
    given(raw, question)
}

#[test]
fn a_promise_becomes_the_object_in_an_answer_that_comes_later() {
    within_deadline(|| {
        let (server, mut raw) = start();
        raw.call(1, HOLD_MAKE);
        promise(&mut raw, 50);
        resolve_to_answer(&mut raw, 50, 1, &[0]);
        // Not needed for anything else.
        raw.finish(1);
        assert_eq!(look_at(&server, &mut raw, 2, [50]), [Seen::Object]);
        server.serves_others();
    });
}

#[test]
fn a_promise_becomes_the_object_in_an_answer_that_is_there() {
    within_deadline(|| {
        let (server, mut raw) = start();
        raw.call(1, MAKE);
        assert_eq!(raw.answer(), (1, Answer::Results(1)));
        promise(&mut raw, 50);
        resolve_to_answer(&mut raw, 50, 1, &[0]);
        assert_eq!(look_at(&server, &mut raw, 1, [50]), [Seen::Object]);
        server.serves_others();
    });
}

#[test]
fn a_promise_of_an_answer_without_an_object_breaks() {
    within_deadline(|| {
        let (server, mut raw) = start();
        // A failure.
        raw.call(1, 99);
        assert!(matches!(raw.answer(), (1, Answer::Exception(_))));
        // Results without an object, or with one in another place; no such answer.
        raw.call(2, HOLD);
        raw.call(3, HOLD_MAKE);
        for (number, (question, path)) in
            (50..).zip([(1, &[0][..]), (2, &[0]), (3, &[1]), (3, &[0, 0]), (44, &[])])
        {
            promise(&mut raw, number);
            resolve_to_answer(&mut raw, number, question, path);
        }
        let seen = look_at(&server, &mut raw, 7, [50, 51, 52, 53, 54]);
        assert!(seen.iter().all(|seen| *seen == Seen::Broken), "{seen:?}");
        server.serves_others();
    });
}

#[test]
fn a_promise_of_the_peers_own_object_stays_one() {
    within_deadline(|| {
        let (server, mut raw) = start();
        // The answer is there, or comes later.
        call_with_cap(&mut raw, 1, GIVE_BACK, |mut cap| cap.set_sender_hosted(70));
        assert_eq!(raw.answer(), (1, Answer::Results(1)));
        promise(&mut raw, 50);
        resolve_to_answer(&mut raw, 50, 1, &[]);
        is_unimplemented(&mut raw);
        call_with_cap(&mut raw, 2, HOLD_GIVE_BACK, |mut cap| {
            cap.set_sender_hosted(71);
        });
        promise(&mut raw, 51);
        resolve_to_answer(&mut raw, 51, 2, &[]);
        // The answer is the promise itself.
        promise(&mut raw, 52);
        resolve_to_answer(&mut raw, 52, 52, &[]);
        answer(&server, &mut raw, 4);
        is_unimplemented(&mut raw);
        is_unimplemented(&mut raw);
        assert_eq!(seen(&mut raw, 52), Seen::Promise(52));
        server.serves_others();
    });
}

#[test]
fn a_resolve_that_was_not_understood_can_be_followed_by_another() {
    within_deadline(|| {
        let (server, mut raw) = start();
        call_with_cap(&mut raw, 1, GIVE_BACK, |mut cap| cap.set_sender_hosted(70));
        assert_eq!(raw.answer(), (1, Answer::Results(1)));
        raw.call(2, MAKE);
        assert_eq!(raw.answer(), (2, Answer::Results(1)));
        promise(&mut raw, 50);
        resolve_to_answer(&mut raw, 50, 1, &[]);
        is_unimplemented(&mut raw);
        resolve_to_answer(&mut raw, 50, 2, &[0]);
        assert_eq!(look_at(&server, &mut raw, 1, [50]), [Seen::Object]);
        server.serves_others();
    });
}

#[test]
fn a_promise_that_waits_for_an_answer_can_be_forgotten() {
    within_deadline(|| {
        let (server, mut raw) = start();
        raw.call(1, HOLD_MAKE);
        until("the call runs", || server.held() == 1);
        // Nobody refers to it when this was answered.
        call_with_cap(&mut raw, 2, ECHO, |mut cap| cap.set_sender_promise(50));
        resolve_to_answer(&mut raw, 50, 1, &[0]);
        assert!(matches!(raw.answer(), (2, _)));
        raw.finish(2);
        // So the number may mean another one, which the old answer does not resolve.
        promise(&mut raw, 50);
        assert_eq!(look_at(&server, &mut raw, 2, [50]), [Seen::Promise(50)]);
        server.serves_others();
    });
}

#[test]
fn a_promise_is_resolved_once() {
    within_deadline(|| {
        let (server, mut raw) = start();
        raw.call(1, HOLD_MAKE);
        promise(&mut raw, 50);
        resolve_to_answer(&mut raw, 50, 1, &[0]);
        resolve_to_answer(&mut raw, 50, 1, &[0]);
        let reason = raw.aborted();
        assert!(reason.contains("resolved twice"), "{reason}");
        server.answer_held();
        server.serves_others();
    });
}

#[test]
fn a_number_that_was_a_promises_is_that_of_an_object_next() {
    within_deadline(|| {
        let (server, mut raw) = start();
        raw.call(1, HOLD_MAKE);
        // It goes out once as a promise; then `capnp-rpc` takes it for an object.
        assert_eq!(give_back_promised(&mut raw, 2, 1), Given::Promise(1));
        call_with_cap(&mut raw, 3, GIVE_BACK, |mut cap| cap.set_receiver_hosted(1));
        assert_eq!(given(&mut raw, 3), Given::Object(1));
        raw.finish_and_release(2);
        promise(&mut raw, 50);
        resolve(&mut raw, 50, |mut cap| cap.set_receiver_hosted(1));
        is_unimplemented(&mut raw);
        // Nobody refers to the promise any more, of which nothing has become yet.
        raw.finish_and_release(3);
        raw.call(4, MAKE);
        assert_eq!(given(&mut raw, 4), Given::Object(1));
        promise(&mut raw, 51);
        resolve(&mut raw, 51, |mut cap| cap.set_receiver_hosted(1));
        let expected = [Seen::Promise(50), Seen::Object];
        assert_eq!(look_at(&server, &mut raw, 3, [50, 51]), expected);
        server.serves_others();
    });
}

#[test]
fn a_number_is_a_promises_until_all_of_its_references_are_gone() {
    within_deadline(|| {
        let (server, mut raw) = start();
        raw.call(1, HOLD_MAKE);
        assert_eq!(give_back_promised(&mut raw, 2, 1), Given::Promise(1));
        // A second one goes with the answer that brings it, which was finished before it was there.
        call_with_cap(&mut raw, 3, HOLD_GIVE_BACK, |mut cap| {
            cap.set_receiver_hosted(1);
        });
        raw.finish_and_release(3);
        await_held(&server, &mut raw, 2);
        server.answer_newest();
        assert_eq!(given(&mut raw, 3), Given::Object(1));
        answer(&server, &mut raw, 1);
        // What it has become has a number of its own.
        assert_eq!(given(&mut raw, 1), Given::Object(2));
        raw.finish(2);
        promise(&mut raw, 50);
        resolve(&mut raw, 50, |mut cap| cap.set_receiver_hosted(1));
        is_unimplemented(&mut raw);
        raw.release(1, 1);
        raw.call(4, MAKE);
        assert_eq!(given(&mut raw, 4), Given::Object(1));
        promise(&mut raw, 51);
        resolve(&mut raw, 51, |mut cap| cap.set_receiver_hosted(1));
        let expected = [Seen::Promise(50), Seen::Object];
        assert_eq!(look_at(&server, &mut raw, 2, [50, 51]), expected);
        server.serves_others();
    });
}

#[test]
fn a_number_is_a_promises_after_a_call_that_was_too_large_to_be_sent() {
    within_deadline(|| {
        let (server, mut raw) = start_with(|limits| limits.message_bytes = 80_000);
        raw.call(1, HOLD_MAKE);
        assert_eq!(give_back_promised(&mut raw, 2, 1), Given::Promise(1));
        call_with_cap(&mut raw, 3, HOLD, |mut cap| cap.set_sender_hosted(70));
        call_with_cap(&mut raw, 4, HOLD, |mut cap| cap.set_receiver_hosted(1));
        await_held(&server, &mut raw, 3);
        let held = server.take_held();
        let object = |call: &ServerCall| call.param_object(&[]).unwrap().unwrap();
        let Reference::Remote(target) = object(&held[1]) else {
            panic!("not the peer's");
        };
        let message = Message::build(|content, references| {
            references.push(object(&held[2]));
            let mut list = content.initn_as::<capnp::any_pointer_list::Builder<'_>>(2);
            list.reborrow().get(0).set_as_capability(ticket(0));
            list.get(1).initn_as::<capnp::data::Builder<'_>>(80_000);
            Ok(())
        });
        let context = CallContext::default();
        let sent = Connection::call_message(&target, 1, ECHO, &context, &message.unwrap());
        let error = sent.unwrap_err().to_string();
        assert_eq!(error, "limit exceeded: message_bytes is 80000");
        // What was released is the reference that the call would have brought.
        promise(&mut raw, 50);
        resolve(&mut raw, 50, |mut cap| cap.set_receiver_hosted(1));
        is_unimplemented(&mut raw);
        server.serves_others();
    });
}
