//! What the peer has open, as far as it takes to judge its messages before `capnp-rpc` sees them.
//!
//! `capnp-rpc` believes its peer: it keeps whatever it is told to keep, and a promise that resolves to itself sends it
//! around in circles. So each message is judged here first. What honest peers send passes; what goes beyond a limit is
//! refused with an error where the protocol has an answer; what would break something ends the connection.

use std::collections::HashMap;
use std::rc::Rc;

use capnp::message::{Builder, HeapAllocator};
use capnp::struct_list;
use capnp_rpc::rpc_capnp::{
    call, cap_descriptor, finish, message, message_target, promised_answer, resolve, return_,
};

use super::content::repeats;
use super::imported::Imports;
use super::inbox::Incoming;
use super::outgoing::Output;
use super::promised::PromisedExports;
use super::resolution::{Answer, Outcome, Place, Resolutions, Settled, Waited};
use crate::Error;
use crate::limits::Limits;

/// Questions of the peer, and its objects that this process refers to.
pub(crate) struct Ledger {
    limits: Limits,
    questions: HashMap<u32, Question>,
    /// Bytes of calls that are not answered, and of answers that the peer has not finished.
    bytes: usize,
    imports: Imports,
    promised: PromisedExports,
    /// Promises of the peer that wait for an answer of this process.
    resolutions: Resolutions,
}

/// A call of the peer that was not answered, or whose answer the peer still refers to.
#[derive(Default)]
struct Question {
    /// The running request, once there is one.
    request: Option<usize>,
    /// The caller's `Finish`, to be handled after the answer.
    finish: Option<Box<Incoming>>,
    answered: bool,
    /// The answer, if it holds objects or is a failure.
    answer: Option<Rc<dyn Output>>,
    /// How many unanswered calls this one waits for, one behind the other.
    depth: u32,
    bytes: usize,
}

/// What is to be done with a message.
pub(crate) enum Verdict {
    Pass,
    /// A `Finish` for a call that was not answered yet.
    Hold(u32),
    /// A call that gets an error. The objects in its params are to be released.
    Refuse(u32, Error),
    /// A message that this side may say it does not understand.
    Unimplemented,
    /// A message that is dealt with, as far as it can be now.
    Done,
    /// Another message is to be handled instead.
    Instead(Box<Builder<HeapAllocator>>),
}

impl Ledger {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            imports: Imports::new(limits.imports),
            limits,
            questions: HashMap::new(),
            bytes: 0,
            promised: PromisedExports::default(),
            resolutions: Resolutions::default(),
        }
    }

    /// Judges a message of the peer that is about to be handled.
    ///
    /// # Errors
    ///
    /// What the peer is told before the connection ends.
    pub(crate) fn judge(
        &mut self,
        message: message::Reader<'_>,
        bytes: usize,
    ) -> capnp::Result<Verdict> {
        match message.which() {
            Ok(message::Bootstrap(bootstrap)) => self.question(bootstrap?.get_question_id(), 0, 0),
            Ok(message::Call(call)) => self.call(call, bytes),
            Ok(message::Return(answer)) => self.answer(answer, bytes),
            Ok(message::Finish(finish)) => self.finish(finish),
            Ok(message::Resolve(resolve)) => self.resolve(resolve),
            Ok(message::Release(release)) => {
                let release = release?;
                self.promised
                    .released(release.get_id(), release.get_reference_count());
                Ok(Verdict::Pass)
            }
            Ok(message::Unimplemented(sent)) => {
                self.promised.not_understood(sent?)?;
                Ok(Verdict::Pass)
            }
            _ => Ok(Verdict::Pass),
        }
    }

    /// Keeps a `Finish` until its call was answered. Returns the request that its caller gave up.
    pub(crate) fn hold(&mut self, question: u32, finish: Box<Incoming>) -> Option<usize> {
        let question = self.questions.get_mut(&question)?;
        question.finish.get_or_insert(finish);
        question.request
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

    /// Notes that a question is answered. Returns what was waiting for that.
    pub(crate) fn answered(&mut self, id: u32, answer: &Answer<'_>) -> capnp::Result<Waited> {
        let mut waited = Waited::default();
        if !self.resolutions.is_empty() {
            waited.promises = self.settled(id, answer)?;
        }
        let Some(question) = self.questions.get_mut(&id) else {
            return Ok(waited);
        };
        self.bytes -= question.bytes;
        question.bytes = 0;
        question.answered = true;
        question.request = None;
        waited.finish = question.finish.take();
        // A `Finish` that waited is judged next.
        if let Some(bytes) = answer.kept {
            question.bytes = bytes;
            question.answer = answer.says_more.then(|| Rc::clone(answer.message));
            self.bytes += bytes;
        } else {
            self.questions.remove(&id);
        }
        Ok(waited)
    }

    /// The promises that waited for an answer, and what they have become.
    #[cold]
    fn settled(&mut self, id: u32, answer: &Answer<'_>) -> capnp::Result<Vec<Settled>> {
        let waited = self.resolutions.take(id).into_iter();
        let settled = waited.map(|(promise, place)| {
            let outcome = self.outcome(promise, &place, Some(answer.message))?;
            Ok((promise, place, outcome))
        });
        settled.collect()
    }

    /// Notes that this process does not refer to an object of the peer any more.
    #[inline(never)]
    pub(crate) fn released(&mut self, import: u32) {
        self.imports.forget(import);
        self.resolutions.forget(import);
    }

    /// Notes the objects of this process that go out.
    pub(crate) fn sent(&mut self, caps: struct_list::Reader<'_, cap_descriptor::Owned>) {
        for cap in caps {
            self.sent_cap(cap);
        }
    }

    /// Notes that an object goes out, perhaps as a promise. It is one of a call that was not answered; which, is not known.
    pub(crate) fn sent_cap(&mut self, cap: cap_descriptor::Reader<'_>) {
        let questions = self.questions.values();
        let waiting = questions.filter(|question| !question.answered);
        let deepest = || waiting.map(|question| question.depth + 1).max();
        self.promised.sent(cap, || deepest().unwrap_or(0));
    }

    /// Notes that a promise of this process has become something.
    pub(crate) fn resolved(&mut self, export: u32) {
        self.promised.resolved(export);
    }

    /// Forgets everything. What was held is for the caller to drop.
    pub(crate) fn clear(&mut self) -> Vec<Option<Box<Incoming>>> {
        self.bytes = 0;
        self.resolutions.clear();
        self.questions
            .drain()
            .map(|(_, question)| question.finish)
            .collect()
    }

    #[inline(never)]
    fn call(
        &mut self,
        call: capnp::Result<call::Reader<'_>>,
        bytes: usize,
    ) -> capnp::Result<Verdict> {
        let call = call?;
        match call.get_send_results_to().which()? {
            call::send_results_to::Caller(()) => {}
            // No answer would ever be sent, so that nothing could be forgotten.
            _ => return Err(failed("Unsupported `Call.sendResultsTo`.")),
        }
        let mut depth = match call.get_target()?.which()? {
            message_target::ImportedCap(export) => self.promised.depth(export),
            message_target::PromisedAnswer(answer) => self.answer_depth(answer?),
        };
        let table = call.get_params()?.get_cap_table()?;
        for cap in table {
            depth = depth.max(match cap.which()? {
                cap_descriptor::ReceiverAnswer(answer) => self.answer_depth(answer?),
                cap_descriptor::ReceiverHosted(export) => self.promised.depth(export),
                _ => 0,
            });
        }
        let id = call.get_question_id();
        self.check_new(id)?;
        let new = self.imports.note(table)?;
        let verdict = if let Some(error) = self.imports.exceeded() {
            Verdict::Refuse(id, error)
        } else if let Some(error) = repeats(call.get_params()?.get_content(), bytes) {
            Verdict::Refuse(id, error)
        } else {
            self.question(id, depth, bytes)?
        };
        if let Verdict::Refuse(..) = verdict {
            for import in new {
                self.imports.forget(import);
            }
        }
        Ok(verdict)
    }

    /// Enters a question, unless there are too many.
    #[inline(never)]
    fn question(&mut self, id: u32, depth: u32, bytes: usize) -> capnp::Result<Verdict> {
        self.check_new(id)?;
        let limits = &self.limits;
        let exceeded = if self.questions.len() >= limits.calls_in_flight {
            Some(("calls_in_flight", limits.calls_in_flight))
        } else if self.bytes.saturating_add(bytes) > limits.request_bytes {
            Some(("request_bytes", limits.request_bytes))
        } else if depth > PIPELINE_DEPTH {
            Some(("pipelined calls", PIPELINE_DEPTH as usize))
        } else {
            None
        };
        if let Some((limit, value)) = exceeded {
            return Ok(Verdict::Refuse(id, Error::limit(limit, value)));
        }
        self.bytes += bytes;
        let question = Question {
            depth,
            bytes,
            ..Question::default()
        };
        self.questions.insert(id, question);
        Ok(Verdict::Pass)
    }

    fn check_new(&self, id: u32) -> capnp::Result<()> {
        if self.questions.contains_key(&id) {
            return Err(failed("questionId is already in use"));
        }
        Ok(())
    }

    /// How many unanswered calls a call waits for that refers to the answer of another. That may be there, and hold an object
    /// of a further one.
    fn answer_depth(&self, answer: promised_answer::Reader<'_>) -> u32 {
        match self.questions.get(&answer.get_question_id()) {
            Some(question) => question.depth + u32::from(!question.answered),
            None => 0,
        }
    }

    #[inline(never)]
    fn answer(
        &mut self,
        answer: capnp::Result<return_::Reader<'_>>,
        bytes: usize,
    ) -> capnp::Result<Verdict> {
        match answer?.which()? {
            return_::Results(results) => {
                let results = results?;
                self.imports.note(results.get_cap_table()?)?;
                self.imports.check()?;
                if let Some(error) = repeats(results.get_content(), bytes) {
                    return Err(failed(&error.to_string()));
                }
            }
            return_::TakeFromOtherQuestion(_) => {
                return Err(failed("Unsupported `Return.takeFromOtherQuestion`."));
            }
            _ => {}
        }
        Ok(Verdict::Pass)
    }

    #[inline(never)]
    fn finish(&mut self, finish: capnp::Result<finish::Reader<'_>>) -> capnp::Result<Verdict> {
        let finish = finish?;
        let id = finish.get_question_id();
        match self.questions.get(&id) {
            Some(question) if !question.answered => return Ok(Verdict::Hold(id)),
            Some(question) => {
                self.bytes -= question.bytes;
                if let Some(answer) = &question.answer
                    && finish.get_release_result_caps()
                {
                    self.promised.released_with(answer)?;
                }
                self.questions.remove(&id);
            }
            None => {}
        }
        Ok(Verdict::Pass)
    }

    /// A promise may become an object, and nothing that is or was a promise itself: so no promise leads back to itself, and
    /// there are no chains of them. A peer that is told that its `Resolve` is not understood goes on to forward the calls.
    /// One that becomes an answer becomes the object that the answer has.
    #[inline(never)]
    fn resolve(&mut self, resolve: capnp::Result<resolve::Reader<'_>>) -> capnp::Result<Verdict> {
        let resolve = resolve?;
        let resolve::Cap(cap) = resolve.which()? else {
            return Ok(Verdict::Pass);
        };
        let cap = cap?;
        match cap.which()? {
            cap_descriptor::SenderPromise(_) => Ok(Verdict::Unimplemented),
            cap_descriptor::ReceiverAnswer(answer) => {
                self.resolve_to_answer(resolve.get_promise_id(), Place::new(answer?)?)
            }
            cap_descriptor::ReceiverHosted(export) if self.promised.contains(export) => {
                Ok(Verdict::Unimplemented)
            }
            cap_descriptor::SenderHosted(_) => {
                self.imports.note_one(cap)?;
                self.imports.check()?;
                Ok(Verdict::Pass)
            }
            _ => Ok(Verdict::Pass),
        }
    }

    fn resolve_to_answer(&mut self, promise: u32, place: Place) -> capnp::Result<Verdict> {
        match self.imports.is_promise(promise) {
            Some(true) => {}
            Some(false) => return Err(failed("Got 'Resolve' for a non-promise import.")),
            // Nobody refers to it any more.
            None => return Ok(Verdict::Done),
        }
        let question = self.questions.get(&place.question);
        if question.is_some_and(|question| !question.answered) {
            self.resolutions.wait(promise, place)?;
            return Ok(Verdict::Done);
        }
        let answer = question.and_then(|question| question.answer.as_ref());
        Ok(match self.outcome(promise, &place, answer)? {
            Outcome::Settled(resolve) => Verdict::Instead(Box::new(resolve)),
            Outcome::Forwarded => Verdict::Unimplemented,
        })
    }

    fn outcome(
        &self,
        promise: u32,
        place: &Place,
        answer: Option<&Rc<dyn Output>>,
    ) -> capnp::Result<Outcome> {
        let is_object = |export| !self.promised.contains(export);
        place.outcome(promise, answer, &self.resolutions, is_object)
    }
}

fn failed(text: &str) -> capnp::Error {
    capnp::Error::failed(text.to_owned())
}

/// How many unanswered calls may wait one for the other. `capnp-rpc` nests their state, and takes it down recursively.
const PIPELINE_DEPTH: u32 = 64;
