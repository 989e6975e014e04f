//! `capnp-rpc`'s view of the connection: where its messages come from and go to.
//!
//! Two things happen to messages on the way. A `Finish` for a call that is still running is held back until the call was
//! answered: `capnp-rpc` would drop the call and never answer it, which leaks an entry of both ends' tables, while a
//! libmultiprocess server runs the method to its end. And each message remembers which question it asks, so that a
//! running method can be told that its caller gave up.

use std::cell::Cell;
use std::collections::HashMap;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use capnp::any_pointer;
use capnp::capability::Promise;
use capnp::message::{Builder, HeapAllocator, Reader, ReaderOptions};
use capnp_rpc::rpc_capnp::message;
use capnp_rpc::rpc_twoparty_capnp::Side;
use capnp_rpc::{Connection, IncomingMessage, OutgoingMessage, VatNetwork};

use super::frame::Segments;
use super::shared::Shared;

/// Messages that were read and not yet handled, and the questions of the peer that are not yet answered.
#[derive(Default)]
pub(crate) struct Inbox {
    messages: VecDeque<Incoming>,
    end: Option<Result<(), capnp::Error>>,
    receiver: Option<Waker>,
    questions: HashMap<u32, Question>,
}

/// A call of the peer that was not answered yet.
#[derive(Default)]
struct Question {
    /// The running request, once there is one.
    request: Option<usize>,
    /// The caller's `Finish`, to be handled after the answer.
    finish: Option<Incoming>,
}

impl Inbox {
    /// Takes a message that was read. Returns the request that its caller gave up, if that is what it says.
    pub(crate) fn push(&mut self, message: Incoming) -> Option<usize> {
        match message.kind {
            Kind::Call(id) => {
                self.questions.entry(id).or_default();
            }
            Kind::Finish(id) => {
                if let Some(question) = self.questions.get_mut(&id) {
                    let request = question.request;
                    question.finish.get_or_insert(message);
                    return request;
                }
            }
            Kind::Other => {}
        }
        self.messages.push_back(message);
        self.wake();
        None
    }

    /// Says that nothing will be read any more: the stream ended, or it broke.
    pub(crate) fn end(&mut self, result: Result<(), capnp::Error>) {
        self.end.get_or_insert(result);
        self.wake();
    }

    /// Ties a question of the peer to the request that serves it. True: its caller gave up already.
    pub(crate) fn assign(&mut self, question: u32, request: usize) -> bool {
        match self.questions.get_mut(&question) {
            Some(question) => {
                question.request = Some(request);
                question.finish.is_some()
            }
            None => false,
        }
    }

    /// Notes that a question was answered: its `Finish` may be handled now.
    fn answered(&mut self, question: u32) {
        if let Some(finish) = self.questions.remove(&question).and_then(|q| q.finish) {
            // Before anything that was read later: the peer may use the number again after it.
            self.messages.push_front(finish);
            self.wake();
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) -> (VecDeque<Incoming>, Vec<Option<Incoming>>) {
        let held = self.questions.drain().map(|(_, q)| q.finish).collect();
        (std::mem::take(&mut self.messages), held)
    }

    fn wake(&mut self) {
        if let Some(waker) = self.receiver.take() {
            waker.wake();
        }
    }

    fn poll(&mut self, context: &Context<'_>) -> Poll<capnp::Result<Option<Incoming>>> {
        if let Some(message) = self.messages.pop_front() {
            return Poll::Ready(Ok(Some(message)));
        }
        match self.end.take() {
            Some(result) => Poll::Ready(result.map(|()| None)),
            None => {
                self.receiver = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// A message that was read.
pub(crate) struct Incoming {
    reader: Reader<Segments>,
    kind: Kind,
    current: Rc<Cell<Option<u32>>>,
}

/// What the network has to know of a message.
#[derive(Clone, Copy)]
enum Kind {
    Call(u32),
    Finish(u32),
    Other,
}

impl Incoming {
    /// # Errors
    ///
    /// When the message is not one of Cap'n Proto RPC.
    pub(crate) fn new(
        segments: Segments,
        options: ReaderOptions,
        current: Rc<Cell<Option<u32>>>,
    ) -> capnp::Result<Self> {
        let reader = Reader::new(segments, options);
        let kind = match reader.get_root::<message::Reader<'_>>()?.which() {
            Ok(message::Call(call)) => Kind::Call(call?.get_question_id()),
            Ok(message::Finish(finish)) => Kind::Finish(finish?.get_question_id()),
            _ => Kind::Other,
        };
        Ok(Self {
            reader,
            kind,
            current,
        })
    }
}

impl IncomingMessage for Incoming {
    fn get_body(&self) -> capnp::Result<any_pointer::Reader<'_>> {
        if let Kind::Call(question) = self.kind {
            self.current.set(Some(question));
        }
        self.reader.get_root()
    }
}

/// A message that `capnp-rpc` builds.
struct Outgoing {
    message: Builder<HeapAllocator>,
    shared: Rc<Shared>,
}

impl OutgoingMessage for Outgoing {
    fn get_body(&mut self) -> capnp::Result<any_pointer::Builder<'_>> {
        self.message.get_root()
    }

    fn get_body_as_reader(&self) -> capnp::Result<any_pointer::Reader<'_>> {
        self.message.get_root_as_reader()
    }

    fn send(self: Box<Self>) -> (Promise<(), capnp::Error>, Rc<Builder<HeapAllocator>>) {
        let message = Rc::new(self.message);
        if !self.shared.closed.get() {
            let answered = answered_question(&message);
            self.shared.outbox.borrow_mut().push(Rc::clone(&message));
            if let Some(question) = answered {
                self.shared.inbox.borrow_mut().answered(question);
            }
        }
        (Promise::ok(()), message)
    }

    fn take(self: Box<Self>) -> Builder<HeapAllocator> {
        self.message
    }

    fn size_in_words(&self) -> usize {
        self.message.size_in_words()
    }
}

fn answered_question(message: &Builder<HeapAllocator>) -> Option<u32> {
    let root = message.get_root_as_reader::<message::Reader<'_>>().ok()?;
    match root.which().ok()? {
        message::Return(answer) => Some(answer.ok()?.get_answer_id()),
        _ => None,
    }
}

/// The network of one connection, which has two parties.
pub(crate) struct Network {
    pub(crate) shared: Rc<Shared>,
    pub(crate) side: Side,
    /// Whether the one connection was handed out.
    pub(crate) connected: bool,
}

impl Network {
    fn connection(&mut self) -> Box<dyn Connection<Side>> {
        self.connected = true;
        Box::new(Stream {
            shared: Rc::clone(&self.shared),
            side: self.side,
        })
    }
}

impl VatNetwork<Side> for Network {
    fn connect(&mut self, host: Side) -> Option<Box<dyn Connection<Side>>> {
        (host != self.side).then(|| self.connection())
    }

    fn accept(&mut self) -> Promise<Box<dyn Connection<Side>>, capnp::Error> {
        if self.side == Side::Server && !self.connected {
            Promise::ok(self.connection())
        } else {
            Promise::from_future(futures::future::pending())
        }
    }

    fn drive_until_shutdown(&mut self) -> Promise<(), capnp::Error> {
        Promise::from_future(futures::future::pending())
    }
}

struct Stream {
    shared: Rc<Shared>,
    side: Side,
}

impl Connection<Side> for Stream {
    fn get_peer_vat_id(&self) -> Side {
        match self.side {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }

    fn new_outgoing_message(&mut self, first_segment_words: u32) -> Box<dyn OutgoingMessage> {
        let words = first_segment_words.min(FIRST_SEGMENT_WORDS);
        let allocator = HeapAllocator::new().first_segment_words(words);
        Box::new(Outgoing {
            message: Builder::new(allocator),
            shared: Rc::clone(&self.shared),
        })
    }

    fn receive_incoming_message(
        &mut self,
    ) -> Promise<Option<Box<dyn IncomingMessage>>, capnp::Error> {
        let shared = Rc::clone(&self.shared);
        Promise::from_future(futures::future::poll_fn(move |context| {
            shared
                .inbox
                .borrow_mut()
                .poll(context)
                .map_ok(|message| message.map(|m| Box::new(m) as Box<dyn IncomingMessage>))
        }))
    }

    fn shutdown(&mut self, _result: capnp::Result<()>) -> Promise<(), capnp::Error> {
        // The holder of the lock writes what was sent last, and closes the stream.
        self.shared.ending.set(true);
        Promise::ok(())
    }
}

/// `capnp-rpc` asks for 8 KiB for each call, which would be zeroed for nothing: larger messages get a segment of their own.
const FIRST_SEGMENT_WORDS: u32 = 96;
