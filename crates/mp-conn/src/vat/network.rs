//! `capnp-rpc`'s view of the connection: where its messages come from and go to.
//!
//! Messages are looked at on the way. Those that come in are judged (`ledger`). A `Finish` for a call that is still running is
//! held back until the call was answered: `capnp-rpc` would drop the call and never answer it, which leaks an entry of both
//! ends' tables, while a libmultiprocess server runs the method to its end. And what goes out is not larger than what the
//! peer may be expected to take.

use std::rc::Rc;

use capnp::capability::Promise;
use capnp_rpc::rpc_capnp::{call, cap_descriptor, message, resolve, return_};
use capnp_rpc::rpc_twoparty_capnp::Side;
use capnp_rpc::{Connection, IncomingMessage, OutgoingMessage, VatNetwork};

use super::inbox::{failure, release};
use super::outgoing::Output;
use super::resolution::{Answer, Outcome, Waited};
use super::shared::Shared;
use crate::Error;

impl Shared {
    /// Notes what a message that `capnp-rpc` built means for the peer's tables. False: it is not to be sent.
    #[inline(never)]
    pub(crate) fn note(&self, sent: &Rc<dyn Output>, bytes: usize) -> capnp::Result<bool> {
        match sent.root()?.which() {
            Ok(message::Call(call)) => self.note_call(call, bytes),
            Ok(message::Return(answer)) => self.note_answer(sent, answer, bytes),
            Ok(message::Resolve(resolve)) => self.note_resolve(resolve),
            Ok(message::Release(Ok(release))) => {
                self.inbox.borrow_mut().ledger.released(release.get_id());
                Ok(true)
            }
            Ok(message::Finish(Ok(finish))) => {
                Ok(!self.unsent.borrow_mut().remove(&finish.get_question_id()))
            }
            // The peer went first.
            Ok(message::Abort(_)) => Ok(!self.peer_ended.get()),
            _ => Ok(true),
        }
    }

    #[inline(never)]
    fn note_call(
        &self,
        call: capnp::Result<call::Reader<'_>>,
        bytes: usize,
    ) -> capnp::Result<bool> {
        let call = call?;
        let question = call.get_question_id();
        let table = call.get_params()?.get_cap_table()?;
        self.unsent.borrow_mut().remove(&question);
        // Also where it is not sent: they are released again.
        self.inbox.borrow_mut().ledger.sent(table);
        if bytes > self.limits.message_bytes {
            self.answer_unsent(question, table)?;
            return Ok(false);
        }
        Ok(true)
    }

    #[inline(never)]
    fn note_resolve(&self, resolve: capnp::Result<resolve::Reader<'_>>) -> capnp::Result<bool> {
        let resolve = resolve?;
        let mut inbox = self.inbox.borrow_mut();
        inbox.ledger.resolved(resolve.get_promise_id());
        if let resolve::Cap(cap) = resolve.which()? {
            inbox.ledger.sent_cap(cap?);
        }
        Ok(true)
    }

    #[inline(never)]
    fn note_answer(
        &self,
        sent: &Rc<dyn Output>,
        answer: capnp::Result<return_::Reader<'_>>,
        bytes: usize,
    ) -> capnp::Result<bool> {
        let answer = answer?;
        let mut inbox = self.inbox.borrow_mut();
        let question = answer.get_answer_id();
        let says_more = match answer.which()? {
            return_::Results(results) => {
                let table = results?.get_cap_table()?;
                inbox.ledger.sent(table);
                !table.is_empty()
            }
            other => matches!(other, return_::Exception(_)),
        };
        let instead = (bytes > self.limits.message_bytes).then(|| self.too_large(question));
        let answer = Answer {
            message: instead.as_ref().unwrap_or(sent),
            kept: (!answer.get_no_finish_needed()).then_some(bytes),
            says_more,
        };
        let waited = inbox.ledger.answered(question, &answer)?;
        drop(inbox);
        if !waited.is_empty() {
            self.follow_up(waited)?;
        }
        let Some(failure) = instead else {
            return Ok(true);
        };
        self.outbox.borrow_mut().push(failure);
        Ok(false)
    }

    /// What is sent instead of an answer that is too large.
    #[cold]
    fn too_large(&self, question: u32) -> Rc<dyn Output> {
        let error = Error::limit("message_bytes", self.limits.message_bytes);
        Rc::new(failure(question, &error.to_wire().extra))
    }

    /// Deals with what waited for an answer, before anything that was read later: the peer may use the numbers again after it.
    #[cold]
    fn follow_up(&self, waited: Waited) -> capnp::Result<()> {
        let mut inbox = self.inbox.borrow_mut();
        if let Some(finish) = waited.finish {
            inbox.push_front(finish);
        }
        for (promise, place, outcome) in waited.promises {
            match outcome {
                Outcome::Settled(resolve) => inbox.push_front(self.as_if_read(&resolve)?),
                Outcome::Forwarded => {
                    let answer = Rc::new(place.unimplemented(promise));
                    self.outbox.borrow_mut().push(answer);
                }
            }
        }
        Ok(())
    }

    /// Answers a call of this process that is too large to be sent, as the peer would have: with a failure, and by
    /// releasing the objects in its params.
    #[cold]
    fn answer_unsent(
        &self,
        question: u32,
        table: capnp::struct_list::Reader<'_, cap_descriptor::Owned>,
    ) -> capnp::Result<()> {
        self.too_large.set(true);
        self.unsent.borrow_mut().insert(question);
        let error = Error::limit("message_bytes", self.limits.message_bytes);
        let mut answer = failure(question, &error.to_string());
        if let message::Return(answer) = answer.get_root::<message::Builder<'_>>()?.which()? {
            answer?.set_no_finish_needed(true);
        }
        let mut messages = vec![answer];
        for cap in table {
            if let cap_descriptor::SenderHosted(id) | cap_descriptor::SenderPromise(id) =
                cap.which()?
            {
                messages.push(release(id, 1));
            }
        }
        let mut inbox = self.inbox.borrow_mut();
        for message in &messages {
            inbox.push(self.as_if_read(message)?);
        }
        Ok(())
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
        self.shared.outgoing(first_segment_words)
    }

    fn receive_incoming_message(
        &mut self,
    ) -> Promise<Option<Box<dyn IncomingMessage>>, capnp::Error> {
        let shared = Rc::clone(&self.shared);
        Promise::from_future(futures::future::poll_fn(move |context| {
            shared
                .next_message(context)
                .map_ok(|message| message.map(|message| message as Box<dyn IncomingMessage>))
        }))
    }

    fn shutdown(&mut self, _result: capnp::Result<()>) -> Promise<(), capnp::Error> {
        // The holder of the lock writes what was sent last, and closes the stream.
        self.shared.ending.set(true);
        Promise::ok(())
    }
}
