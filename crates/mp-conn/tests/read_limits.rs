//! Limits on what reading one message costs: at the limit, one beyond it, and what the error says.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod util;

use std::task::{Poll, Waker};

use capnp::any_pointer;
use capnp::message::{Builder, HeapAllocator};
use capnp_rpc::rpc_capnp::message;
use mp_conn::{CallContext, Connection, Error, EventLoop};

use crate::util::raw::{Answer, ECHO, GIVE_BACK, client, exceeded, start, start_with};
use crate::util::{limits, pair, send, until, within_deadline};

/// Makes lists within each other.
fn nest(mut content: any_pointer::Builder<'_>, depth: u32) {
    for _ in 0..depth {
        let list = content.initn_as::<capnp::any_pointer_list::Builder<'_>>(1);
        content = list.get(0);
    }
}

#[test]
fn nesting() {
    within_deadline(|| {
        let (server, mut raw) = start_with(|limits| limits.nesting = 12);
        // The message, the call and the payload are the first levels.
        raw.call_with(1, GIVE_BACK, |call| {
            nest(call.init_params().get_content(), 9);
        });
        assert_eq!(raw.answer(), (1, Answer::Results(0)));
        for (question, depth) in [(2, 10), (3, 500)] {
            raw.call_with(question, GIVE_BACK, |call| {
                nest(call.init_params().get_content(), depth);
            });
            assert_eq!(raw.answer(), (question, exceeded("nesting", 12)));
        }
        raw.call(4, GIVE_BACK);
        assert_eq!(raw.answer(), (4, Answer::Results(0)));
        server.serves_others();
    });
}

#[test]
fn nesting_of_answers() {
    within_deadline(|| {
        let (server, _raw) = start();
        let limits = limits(|limits| limits.nesting = 12);
        let (peer, _served) = pair(server.event_loop(), server.victim(), limits);
        let answer = |depth| {
            let context = CallContext::default();
            let sent = Connection::call(&peer, 1, GIVE_BACK, &context, |params| {
                nest(params, depth);
                Ok(())
            });
            let (mut call, mut answer) = (sent.unwrap(), None);
            until("there is an answer", || {
                if let Poll::Ready(ready) = call.poll_message(Waker::noop()) {
                    answer = Some(ready);
                }
                answer.is_some()
            });
            answer.unwrap()
        };
        answer(9).unwrap();
        let error = answer(10).unwrap_err();
        assert_eq!(error.to_string(), "limit exceeded: nesting is 12");
        assert!(matches!(error, Error::LimitExceeded { .. }));
        answer(9).unwrap();
    });
}

#[test]
fn bytes_read_of_a_message() {
    within_deadline(|| {
        let (server, mut raw) = start_with(|limits| limits.message_bytes = 80_000);
        // Whoever copies the params would copy the same bytes once for each pointer.
        raw.send_bytes(&repeated(1, 1));
        assert_eq!(raw.answer(), (1, Answer::Results(0)));
        let twice = repeated(2, 2);
        // Without the frame's header.
        let size = twice.len() - 8;
        raw.send_bytes(&twice);
        assert_eq!(raw.answer(), (2, exceeded("bytes read of a message", size)));
        raw.call(3, ECHO);
        assert_eq!(raw.answer(), (3, Answer::Results(0)));
        server.serves_others();
    });
}

#[test]
fn bytes_read_of_an_answer() {
    within_deadline(|| {
        let event_loop = EventLoop::new("client").unwrap();
        for (times, fits) in [(1, true), (2, false)] {
            let (peer, mut raw) = client(&event_loop);
            let mut call = send(&peer, ECHO, "hello").unwrap();
            raw.receive().unwrap();
            let mut built = Builder::new(HeapAllocator::new().first_segment_words(9_000));
            let mut answer = built.init_root::<message::Builder<'_>>().init_return();
            answer.set_answer_id(1);
            fill(answer.init_results().get_content(), times);
            raw.send_bytes(&repeat(&built, times));
            if fits {
                until("it is read", || {
                    matches!(call.poll_message(Waker::noop()), Poll::Ready(Ok(_)))
                });
            } else {
                let reason = raw.aborted();
                assert!(reason.contains("bytes read of a message is"), "{reason}");
            }
        }
    });
}

#[test]
fn segments() {
    within_deadline(|| {
        let mut whole = Vec::new();
        let mut built = Builder::new(HeapAllocator::new().first_segment_words(100));
        let mut call = built.init_root::<message::Builder<'_>>().init_call();
        call.set_question_id(1);
        call.set_interface_id(1);
        call.set_method_id(GIVE_BACK);
        call.init_target().set_imported_cap(0);
        capnp::serialize::write_message(&mut whole, &built).unwrap();
        // The same message with empty segments behind the first.
        let split = |segments: u32| {
            let mut bytes = (segments - 1).to_le_bytes().to_vec();
            bytes.extend_from_slice(&whole[4..8]);
            bytes.resize((4 * (segments as usize + 1)).next_multiple_of(8), 0);
            bytes.extend_from_slice(&whole[8..]);
            bytes
        };
        let (server, mut raw) = start();
        raw.send_bytes(&split(511));
        assert_eq!(raw.answer(), (1, Answer::Results(0)));
        raw.send_bytes(&split(512));
        let reason = raw.aborted();
        assert!(
            reason.contains("Message has too many segments: 512"),
            "{reason}"
        );
        server.serves_others();
    });
}

/// A call of `GIVE_BACK` whose params are so many pointers to the same bytes.
fn repeated(question: u32, times: u32) -> Vec<u8> {
    let mut built = Builder::new(HeapAllocator::new().first_segment_words(9_000));
    let mut call = built.init_root::<message::Builder<'_>>().init_call();
    call.set_question_id(question);
    call.set_interface_id(1);
    call.set_method_id(GIVE_BACK);
    call.reborrow().init_target().set_imported_cap(0);
    fill(call.init_params().get_content(), times);
    repeat(&built, times)
}

/// Makes a list of so many pointers, of which the first leads to bytes.
fn fill(content: any_pointer::Builder<'_>, times: u32) {
    let mut list = content.initn_as::<capnp::data_list::Builder<'_>>(times);
    list.set(0, &[0; REPEATED as usize]);
}

/// Leads the other pointers to the same bytes.
fn repeat(built: &Builder<HeapAllocator>, times: u32) -> Vec<u8> {
    let mut bytes = capnp::serialize::write_message_to_words(built);
    // The first pointer: the offset in words in the lower half, and the number of bytes, which is unique, in the upper one.
    let upper = (REPEATED << 3 | 2).to_le_bytes();
    let word = |at: usize| at * 8..at * 8 + 8;
    let first = (0..bytes.len() / 8)
        .find(|at| bytes[word(*at)][4..] == upper)
        .unwrap();
    let lower = u32::from_le_bytes(bytes[first * 8..first * 8 + 4].try_into().unwrap());
    for index in 1..times {
        let pointer = [(lower - 4 * index).to_le_bytes(), upper].concat();
        bytes[word(first + index as usize)].copy_from_slice(&pointer);
    }
    bytes
}

/// Bytes that are there once in a message.
const REPEATED: u32 = 60_000;
