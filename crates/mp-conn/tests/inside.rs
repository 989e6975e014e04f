//! Objects that answer where a call is read: what follows finds the answer, and failures and limits are told as ever.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod util;

use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};

use capnp_rpc::rpc_capnp::{call, message_target};
use mp_conn::{CallInside, Error, EventLoop, Limits, Object, Objects, ServerCall, serve};

use crate::util::raw::{Answer, ECHO, GIVE_BACK, MAKE, Raw, exceeded};
use crate::util::{limits, within_deadline};

/// Answers [`MAKE`] inside with an object like itself, fails [`GIVE_BACK`] there, and takes other calls.
#[derive(Clone, Default)]
struct Prompt {
    taken: Arc<Mutex<Vec<u16>>>,
}

impl Object for Prompt {
    fn context_field(&self, _interface_id: u64, _ordinal: u16) -> Option<u16> {
        None
    }

    fn answer_inside(&self, call: &CallInside<'_>) -> Option<Result<Objects, Error>> {
        match call.ordinal() {
            MAKE => Some(Ok(vec![(0, Arc::new(self.clone()))])),
            GIVE_BACK => Some(Err(Error::failed("not now"))),
            _ => None,
        }
    }

    fn call(&self, call: ServerCall) {
        self.taken.lock().unwrap().push(call.ordinal());
        call.reply(&[], |_| Ok(())).unwrap();
    }
}

/// A peer that has sent all it wants before it is served, and what it is served.
fn served(limits: Limits, ask: impl FnOnce(&mut Raw)) -> (EventLoop, Prompt, Raw) {
    let event_loop = EventLoop::new("server").unwrap();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut raw = Raw::new(ours);
    raw.send(|message| message.init_bootstrap().set_question_id(0));
    ask(&mut raw);
    let prompt = Prompt::default();
    serve(&event_loop, theirs, Arc::new(prompt.clone()), limits).unwrap();
    assert_eq!(raw.answer(), (0, Answer::Results(1)));
    (event_loop, prompt, raw)
}

/// Directs a call at the first object of the answer to a question.
fn at_answer(mut call: call::Builder<'_>, question: u32) {
    let target: message_target::Builder<'_> = call.reborrow().init_target();
    let mut answer = target.init_promised_answer();
    answer.set_question_id(question);
    answer.init_transform(1).get(0).set_get_pointer_field(0);
}

#[test]
fn an_answer_is_there_for_what_follows() {
    within_deadline(|| {
        let (_event_loop, prompt, mut raw) = served(Limits::default(), |raw| {
            raw.call(1, MAKE);
            raw.call_with(2, MAKE, |call| at_answer(call, 1));
            raw.call_with(3, ECHO, |call| at_answer(call, 2));
        });
        assert_eq!(raw.answer(), (1, Answer::Results(1)));
        assert_eq!(raw.answer(), (2, Answer::Results(1)));
        assert_eq!(raw.answer(), (3, Answer::Results(0)));
        assert_eq!(*prompt.taken.lock().unwrap(), [ECHO]);
    });
}

#[test]
fn a_failure_is_told_and_the_next_call_works() {
    within_deadline(|| {
        let (_event_loop, prompt, mut raw) = served(Limits::default(), |raw| {
            raw.call(1, GIVE_BACK);
            raw.call(2, ECHO);
        });
        let failure = "std::exception: not now".to_owned();
        assert_eq!(raw.answer(), (1, Answer::Exception(failure)));
        assert_eq!(raw.answer(), (2, Answer::Results(0)));
        assert_eq!(*prompt.taken.lock().unwrap(), [ECHO]);
    });
}

#[test]
fn objects_beyond_the_limit_are_refused() {
    within_deadline(|| {
        let few = limits(|limits| limits.exports = 2);
        let (_event_loop, _prompt, mut raw) = served(few, |raw| {
            raw.call(1, MAKE);
            raw.call(2, MAKE);
        });
        assert_eq!(raw.answer(), (1, Answer::Results(1)));
        assert_eq!(raw.answer(), (2, exceeded("exports", 2)));
        // With room again, the next one comes.
        raw.finish_and_release(1);
        raw.call(3, MAKE);
        assert_eq!(raw.answer(), (3, Answer::Results(1)));
    });
}
