//! A peer that says whatever it is told to, message by message.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};

use capnp::message::{Builder, ReaderOptions};
use capnp::serialize::{self, OwnedSegments};
use capnp_rpc::rpc_capnp::{call, cap_descriptor, exception, message, return_};
use mp_conn::{
    Capability, Connection, Error, EventLoop, Limits, Object, ServerCall, connect, serve,
};

/// A process under test: it serves a [`Victim`] to a raw peer and to an honest client.
pub(crate) struct Server {
    pub(crate) connection: Connection,
    honest: Capability,
    victim: Arc<Victim>,
    held: Arc<Mutex<Vec<ServerCall>>>,
    event_loop: EventLoop,
}

impl Server {
    /// Serves with these limits. The raw peer gets the other end.
    pub(crate) fn start(limits: Limits) -> (Self, Raw) {
        let event_loop = EventLoop::new("server").unwrap();
        let held = Arc::new(Mutex::new(Vec::new()));
        let victim = Arc::new(Victim(Arc::clone(&held)));
        let (ours, theirs) = UnixStream::pair().unwrap();
        let other = Arc::<Victim>::clone(&victim);
        serve(&event_loop, theirs, other, Limits::default()).unwrap();
        let honest = connect(&event_loop, ours, Limits::default()).unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        let other = Arc::<Victim>::clone(&victim);
        let connection = serve(&event_loop, theirs, other, limits).unwrap();
        let server = Self {
            connection,
            honest,
            victim,
            held,
            event_loop,
        };
        (server, Raw::new(ours))
    }

    pub(crate) fn event_loop(&self) -> &EventLoop {
        &self.event_loop
    }

    /// The object, for further connections.
    pub(crate) fn victim(&self) -> Arc<dyn Object> {
        Arc::<Victim>::clone(&self.victim)
    }

    /// Fails unless another client is served as ever.
    pub(crate) fn serves_others(&self) {
        assert_eq!(super::echo(&self.honest, ECHO, "hello").unwrap(), "hello");
    }

    /// How many calls wait for an answer that does not come.
    pub(crate) fn held(&self) -> usize {
        self.held.lock().unwrap().len()
    }

    /// The calls that wait, in their order.
    pub(crate) fn take_held(&self) -> Vec<ServerCall> {
        std::mem::take(&mut *self.held.lock().unwrap())
    }

    /// Answers the calls that wait.
    pub(crate) fn answer_held(&self) {
        self.take_held().into_iter().for_each(answer_late);
    }

    /// Answers the call that came last of those that wait.
    pub(crate) fn answer_newest(&self) {
        let newest = self.held.lock().unwrap().pop();
        answer_late(newest.expect("no call waits"));
    }
}

fn answer_late(call: ServerCall) {
    // Fails when the connection has ended.
    let answered = match call.ordinal() {
        HOLD_MAKE => call.reply(&[(0, Arc::new(super::Echo))], |_| Ok(())),
        HOLD_GIVE_BACK => call
            .params()
            .and_then(|params| call.reply_message(&[], params)),
        _ => call.reply(&[], |_| Ok(())),
    };
    answered.unwrap_or_default();
}

/// An object with everything that an attacker could wish for.
struct Victim(Arc<Mutex<Vec<ServerCall>>>);

impl Object for Victim {
    fn context_field(&self, _interface_id: u64, _ordinal: u16) -> Option<u16> {
        None
    }

    fn call(&self, call: ServerCall) {
        // Answers fail when the connection has ended.
        match call.ordinal() {
            MAKE => {
                let made: Arc<dyn Object> = Arc::new(super::Echo);
                let answered = call.reply(&[(0, made)], |_| Ok(()));
                answered.unwrap_or_default();
            }
            HOLD | HOLD_MAKE | HOLD_GIVE_BACK => self.0.lock().unwrap().push(call),
            GIVE_BACK => match call.params() {
                Ok(params) => call.reply_message(&[], params).unwrap_or_default(),
                Err(error) => call.fail(&error),
            },
            LARGE => {
                let answered = call.reply(&[], |results| {
                    results.initn_as::<capnp::data::Builder<'_>>(LARGE_BYTES);
                    Ok(())
                });
                answered.unwrap_or_default();
            }
            _ => super::Echo.call(call),
        }
    }

    fn needs_cleanup(&self) -> bool {
        false
    }
}

/// The peer.
pub(crate) struct Raw {
    stream: UnixStream,
}

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Results, with this many capabilities.
    Results(usize),
    Exception(String),
}

impl Raw {
    pub(crate) fn new(stream: UnixStream) -> Self {
        stream.set_read_timeout(Some(super::deadline())).unwrap();
        Self { stream }
    }

    pub(crate) fn send(&mut self, build: impl FnOnce(message::Builder<'_>)) {
        let mut message = Builder::new_default();
        build(message.init_root());
        // Fails when this peer was cut off, which shows when it reads.
        serialize::write_message(&mut self.stream, &message).ok();
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        // As above.
        self.stream.write_all(bytes).ok();
    }

    pub(crate) fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// Asks for the first object, as question 0. It is export 0 of the server's.
    pub(crate) fn bootstrap(&mut self) {
        self.send(|message| message.init_bootstrap().set_question_id(0));
        assert_eq!(self.answer(), (0, Answer::Results(1)));
    }

    /// Calls the first object.
    pub(crate) fn call(&mut self, question: u32, method: u16) {
        self.call_with(question, method, |_| ());
    }

    /// Calls the first object, and changes the message before it is sent.
    pub(crate) fn call_with(
        &mut self,
        question: u32,
        method: u16,
        change: impl FnOnce(call::Builder<'_>),
    ) {
        self.send(|message| {
            let mut call = message.init_call();
            call.set_question_id(question);
            call.set_interface_id(1);
            call.set_method_id(method);
            call.reborrow().init_target().set_imported_cap(0);
            change(call);
        });
    }

    /// Finishes a question, and keeps the objects that its answer brought.
    pub(crate) fn finish(&mut self, question: u32) {
        self.send(|message| {
            let mut finish = message.init_finish();
            finish.set_question_id(question);
            finish.set_release_result_caps(false);
        });
    }

    /// Finishes a question, and gives up the objects that its answer brought.
    pub(crate) fn finish_and_release(&mut self, question: u32) {
        self.send(|message| message.init_finish().set_question_id(question));
    }

    /// Gives up references to an object of the server's.
    pub(crate) fn release(&mut self, export: u32, count: u32) {
        self.send(|message| {
            let mut release = message.init_release();
            release.set_id(export);
            release.set_reference_count(count);
        });
    }

    /// The next message. `None`: the connection ended.
    pub(crate) fn receive(&mut self) -> Option<capnp::message::Reader<OwnedSegments>> {
        match serialize::try_read_message(&mut self.stream, ReaderOptions::new()) {
            Ok(message) => message,
            Err(error) if error.to_string().contains("reset") => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// The next answer, whose question comes with it. Other messages are passed over.
    pub(crate) fn answer(&mut self) -> (u32, Answer) {
        loop {
            let message = self.receive().expect("the connection ended");
            let root: message::Reader<'_> = message.get_root().unwrap();
            let Ok(message::Return(answer)) = root.which() else {
                let Ok(message::Abort(abort)) = root.which() else {
                    continue;
                };
                panic!("aborted: {:?}", abort.unwrap().get_reason().unwrap());
            };
            let answer = answer.unwrap();
            return (answer.get_answer_id(), to_answer(answer));
        }
    }

    /// The text of the abort with which the connection ends.
    pub(crate) fn aborted(&mut self) -> String {
        let mut reason = None;
        while let Some(message) = self.receive() {
            let root: message::Reader<'_> = message.get_root().unwrap();
            if let Ok(message::Abort(abort)) = root.which() {
                reason = Some(abort.unwrap().get_reason().unwrap().to_string().unwrap());
            }
        }
        reason.expect("no abort")
    }

    /// Reads until the end of the stream.
    pub(crate) fn ended(&mut self) {
        let mut rest = Vec::new();
        // A reset is an end as well.
        self.stream.read_to_end(&mut rest).unwrap_or_default();
    }
}

fn to_answer(answer: return_::Reader<'_>) -> Answer {
    match answer.which().unwrap() {
        return_::Results(results) => {
            Answer::Results(results.unwrap().get_cap_table().unwrap().len() as usize)
        }
        return_::Exception(exception) => {
            let exception: exception::Reader<'_> = exception.unwrap();
            Answer::Exception(exception.get_reason().unwrap().to_string().unwrap())
        }
        _ => panic!("neither results nor an exception"),
    }
}

/// A server with the usual limits, whose first object the raw peer has.
pub(crate) fn start() -> (Server, Raw) {
    start_with(|_| ())
}

/// A server with other limits than the usual ones, whose first object the raw peer has.
pub(crate) fn start_with(change: impl FnOnce(&mut Limits)) -> (Server, Raw) {
    let (server, mut raw) = Server::start(super::limits(change));
    raw.bootstrap();
    raw.finish(0);
    (server, raw)
}

/// A client whose server is the raw peer, which was asked for its first object.
pub(crate) fn client(event_loop: &EventLoop) -> (Capability, Raw) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let peer = connect(event_loop, ours, Limits::default()).unwrap();
    let mut raw = Raw::new(theirs);
    raw.receive().unwrap();
    (peer, raw)
}

/// Sends a call whose one capability is described so, and whose content is that capability.
pub(crate) fn call_with_cap(
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

/// Answers a question of the other end's with an object.
pub(crate) fn answer_with_object(raw: &mut Raw, question: u32, object: u32) {
    raw.send(|message| {
        let mut answer = message.init_return();
        answer.set_answer_id(question);
        let mut results = answer.init_results();
        let table = results.reborrow().init_cap_table(1);
        table.get(0).set_sender_hosted(object);
        set_first_capability(results.get_content());
    });
}

/// Makes a pointer to the first capability of the message.
fn set_first_capability(mut content: capnp::any_pointer::Builder<'_>) {
    let mut table = Vec::new();
    let mut content = content.reborrow();
    capnp::traits::ImbueMut::imbue_mut(&mut content, &mut table);
    content.set_as_capability(mp_conn::ticket(0));
}

/// Says what has become of a promise.
pub(crate) fn resolve(
    raw: &mut Raw,
    promise: u32,
    describe: impl FnOnce(cap_descriptor::Builder<'_>),
) {
    raw.send(|message| {
        let mut resolve = message.init_resolve();
        resolve.set_promise_id(promise);
        describe(resolve.init_cap());
    });
}

/// Expects that the peer is told that its message was not understood, and nothing else happens.
pub(crate) fn is_unimplemented(raw: &mut Raw) {
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

/// The failure of a limit, as a method's caller sees it.
pub(crate) fn exceeded(limit: &'static str, value: usize) -> Answer {
    Answer::Exception(format!("std::exception: {}", Error::limit(limit, value)))
}

pub(crate) const ECHO: u16 = 0;
/// Makes an object.
pub(crate) const MAKE: u16 = 1;
/// Is not answered before [`Server::answer_held`].
pub(crate) const HOLD: u16 = 2;
/// Answers with its params, objects and all.
pub(crate) const GIVE_BACK: u16 = 3;
/// The same, and then it makes an object.
pub(crate) const HOLD_MAKE: u16 = 5;
/// The same, and then it gives its params back.
pub(crate) const HOLD_GIVE_BACK: u16 = 6;
/// Answers with [`LARGE_BYTES`] bytes.
pub(crate) const LARGE: u16 = 4;
pub(crate) const LARGE_BYTES: u32 = 1 << 20;
