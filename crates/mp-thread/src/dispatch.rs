//! Which thread a call of the peer runs on.

use std::any::Any;
use std::sync::Arc;

use mp_conn::{Connection, Error, ServerCall, ThreadRef};

use crate::callback_thread::CallbackThread;
use crate::job::{Job, Runner};
use crate::pool::PoolName;
use crate::shared_threads::SharedThreads;
use crate::thread_map::ThreadState;
use crate::thread_object::ThreadObject;

/// What a call wants of its thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Need {
    /// The thread that it names, or the pool.
    Named,
    /// Any thread, if the one that it names is not to be had: an object's end must not get lost.
    Any,
}

/// Moves a call to the thread that is to run it, and runs it there. The number is the request's, for the log.
///
/// The calling thread does not wait. Calls for one thread start in the order in which they come here.
pub fn dispatch(
    call: ServerCall,
    request: u64,
    need: Need,
    run: impl FnOnce(ServerCall) + Send + 'static,
) {
    let run: Runner = Box::new(run);
    match call.thread().clone() {
        ThreadRef::NotMapped => {
            let event_loop = call.connection().event_loop().clone();
            event_loop.post(move || run(call));
        }
        ThreadRef::Local(object) => {
            let object: Arc<dyn Any + Send + Sync> = object;
            if object.is::<CallbackThread>() {
                to_callback_pool(call, request, run);
                return;
            }
            match object.downcast::<ThreadObject>() {
                Ok(thread) => to_thread(&thread, call, request, need, run),
                Err(object) => match object.downcast::<SharedThreads>() {
                    Ok(threads) => to_shared_threads(&threads, call, request, run),
                    Err(_) => refuse(call, request, need, run, Refusal::Foreign),
                },
            }
        }
        ThreadRef::Unspecified => to_pool(call, request, need, run),
        ThreadRef::Foreign => refuse(call, request, need, run, Refusal::Foreign),
        ThreadRef::Broken(error) => refuse(call, request, need, run, Refusal::Broken(error)),
        _ => refuse(call, request, need, run, Refusal::Foreign),
    }
}

fn to_thread(thread: &ThreadObject, call: ServerCall, request: u64, need: Need, run: Runner) {
    tracing::debug!(target: "ipc", "{{{}}} IPC server post request  #{request} {{{}}}",
        call.connection().event_loop().name(), thread.started_name());
    let job = Job::new(call, thread.is_caller(), run);
    let job = match need {
        Need::Named => job,
        Need::Any => job.anywhere(),
    };
    match thread.post(job) {
        Ok(moved) => run_elsewhere(moved),
        Err(job) => {
            let (call, run) = job.into_parts();
            refuse(call, request, need, run, Refusal::Ended);
        }
    }
}

/// Runs jobs whose thread does not wait for them on a pool: the ends of objects that a call borrowed which was given up.
pub(crate) fn run_elsewhere(jobs: Vec<Job>) {
    for job in jobs {
        let connection = job.connection();
        if let Err(job) = ThreadState::of(&connection).post_callback(&connection, job) {
            // No thread could be made: the call fails, and what it holds is dropped where that may wait.
            connection.event_loop().post_cleanup(move || drop(job));
        }
    }
}

fn to_pool(call: ServerCall, request: u64, need: Need, run: Runner) {
    let connection = call.connection();
    let state = ThreadState::of(&connection);
    let posted = state
        .post_to_pool(Job::new(call, false, run))
        .or_else(|job| {
            // At this end of a connection that this process opened, all objects are callbacks: they run in any case.
            if connection.is_server() && need == Need::Named {
                Err(job)
            } else {
                state.post_callback(&connection, job)
            }
        });
    posted_to_pool(posted, &connection, request);
}

fn to_shared_threads(
    threads: &Arc<SharedThreads>,
    mut call: ServerCall,
    request: u64,
    run: Runner,
) {
    let connection = call.connection();
    tracing::debug!(target: "ipc", "{{{}}} IPC server post request  #{request} {{async}}", connection.event_loop().name());
    call.answer_in_batches();
    threads.post(&connection, Job::new(call, false, run));
}

fn to_callback_pool(call: ServerCall, request: u64, run: Runner) {
    let connection = call.connection();
    let job = Job::new(call, false, run);
    let posted = ThreadState::of(&connection).post_callback(&connection, job);
    posted_to_pool(posted, &connection, request);
}

fn posted_to_pool(posted: Result<PoolName, Job>, connection: &Connection, request: u64) {
    match posted {
        Ok(name) => {
            tracing::debug!(target: "ipc", "{{{}}} IPC server post request  #{request} {{{}}}",
                connection.event_loop().name(), name.wait());
        }
        Err(job) => {
            let (call, _) = job.into_parts();
            fail(
                call,
                request,
                &Error::failed("no thread specified and no pool configured"),
            );
        }
    }
}

enum Refusal {
    /// The capability is no thread of this process.
    Foreign,
    /// The promise of a thread broke.
    Broken(capnp::Error),
    /// The thread has ended.
    Ended,
}

fn refuse(call: ServerCall, request: u64, need: Need, run: Runner, refusal: Refusal) {
    if need == Need::Any {
        return to_pool(call, request, need, run);
    }
    match refusal {
        Refusal::Foreign => fail(call, request, &Error::failed("invalid thread handle")),
        Refusal::Ended => fail(call, request, &Error::failed("the thread has ended")),
        Refusal::Broken(mut error) => {
            // The reason goes back to the one whose promise it was, as it came.
            if let Some(reason) = error.extra.strip_prefix("remote exception: ") {
                error.extra = reason.to_owned();
            }
            tracing::error!(target: "ipc", "IPC server error request #{request} {error}");
            call.fail_with(error);
        }
    }
}

fn fail(call: ServerCall, request: u64, error: &Error) {
    tracing::error!(target: "ipc", "IPC server error request #{request} {error}");
    call.fail(error);
}
