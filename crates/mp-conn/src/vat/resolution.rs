//! Promises of the peer that it resolves to an answer of this process, such as that of a `makeThread` under way.
//!
//! `capnp-rpc` is not told of the answer, which may hold the promise itself: it would go around in circles. Instead the promise
//! waits until the answer is there, and then becomes what the answer has in that place.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use capnp::message::{Builder, HeapAllocator};
use capnp::private::capability::{ClientHook, PipelineOp};
use capnp::traits::Imbue;
use capnp_rpc::rpc_capnp::{cap_descriptor, message, payload, promised_answer, resolve, return_};

use super::inbox::{Incoming, small_message};
use super::outgoing::Output;
use crate::message::{ticket, ticket_index};

/// Promises that wait for answers.
#[derive(Default)]
pub(crate) struct Resolutions {
    /// By the peer's number of the promise: a promise waits once at most.
    waiting: HashMap<u32, Place>,
    /// The same promises, by the question whose answer they wait for.
    by_question: HashMap<u32, HashSet<u32>>,
    /// What stands for the capabilities of an answer while one of them is looked for: made once, for the largest table.
    tickets: RefCell<Vec<Option<Box<dyn ClientHook>>>>,
}

/// An object in an answer of this process.
pub(crate) struct Place {
    /// The peer's number of the call.
    pub(crate) question: u32,
    /// Pointer fields of the results.
    path: Vec<u16>,
}

/// What has become of a promise.
pub(crate) enum Outcome {
    /// An object of this process, or a failure: a `Resolve` that says so.
    Settled(Builder<HeapAllocator>),
    /// Something that is not this process's: the peer is told that its `Resolve` is not understood, and goes on to forward calls.
    Forwarded,
}

/// An answer that goes out.
pub(crate) struct Answer<'a> {
    pub(crate) message: &'a Rc<dyn Output>,
    /// The answer's size in bytes, if the peer may refer to it until it finishes the question.
    pub(crate) kept: Option<usize>,
    /// There are objects in it, or it is a failure.
    pub(crate) says_more: bool,
}

/// What waited for an answer.
#[derive(Default)]
pub(crate) struct Waited {
    /// The question's `Finish`, if that came already.
    pub(crate) finish: Option<Box<Incoming>>,
    /// Promises that were resolved to something in it, and what they have become.
    pub(crate) promises: Vec<Settled>,
}

/// A promise of the peer's that waited, by its number, and what it has become.
pub(crate) type Settled = (u32, Place, Outcome);

impl Waited {
    /// Whether nothing did.
    pub(crate) fn is_empty(&self) -> bool {
        self.finish.is_none() && self.promises.is_empty()
    }
}

impl Resolutions {
    /// Has a promise wait for an answer.
    ///
    /// # Errors
    ///
    /// When it does already.
    pub(crate) fn wait(&mut self, promise: u32, place: Place) -> capnp::Result<()> {
        let promises = self.by_question.entry(place.question).or_default();
        promises.insert(promise);
        match self.waiting.insert(promise, place) {
            None => Ok(()),
            Some(_) => Err(failed("A promise is resolved twice.")),
        }
    }

    /// Forgets a promise that nobody refers to any more.
    pub(crate) fn forget(&mut self, promise: u32) {
        let Some(place) = self.waiting.remove(&promise) else {
            return;
        };
        if let Some(promises) = self.by_question.get_mut(&place.question) {
            promises.remove(&promise);
            if promises.is_empty() {
                self.by_question.remove(&place.question);
            }
        }
    }

    /// Whether no promise waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes the promises that wait for an answer.
    pub(crate) fn take(&mut self, question: u32) -> Vec<(u32, Place)> {
        let promises = self.by_question.remove(&question).into_iter().flatten();
        promises
            .filter_map(|promise| self.waiting.remove_entry(&promise))
            .collect()
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The number of the capability that stands in a place of results, in their table. `None`: there is none.
    fn find(&self, place: &Place, results: payload::Reader<'_>) -> capnp::Result<Option<u32>> {
        let count = results.get_cap_table()?.len() as usize;
        let mut tickets = self.tickets.borrow_mut();
        for index in tickets.len()..count {
            tickets.push(Some(ticket(index)));
        }
        let mut content = results.get_content();
        content.imbue(&tickets);
        let path: Vec<PipelineOp> = crate::capability::pipeline_ops(&place.path);
        // A pointer that is no capability is as good as none, and so is one beyond the table.
        let found = content.get_pipelined_cap(&path).ok();
        let index = found.and_then(|hook| ticket_index(hook.as_ref()));
        Ok(index
            .filter(|index| *index < count)
            .map(|index| index as u32))
    }
}

impl Place {
    /// # Errors
    ///
    /// When the path is longer than any message is deep.
    pub(crate) fn new(promised: promised_answer::Reader<'_>) -> capnp::Result<Self> {
        let transform = promised.get_transform()?;
        if transform.len() > MAX_PATH {
            return Err(failed("The transform of a promised answer is too long."));
        }
        let mut path = Vec::new();
        for op in transform {
            match op.which()? {
                promised_answer::op::Noop(()) => {}
                promised_answer::op::GetPointerField(index) => path.push(index),
            }
        }
        Ok(Self {
            question: promised.get_question_id(),
            path,
        })
    }

    /// What becomes of a promise that was resolved to this place, now that the answer was sent. `answer`: `None` where it has
    /// no objects, or is not known. `is_object` tells exports that are objects from those that are promises.
    pub(crate) fn outcome(
        &self,
        promise: u32,
        answer: Option<&Rc<dyn Output>>,
        resolutions: &Resolutions,
        is_object: impl Fn(u32) -> bool,
    ) -> capnp::Result<Outcome> {
        let mut settled = small_message();
        let mut resolve = start_resolve(&mut settled, promise);
        let Some(answer) = answer else {
            set_broken(resolve, NULL);
            return Ok(Outcome::Settled(settled));
        };
        let message::Return(answer) = answer.root()?.which()? else {
            return Err(failed("an answer that is none"));
        };
        match answer?.which()? {
            return_::Results(results) => {
                let results = results?;
                let table = results.get_cap_table()?;
                match resolutions
                    .find(self, results)?
                    .map(|index| table.get(index).which())
                {
                    Some(Ok(cap_descriptor::SenderHosted(export))) if is_object(export) => {
                        resolve.init_cap().set_receiver_hosted(export);
                    }
                    None | Some(Ok(cap_descriptor::None(()))) => {
                        set_broken(resolve, NULL);
                    }
                    Some(_) => return Ok(Outcome::Forwarded),
                }
            }
            return_::Exception(exception) => resolve.set_exception(exception?)?,
            _ => set_broken(resolve, "the call was canceled"),
        }
        Ok(Outcome::Settled(settled))
    }

    /// The peer's own message, as it is told that it was not understood.
    pub(crate) fn unimplemented(&self, promise: u32) -> Builder<HeapAllocator> {
        let mut message = small_message();
        let root = message.init_root::<message::Builder<'_>>();
        let mut resolve = root.init_unimplemented().init_resolve();
        resolve.set_promise_id(promise);
        let mut answer = resolve.init_cap().init_receiver_answer();
        answer.set_question_id(self.question);
        let mut transform = answer.init_transform(self.path.len() as u32);
        for (place, index) in (0..).zip(&self.path) {
            transform
                .reborrow()
                .get(place)
                .set_get_pointer_field(*index);
        }
        message
    }
}

fn start_resolve(message: &mut Builder<HeapAllocator>, promise: u32) -> resolve::Builder<'_> {
    let mut resolve = message.init_root::<message::Builder<'_>>().init_resolve();
    resolve.set_promise_id(promise);
    resolve
}

fn set_broken(resolve: resolve::Builder<'_>, reason: &str) {
    resolve.init_exception().set_reason(reason);
}

fn failed(text: &str) -> capnp::Error {
    capnp::Error::failed(text.to_owned())
}

/// What `capnp-rpc` and its kin say of a capability that is not there.
const NULL: &str = "Called null capability.";
/// No message is nested deeper, unless a limit was raised.
const MAX_PATH: u32 = 64;
