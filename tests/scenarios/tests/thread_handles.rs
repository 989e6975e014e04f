//! Thread handles that are not what they should be, or not yet.

use std::os::unix::net::UnixStream;
use std::sync::Arc;

use futures::channel::oneshot;
use mp_conn::proxy_capnp::thread;
use multiprocess::codegen::capnp::capability::FromClientHook;
use patience::{eventually, within_deadline};
use scenarios::frames;
use scenarios::pair::event_loop;
use scenarios::party::PartyObject;
use scenarios::raw;
use scenarios::raw_calls::{
    NoThread, add, call_int_fn, failure, make_thread, served, thread_map_of,
};
use scenarios::scenarios::Party;
use scenarios::scenarios_capnp::party;

/// A handle that is no thread of the server is refused, whatever it is.
#[test]
fn foreign_thread_handles_are_invalid() {
    let (object, stream, _server) = served();
    object.on_int(Ok);
    raw::client(stream, |party: party::Client, _| async move {
        let foreign: thread::Client = capnp_rpc::new_client(NoThread);
        let error = call_int_fn(&party, 1, Some(&foreign), None)
            .await
            .unwrap_err();
        assert_eq!(failure(&error), INVALID);
        // One of the server's own objects that is no thread.
        let object = thread::Client::new(party.clone().client.hook);
        let error = call_int_fn(&party, 1, Some(&object), None)
            .await
            .unwrap_err();
        assert_eq!(failure(&error), INVALID);
        // A promise that turns out to be one.
        let (resolve, promise) = oneshot::channel::<thread::Client>();
        let promised: thread::Client =
            capnp_rpc::new_future_client(async move { Ok(promise.await.unwrap()) });
        let call = call_int_fn(&party, 1, Some(&promised), None);
        resolve.send(capnp_rpc::new_client(NoThread)).ok();
        assert_eq!(failure(&call.await.unwrap_err()), INVALID);
        assert_eq!(add(&party).await, 3, "the connection lives on");
    });
}

/// A promise for a handle that resolves late is waited for, and holds up nothing else.
#[test]
fn promised_thread_handles_are_waited_for() {
    let (object, stream, _server) = served();
    object.on_int(Ok);
    raw::client(stream, |party: party::Client, _| async move {
        let (resolve, promise) = oneshot::channel::<thread::Client>();
        let promised: thread::Client =
            capnp_rpc::new_future_client(async move { Ok(promise.await.unwrap()) });
        let call = call_int_fn(&party, 7, Some(&promised), None);
        // The connection goes on meanwhile.
        assert_eq!(add(&party).await, 3);
        let request = thread_map_of(&party).await.make_thread_request();
        let made = request.send().promise.await.unwrap();
        let thread = made.get().unwrap().get_result().unwrap();
        resolve.send(thread).ok();
        assert_eq!(call.await.unwrap(), 7);
    });
}

/// A promise for a handle that breaks fails the call with the promise's own reason. Written by hand, as the C++ library sends
/// it where it was given no thread map.
#[test]
fn a_promised_thread_handle_that_breaks_fails_its_call() {
    let (object, mut stream, _server) = served();
    object.on_int(Ok);
    within_deadline(move || {
        frames::bootstrap(&mut stream);
        frames::call_on_promise(&mut stream, 10, 5);
        frames::send(&mut stream, |message| {
            let mut resolve = message.init_resolve();
            resolve.set_promise_id(5);
            resolve
                .init_exception()
                .set_reason("Called null capability.");
        });
        let answer = frames::answer_of(&mut stream, 10);
        assert_eq!(answer.unwrap_err(), "Called null capability.");
    });
}

/// A promise for a handle that resolves to the answer of a `makeThread`, which is under way or there, is that thread.
#[test]
fn a_promised_thread_handle_that_becomes_an_answer_is_the_thread_in_it() {
    for first in [true, false] {
        let (object, mut stream, server) = served();
        object.on_int(|number| Ok(number + 1));
        within_deadline(move || {
            frames::make_thread(&mut stream);
            if !first {
                eventually("the thread is made", || server.stats().threads == 1);
            }
            frames::call_on_promise(&mut stream, 10, 5);
            resolve_to_answer(&mut stream, 5, frames::THREAD, &[0]);
            assert_eq!(frames::answer_of(&mut stream, 10), Ok(2));
        });
    }
}

/// One that resolves to an answer with something else in it, or nothing, fails the call.
#[test]
fn a_promised_thread_handle_that_becomes_an_answer_without_a_thread_fails_its_call() {
    let (object, mut stream, _server) = served();
    object.on_int(Ok);
    within_deadline(move || {
        frames::make_thread(&mut stream);
        // An object that is no thread; nothing; no such answer.
        for (number, question, path, failure) in [
            (5, frames::THREAD_MAP, &[0][..], INVALID),
            (6, frames::THREAD_MAP, &[1], "Called null capability."),
            (7, 44, &[], "Called null capability."),
        ] {
            frames::call_on_promise(&mut stream, 10 + number, number);
            resolve_to_answer(&mut stream, number, question, path);
            let answer = frames::answer_of(&mut stream, 10 + number);
            assert_eq!(answer.unwrap_err(), failure);
        }
    });
}

fn resolve_to_answer(stream: &mut UnixStream, promise: u32, question: u32, path: &[u16]) {
    frames::send(stream, |message| {
        let mut resolve = message.init_resolve();
        resolve.set_promise_id(promise);
        let answer = resolve.init_cap().init_receiver_answer();
        frames::set_answer(answer, question, path);
    });
}

/// A thread that could not be made fails the calls on it with the reason.
#[test]
fn a_thread_that_could_not_be_made_fails_its_calls() {
    let object = PartyObject::new();
    object.on_int(Ok);
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut limits = multiprocess::Limits::default();
    limits.threads = 1;
    let served: Arc<dyn Party> = object;
    let _server = multiprocess::Options::new()
        .limits(limits)
        .serve(&event_loop("server"), theirs, served)
        .unwrap();
    raw::client(ours, |party: party::Client, _| async move {
        let map = thread_map_of(&party).await;
        let first = make_thread(&map, "first");
        let second = make_thread(&map, "second");
        let (ok, error) = futures::future::join(
            call_int_fn(&party, 1, Some(&first), None),
            call_int_fn(&party, 2, Some(&second), None),
        )
        .await;
        assert_eq!(ok.unwrap(), 1);
        let error = failure(&error.unwrap_err());
        assert_eq!(error, "std::exception: limit exceeded: threads is 1");
    });
}

const INVALID: &str = "std::exception: invalid thread handle";
