//! Messages of the RPC protocol, written and read by hand.

use std::os::unix::net::UnixStream;

use capnp_rpc::rpc_capnp::{message, payload, return_};
use multiprocess::codegen::capnp;
use multiprocess::codegen::capnp::capability::FromClientHook;
use multiprocess::codegen::capnp::traits::ImbueMut;

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

/// Fills the params of `callIntFn`, whose thread is a promise of the sender.
pub fn thread_is_promise(mut params: payload::Builder<'_>, promise: u32) {
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

/// Reads until a question is answered, with a failure: its text.
///
/// # Panics
///
/// When the stream ends before, or the answer is none.
pub fn failure_of(stream: &mut UnixStream, question: u32) -> String {
    loop {
        let options = capnp::message::ReaderOptions::new();
        let message = capnp::serialize::read_message(&mut *stream, options);
        let message = message.expect("the peer answers");
        let root: message::Reader<'_> = message.get_root().expect("a message of the protocol");
        let Ok(message::Return(Ok(answer))) = root.which() else {
            continue;
        };
        if answer.get_answer_id() == question {
            return match answer.which() {
                Ok(return_::Exception(Ok(exception))) => {
                    let reason = exception.get_reason().expect("there is a reason");
                    reason.to_string().expect("the reason is text")
                }
                _ => panic!("no failure"),
            };
        }
    }
}
