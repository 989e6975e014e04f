//! Messages of the RPC protocol, written and read by hand.

use std::os::unix::net::UnixStream;

use capnp_rpc::rpc_capnp::{message, payload, promised_answer, return_};
use mp_conn::proxy_capnp::thread_map;
use multiprocess::codegen::capnp;
use multiprocess::codegen::capnp::capability::FromClientHook;
use multiprocess::codegen::capnp::traits::{HasTypeId, ImbueMut};

use crate::scenarios_capnp::party;

/// Sends one message.
///
/// # Panics
///
/// When the stream takes no bytes.
pub fn send(stream: &mut UnixStream, build: impl FnOnce(message::Builder<'_>)) {
    let mut message = capnp::message::Builder::new_default();
    build(message.init_root());
    capnp::serialize::write_message(stream, &message).expect("the peer reads");
}

/// Asks for the server's thread map, and with it for a thread, which is the first object in the answer of [`THREAD`].
///
/// # Panics
///
/// When the stream takes no bytes.
pub fn make_thread(stream: &mut UnixStream) {
    bootstrap(stream);
    send(stream, |message| {
        let mut call = message.init_call();
        call.set_question_id(THREAD_MAP);
        call.set_interface_id(party::Client::TYPE_ID);
        call.set_method_id(INIT_THREAD_MAP);
        set_answer(call.init_target().init_promised_answer(), BOOTSTRAP, &[]);
    });
    send(stream, |message| {
        let mut call = message.init_call();
        call.set_question_id(THREAD);
        call.set_interface_id(thread_map::Client::TYPE_ID);
        call.set_method_id(MAKE_THREAD);
        set_answer(call.init_target().init_promised_answer(), THREAD_MAP, &[0]);
    });
}

/// Asks for the server's first object, as the answer of [`BOOTSTRAP`].
///
/// # Panics
///
/// When the stream takes no bytes.
pub fn bootstrap(stream: &mut UnixStream) {
    send(stream, |message| {
        message.init_bootstrap().set_question_id(BOOTSTRAP);
    });
}

/// Calls `callIntFn` of the first object with 1, on a thread that is a promise.
///
/// # Panics
///
/// When the stream takes no bytes.
pub fn call_on_promise(stream: &mut UnixStream, question: u32, promise: u32) {
    send(stream, |message| {
        let mut call = message.init_call();
        call.set_question_id(question);
        call.set_interface_id(party::Client::TYPE_ID);
        call.set_method_id(CALL_INT_FN);
        let target = call.reborrow().init_target();
        set_answer(target.init_promised_answer(), BOOTSTRAP, &[]);
        thread_is_promise(call.init_params(), promise);
    });
}

/// Refers to an object in an answer, by a path of pointers.
pub fn set_answer(mut answer: promised_answer::Builder<'_>, question: u32, path: &[u16]) {
    answer.set_question_id(question);
    let mut transform = answer.init_transform(path.len() as u32);
    for (place, index) in (0..).zip(path) {
        transform
            .reborrow()
            .get(place)
            .set_get_pointer_field(*index);
    }
}

/// Fills the params of `callIntFn`, whose thread is a promise of the sender.
fn thread_is_promise(mut params: payload::Builder<'_>, promise: u32) {
    params
        .reborrow()
        .init_cap_table(1)
        .get(0)
        .set_sender_promise(promise);
    let mut table = Vec::new();
    let mut content = params.reborrow().init_content();
    content.imbue_mut(&mut table);
    let mut content: party::call_int_fn_params::Builder<'_> = content.init_as();
    content.set_arg(1);
    let thread = FromClientHook::new(mp_conn::ticket(0));
    content.init_context().set_thread(thread);
}

/// Reads until a question is answered: the result of `callIntFn`, or the text of the failure.
///
/// # Panics
///
/// When the stream ends before, or the answer is neither.
pub fn answer_of(stream: &mut UnixStream, question: u32) -> Result<i32, String> {
    loop {
        let options = capnp::message::ReaderOptions::new();
        let message = capnp::serialize::read_message(&mut *stream, options);
        let message = message.expect("the peer answers");
        let root: message::Reader<'_> = message.get_root().expect("a message of the protocol");
        let Ok(message::Return(Ok(answer))) = root.which() else {
            continue;
        };
        if answer.get_answer_id() != question {
            continue;
        }
        return match answer.which() {
            Ok(return_::Exception(Ok(exception))) => {
                let reason = exception.get_reason().expect("there is a reason");
                Err(reason.to_string().expect("the reason is text"))
            }
            Ok(return_::Results(Ok(results))) => {
                let results: capnp::Result<party::call_int_fn_results::Reader<'_>> =
                    results.get_content().get_as();
                Ok(results.expect("the results can be read").get_result())
            }
            _ => panic!("neither results nor a failure"),
        };
    }
}

/// The question that asks for the first object.
pub const BOOTSTRAP: u32 = 0;
/// The question that asks for the thread map.
pub const THREAD_MAP: u32 = 1;
/// The question that asks for a thread.
pub const THREAD: u32 = 2;
const INIT_THREAD_MAP: u16 = 0;
const CALL_INT_FN: u16 = 30;
const MAKE_THREAD: u16 = 0;
