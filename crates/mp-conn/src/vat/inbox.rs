//! Messages that were read and not yet handled.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use capnp::any_pointer;
use capnp::message::{Builder, HeapAllocator, Reader, ReaderOptions};
use capnp_rpc::IncomingMessage;
use capnp_rpc::rpc_capnp::{cap_descriptor, message};

use super::frame::Segments;
use super::ledger::{Ledger, Verdict};
use super::memory::Memory;
use super::shared::{Deferred, Shared};
use crate::Error;
use crate::limits::Limits;

/// Messages that were read and not yet handled, and what their sender has open.
pub(crate) struct Inbox {
    /// Boxed from the first: `capnp-rpc` wants them so, and they are handed on several times.
    messages: VecDeque<Box<Incoming>>,
    end: Option<capnp::Result<()>>,
    receiver: Option<Waker>,
    pub(crate) ledger: Ledger,
}

impl Inbox {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            messages: VecDeque::new(),
            end: None,
            receiver: None,
            ledger: Ledger::new(limits),
        }
    }

    /// Takes a message that was read.
    pub(crate) fn push(&mut self, message: Box<Incoming>) {
        self.messages.push_back(message);
        self.wake();
    }

    /// Takes a message that is to be handled before anything that was read later.
    pub(crate) fn push_front(&mut self, message: Box<Incoming>) {
        self.messages.push_front(message);
        self.wake();
    }

    /// How many messages wait to be handled.
    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    /// Says that nothing will be read any more: the stream ended, or it broke.
    pub(crate) fn end(&mut self, result: capnp::Result<()>) {
        self.end.get_or_insert(result);
        self.wake();
    }

    /// Forgets everything. What was kept is for the caller to drop.
    pub(crate) fn clear(&mut self) -> (VecDeque<Box<Incoming>>, Vec<Option<Box<Incoming>>>) {
        (std::mem::take(&mut self.messages), self.ledger.clear())
    }

    fn wake(&mut self) {
        if let Some(waker) = self.receiver.take() {
            waker.wake();
        }
    }

    fn poll(&mut self, context: &Context<'_>) -> Poll<capnp::Result<Option<Box<Incoming>>>> {
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

impl Shared {
    /// The next message for `capnp-rpc`. What is not for it is dealt with on the way.
    pub(crate) fn next_message(
        &self,
        context: &Context<'_>,
    ) -> Poll<capnp::Result<Option<Box<Incoming>>>> {
        loop {
            let polled = self.inbox.borrow_mut().poll(context);
            let message = match polled {
                Poll::Ready(Ok(Some(message))) => message,
                other => return other,
            };
            match self.admit(message) {
                Ok(None) => {}
                admitted => return Poll::Ready(admitted),
            }
        }
    }

    fn admit(&self, message: Box<Incoming>) -> capnp::Result<Option<Box<Incoming>>> {
        let verdict = self.judge(&message)?;
        if let Verdict::Pass = verdict {
            return Ok(Some(message));
        }
        self.keep_from(message, verdict)
    }

    #[inline(never)]
    fn judge(&self, message: &Incoming) -> capnp::Result<Verdict> {
        let mut inbox = self.inbox.borrow_mut();
        inbox.ledger.judge(message.root()?, message.bytes())
    }

    /// Does with a message what is to be done instead of handling it. Returns one that is to be handled in its place.
    #[cold]
    fn keep_from(
        &self,
        message: Box<Incoming>,
        verdict: Verdict,
    ) -> capnp::Result<Option<Box<Incoming>>> {
        match verdict {
            Verdict::Pass => return Ok(Some(message)),
            Verdict::Hold(question) => {
                let given_up = self.inbox.borrow_mut().ledger.hold(question, message);
                if let Some(request) = given_up.and_then(|key| {
                    let requests = self.requests.borrow();
                    requests.get(key).map(|request| Arc::clone(&request.state))
                }) {
                    self.defer(Deferred::Cancel(request));
                }
            }
            Verdict::Refuse(question, error) => self.refuse(question, &error, &message)?,
            Verdict::Done => {}
            Verdict::Instead(message) => return self.as_if_read(&message).map(Some),
            Verdict::Unimplemented => {
                let mut answer = small_message();
                answer
                    .init_root::<message::Builder<'_>>()
                    .set_unimplemented(message.root()?)?;
                self.outbox.borrow_mut().push(Rc::new(answer));
            }
        }
        Ok(None)
    }

    /// A message of this process, as if it had been read.
    pub(crate) fn as_if_read(
        &self,
        message: &Builder<HeapAllocator>,
    ) -> capnp::Result<Box<Incoming>> {
        let current = Rc::clone(&self.current_call);
        Incoming::new(Segments::copied(message), ReaderOptions::new(), current)
    }

    /// Answers a call that `capnp-rpc` does not see with an error, and lets go of the objects in its params.
    fn refuse(&self, question: u32, error: &Error, call: &Incoming) -> capnp::Result<()> {
        let mut outbox = self.outbox.borrow_mut();
        outbox.push(Rc::new(failure(question, &error.to_wire().extra)));
        let message::Call(call) = call.root()?.which()? else {
            return Ok(());
        };
        let mut references = BTreeMap::new();
        for cap in call?.get_params()?.get_cap_table()? {
            if let cap_descriptor::SenderHosted(id) | cap_descriptor::SenderPromise(id) =
                cap.which()?
            {
                *references.entry(id).or_insert(0) += 1;
            }
        }
        for (import, count) in references {
            outbox.push(Rc::new(release(import, count)));
        }
        Ok(())
    }
}

/// A message that was read.
pub(crate) struct Incoming {
    reader: Reader<Segments>,
    /// What identifies it, if this is a call.
    call: Option<CallMessage>,
    current: Rc<Cell<Option<CallMessage>>>,
}

/// A call as it came.
#[derive(Clone)]
pub(crate) struct CallMessage {
    pub(crate) question: u32,
    /// The memory of the message, if parts of it may be lent.
    pub(crate) lendable: Option<Weak<Memory>>,
}

impl Incoming {
    /// # Errors
    ///
    /// When the message is not one of Cap'n Proto RPC.
    pub(crate) fn new(
        segments: Segments,
        options: ReaderOptions,
        current: Rc<Cell<Option<CallMessage>>>,
    ) -> capnp::Result<Box<Self>> {
        let lendable = segments.lendable();
        let mut incoming = Box::new(Self {
            reader: Reader::new(segments, options),
            call: None,
            current,
        });
        if let Ok(message::Call(call)) = incoming.root()?.which() {
            let question = call?.get_question_id();
            incoming.call = Some(CallMessage { question, lendable });
        }
        Ok(incoming)
    }

    fn root(&self) -> capnp::Result<message::Reader<'_>> {
        self.reader.get_root()
    }

    fn bytes(&self) -> usize {
        self.reader.size_in_words() * 8
    }
}

impl IncomingMessage for Incoming {
    fn get_body(&self) -> capnp::Result<any_pointer::Reader<'_>> {
        if self.call.is_some() {
            self.current.set(self.call.clone());
        }
        self.reader.get_root()
    }
}

/// An answer that is a failure.
pub(crate) fn failure(question: u32, reason: &str) -> Builder<HeapAllocator> {
    let mut message = small_message();
    let mut answer = message.init_root::<message::Builder<'_>>().init_return();
    answer.set_answer_id(question);
    answer.set_release_param_caps(false);
    answer.init_exception().set_reason(reason);
    message
}

/// A message that gives up references.
pub(crate) fn release(id: u32, count: u32) -> Builder<HeapAllocator> {
    let mut message = small_message();
    let mut release = message.init_root::<message::Builder<'_>>().init_release();
    release.set_id(id);
    release.set_reference_count(count);
    message
}

pub(crate) fn small_message() -> Builder<HeapAllocator> {
    Builder::new(HeapAllocator::new().first_segment_words(32))
}
