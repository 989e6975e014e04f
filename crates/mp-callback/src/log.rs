//! What a call says in the log, with the C++ library's texts and levels. Nothing is formatted when nobody listens.

use std::sync::Arc;
use std::task::{Wake, Waker};

use mp_conn::{Connection, Error, ServerCall};
use mp_thread::thread_name;
use tracing::Level;
use tracing::level_filters::LevelFilter;

use crate::Method;

/// Whether the log is told of each call. Asks no subscriber.
pub(crate) fn tells_of_calls() -> bool {
    LevelFilter::current() >= Level::DEBUG
}

#[inline(never)]
pub(crate) fn sending_request(connection: &Connection, method: &Method) {
    tracing::debug!(target: "ipc", "{{{}}} IPC client send {}.{}$Params",
        name(connection), method.interface, method.name);
}

#[inline(never)]
pub(crate) fn received_response(connection: &Connection, method: &Method, error: Option<&Error>) {
    match error {
        None => tracing::debug!(target: "ipc", "{{{}}} IPC client recv {}.{}$Results",
            name(connection), method.interface, method.name),
        Some(error) => {
            tracing::info!(target: "ipc", "{{{}}} IPC client exception kj::Exception: {error}",
                name(connection));
        }
    }
}

#[inline(never)]
pub(crate) fn received_request(call: &ServerCall, request: u64, method: &Method) {
    tracing::debug!(target: "ipc", "{{{}}} IPC server recv request  #{request} {}.{}$Params",
        name(&call.connection()), method.interface, method.name);
}

#[inline(never)]
pub(crate) fn executing(call: &ServerCall, request: u64) {
    tracing::debug!(target: "ipc", "{{{}}} IPC server executing request #{request}",
        name(&call.connection()));
}

#[inline(never)]
pub(crate) fn sent_response(connection: &Connection, request: u64, method: &Method) {
    tracing::debug!(target: "ipc", "{{{}}} IPC server send response #{request} {}.{}$Results",
        name(connection), method.interface, method.name);
}

#[inline(never)]
pub(crate) fn uncaught(connection: &Connection, request: u64, error: &Error) {
    tracing::error!(target: "ipc", "{{{}}} IPC server request #{request} uncaught exception ({error})",
        name(connection));
}

#[inline(never)]
pub(crate) fn canceled_before(call: &ServerCall, request: u64) {
    tracing::info!(target: "ipc", "{{{}}} IPC server request #{request} canceled before it could be executed",
        name(&call.connection()));
}

/// Says that a method ran, and that its caller gave up or went away meanwhile.
#[inline(never)]
pub(crate) fn interrupted(connection: &Connection, request: u64) {
    tracing::info!(target: "ipc", "{{{}}} IPC server request #{request} interrupted (canceled): nobody waits for its answer",
        name(connection));
}

#[inline(never)]
pub(crate) fn destroying(interface: &str) {
    tracing::debug!(target: "ipc", "IPC client destroy {interface}");
}

/// Says that an object could not be destroyed, unless it is gone with its connection.
#[inline(never)]
pub(crate) fn destroy_failed(error: &Error) {
    if error.is_disconnected() {
        return;
    }
    tracing::warn!(target: "ipc", "Remote destroy call failed during cleanup. Continuing. ({error})");
}

/// Reports when the caller gives up while the method runs, as long as the guard is there.
#[inline(never)]
pub(crate) fn watch_cancellation(call: &ServerCall, request: u64) -> Option<Arc<Watch>> {
    if !tracing::enabled!(target: "ipc", Level::INFO) {
        return None;
    }
    let watch = Arc::new(Watch { request });
    // The waker does not keep the guard: what was reported late would be wrong.
    let weak = Arc::new(WeakWatch(Arc::downgrade(&watch)));
    call.cancellation().wake_on_cancel(&Waker::from(weak));
    Some(watch)
}

/// A running method whose caller may give up.
pub(crate) struct Watch {
    request: u64,
}

struct WeakWatch(std::sync::Weak<Watch>);

impl Wake for WeakWatch {
    fn wake(self: Arc<Self>) {
        if let Some(watch) = self.0.upgrade() {
            tracing::info!(target: "ipc", "IPC server request #{} canceled while executing.", watch.request);
        }
    }
}

fn name(connection: &Connection) -> Arc<str> {
    thread_name(connection.event_loop().name())
}
