//! Somebody in the middle who passes bytes on and notes which messages they make up.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use capnp_rpc::rpc_capnp::{cap_descriptor, message, message_target, payload, promised_answer};
use mp_conn::{ticket, ticket_index};
use multiprocess::codegen::capnp;
use multiprocess::codegen::capnp::any_pointer;
use multiprocess::codegen::capnp::private::capability::{ClientHook, PipelineOp};
use multiprocess::codegen::capnp::traits::Imbue;

use patience::{deadline, start};

/// What was said on a connection, in the order in which it was passed on.
///
/// The answer of a `makeThread` is passed on only when the next call was: so that call cannot know it, on however slow a
/// machine.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    notes: Arc<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    said: Mutex<Vec<Said>>,
    more: Condvar,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "tests look at it")]
pub struct Said {
    /// Who said it.
    pub by: End,
    /// What it says.
    pub what: What,
}

/// An end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are two ends")]
pub enum End {
    /// The end that connected.
    Client,
    /// The end that serves.
    Server,
}

/// The content of a message, as far as the scenarios care.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests match on it")]
pub enum What {
    /// Asks for the first object.
    Bootstrap {
        /// The question's number.
        question: u32,
    },
    /// A call.
    Call(Call),
    /// An answer.
    Return {
        /// The question's number.
        answer: u32,
    },
    /// An answer is not needed any more.
    Finish {
        /// The question's number.
        question: u32,
    },
    /// References are let go of.
    Release {
        /// The export of the other end.
        id: u32,
    },
    /// Anything else: the name of the message.
    Other(&'static str),
}

/// A call message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "tests look at it")]
pub struct Call {
    /// The question's number.
    pub question: u32,
    /// The object that is called.
    pub target: Target,
    /// The interface's id.
    pub interface: u64,
    /// The method's number.
    pub method: u16,
    /// The capability at the params' pointer 0, if it is one.
    pub first: Option<Cap>,
    /// The capability at pointer 0 of the struct at the params' pointer 0: `context.thread`.
    pub thread: Option<Cap>,
    /// The capability at pointer 1 of the struct at the params' pointer 0: `context.callbackThread`.
    pub callback_thread: Option<Cap>,
    /// The capability at the params' pointer 1, if it is one.
    pub second: Option<Cap>,
}

/// What a call is made on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests match on it")]
pub enum Target {
    /// An export of the other end.
    Export(u32),
    /// A result that is still to come: the question, and the path of pointer fields.
    Answer(u32, Vec<u16>),
}

/// A capability in a message, as its descriptor says it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests match on it")]
pub enum Cap {
    /// An object of the sender, by the sender's export.
    SenderHosted(u32),
    /// A promise of the sender, by the sender's export.
    SenderPromise(u32),
    /// An object of the receiver, by the receiver's export.
    ReceiverHosted(u32),
    /// A result that the receiver still owes: the question, and the path of pointer fields.
    ReceiverAnswer(u32, Vec<u16>),
    /// Null, or something that two parties do not use.
    Other,
}

impl Recorder {
    /// Two ends with a recorder between them: the client's, and the server's.
    ///
    /// # Panics
    ///
    /// When there are no sockets or threads to be had.
    #[must_use]
    pub fn between() -> (UnixStream, UnixStream, Self) {
        let (client, near) = UnixStream::pair().expect("sockets can be made");
        let (far, server) = UnixStream::pair().expect("sockets can be made");
        let recorder = Self::default();
        recorder.pass_on(End::Client, copy_of(&near), copy_of(&far));
        recorder.pass_on(End::Server, far, near);
        (client, server, recorder)
    }

    /// What was said so far.
    #[must_use]
    pub fn said(&self) -> Vec<Said> {
        self.lock().clone()
    }

    /// The calls so far, and who made them.
    #[must_use]
    pub fn calls(&self) -> Vec<(End, Call)> {
        let call = |said: Said| match said.what {
            What::Call(call) => Some((said.by, call)),
            _ => None,
        };
        self.said().into_iter().filter_map(call).collect()
    }

    fn pass_on(&self, by: End, mut from: UnixStream, mut to: UnixStream) {
        let recorder = self.clone();
        start("recorder", move || {
            while let Some((bytes, what)) = next_frame(&mut from) {
                recorder.note(by, what);
                if to.write_all(&bytes).is_err() {
                    break;
                }
            }
            // The other end may have been shut down from its side already.
            to.shutdown(Shutdown::Write).ok();
            from.shutdown(Shutdown::Read).ok();
        });
    }

    fn note(&self, by: End, what: What) {
        let said = self.lock();
        let too_early = |said: &mut Vec<Said>| answers_last_call(said, &what);
        // Passed on in the end, whatever the other side waits for.
        let waited = self
            .notes
            .more
            .wait_timeout_while(said, deadline(), too_early);
        let (mut said, _) = waited.unwrap_or_else(PoisonError::into_inner);
        said.push(Said { by, what });
        self.notes.more.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Said>> {
        self.notes
            .said
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a message answers the last call, and that is a `makeThread`.
fn answers_last_call(said: &[Said], what: &What) -> bool {
    let last = said.iter().rev().find_map(|said| match &said.what {
        What::Call(call) => Some(call),
        _ => None,
    });
    let (What::Return { answer }, Some(call)) = (what, last) else {
        return false;
    };
    (call.interface, call.question) == (THREAD_MAP, *answer)
}

/// Reads one frame: its bytes, and what it says. `None`: the stream ended.
fn next_frame(stream: &mut UnixStream) -> Option<(Vec<u8>, What)> {
    let mut bytes = vec![0; 8];
    stream.read_exact(&mut bytes).ok()?;
    let word = |bytes: &[u8], at: usize| {
        let bytes = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        u32::from_le_bytes(bytes) as usize
    };
    let segments = word(&bytes, 0) + 1;
    let header = (1 + segments).div_ceil(2) * 8;
    bytes.resize(header, 0);
    stream.read_exact(&mut bytes[8..]).ok()?;
    let words: usize = (0..segments).map(|index| word(&bytes, 4 + 4 * index)).sum();
    bytes.resize(header + words * 8, 0);
    stream.read_exact(&mut bytes[header..]).ok()?;
    let what = decode(&bytes).unwrap_or(What::Other("(malformed)"));
    Some((bytes, what))
}

fn decode(mut bytes: &[u8]) -> capnp::Result<What> {
    let options = capnp::message::ReaderOptions::new();
    let message = capnp::serialize::read_message(&mut bytes, options)?;
    Ok(match message.get_root::<message::Reader<'_>>()?.which()? {
        message::Bootstrap(bootstrap) => What::Bootstrap {
            question: bootstrap?.get_question_id(),
        },
        message::Call(call) => {
            let call = call?;
            let params = call.get_params()?;
            What::Call(Call {
                question: call.get_question_id(),
                target: target(call.get_target()?)?,
                interface: call.get_interface_id(),
                method: call.get_method_id(),
                first: capability(params, &[0])?,
                thread: capability(params, &[0, 0])?,
                callback_thread: capability(params, &[0, 1])?,
                second: capability(params, &[1])?,
            })
        }
        message::Return(answer) => What::Return {
            answer: answer?.get_answer_id(),
        },
        message::Finish(finish) => What::Finish {
            question: finish?.get_question_id(),
        },
        message::Release(release) => What::Release {
            id: release?.get_id(),
        },
        message::Resolve(_) => What::Other("Resolve"),
        message::Disembargo(_) => What::Other("Disembargo"),
        message::Abort(_) => What::Other("Abort"),
        message::Unimplemented(_) => What::Other("Unimplemented"),
        _ => What::Other("(unused)"),
    })
}

fn target(target: message_target::Reader<'_>) -> capnp::Result<Target> {
    Ok(match target.which()? {
        message_target::ImportedCap(id) => Target::Export(id),
        message_target::PromisedAnswer(answer) => {
            let (question, path) = promised(answer?)?;
            Target::Answer(question, path)
        }
    })
}

/// The capability at a path of pointer fields of the params, by its descriptor.
fn capability(params: payload::Reader<'_>, path: &[u16]) -> capnp::Result<Option<Cap>> {
    let table = params.get_cap_table()?;
    let tickets: Vec<Option<Box<dyn ClientHook>>> = (0..table.len() as usize)
        .map(|index| Some(ticket(index)))
        .collect();
    let mut content: any_pointer::Reader<'_> = params.get_content();
    content.imbue(&tickets);
    let path: Vec<PipelineOp> = path
        .iter()
        .map(|index| PipelineOp::GetPointerField(*index))
        .collect();
    // A pointer that is no capability, or null, is none.
    let Ok(hook) = content.get_pipelined_cap(&path) else {
        return Ok(None);
    };
    let Some(index) = ticket_index(hook.as_ref()) else {
        return Ok(None);
    };
    Ok(Some(match table.get(index as u32).which()? {
        cap_descriptor::SenderHosted(id) => Cap::SenderHosted(id),
        cap_descriptor::SenderPromise(id) => Cap::SenderPromise(id),
        cap_descriptor::ReceiverHosted(id) => Cap::ReceiverHosted(id),
        cap_descriptor::ReceiverAnswer(answer) => {
            let (question, path) = promised(answer?)?;
            Cap::ReceiverAnswer(question, path)
        }
        _ => Cap::Other,
    }))
}

fn promised(answer: promised_answer::Reader<'_>) -> capnp::Result<(u32, Vec<u16>)> {
    let mut path = Vec::new();
    for op in answer.get_transform()? {
        if let promised_answer::op::GetPointerField(index) = op.which()? {
            path.push(index);
        }
    }
    Ok((answer.get_question_id(), path))
}

fn copy_of(stream: &UnixStream) -> UnixStream {
    stream.try_clone().expect("descriptors can be copied")
}

const THREAD_MAP: u64 = 0xee5e_3717_9ad9_dc9d;
