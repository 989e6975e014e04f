//! What raw clients say: requests whose contexts are written by hand.

use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::Arc;

use mp_conn::proxy_capnp::{context, thread, thread_map};
use multiprocess::Connection;
use multiprocess::codegen::capnp;

use crate::pair::event_loop;
use crate::party::PartyObject;
use crate::scenarios::Party;
use crate::scenarios_capnp::{callback, party};

/// A served object, and the client's end of the connection.
#[must_use]
pub fn served() -> (Arc<PartyObject>, UnixStream, Connection) {
    let object = PartyObject::new();
    let (ours, theirs) = UnixStream::pair().expect("sockets can be made");
    let served: Arc<dyn Party> = Arc::<PartyObject>::clone(&object);
    let server = multiprocess::serve(&event_loop("server"), theirs, served).expect("it is served");
    (object, ours, server)
}

/// Asks for the server's thread map, and offers none.
pub async fn thread_map_of(party: &party::Client) -> thread_map::Client {
    let answer = party.init_thread_map_request().send().promise.await;
    let answer = answer.expect("thread maps are exchanged");
    let results = answer.get().expect("the answer can be read");
    results.get_thread_map().expect("there is a thread map")
}

/// Makes a thread, which can be used before it is there.
#[must_use]
pub fn make_thread(map: &thread_map::Client, name: &str) -> thread::Client {
    let mut request = map.make_thread_request();
    request.get().set_name(name);
    request.send().pipeline.get_result()
}

/// Makes the pool.
///
/// # Errors
///
/// The server's.
pub async fn make_pool(map: &thread_map::Client, count: u32) -> capnp::Result<()> {
    let mut request = map.make_pool_request();
    request.get().set_count(count);
    request.send().promise.await.map(drop)
}

/// A thread's name.
pub async fn name_of(thread: &thread::Client) -> String {
    let answer = thread.get_name_request().send().promise.await;
    let answer = answer.expect("threads have names");
    let results = answer.get().expect("the answer can be read");
    let name = results.get_result().expect("the name can be read");
    name.to_string().expect("the name is text")
}

/// Fills a context.
pub fn fill(
    mut context: context::Builder<'_>,
    thread: Option<&thread::Client>,
    callback_thread: Option<&thread::Client>,
) {
    if let Some(thread) = thread {
        context.set_thread(thread.clone());
    }
    if let Some(callback_thread) = callback_thread {
        context.set_callback_thread(callback_thread.clone());
    }
}

/// Calls `callIntFn`, which goes out at once.
pub fn call_int_fn(
    party: &party::Client,
    arg: i32,
    thread: Option<&thread::Client>,
    callback_thread: Option<&thread::Client>,
) -> impl Future<Output = capnp::Result<i32>> + use<> {
    let mut request = party.call_int_fn_request();
    request.get().set_arg(arg);
    fill(request.get().init_context(), thread, callback_thread);
    let promise = request.send().promise;
    async move { Ok(promise.await?.get()?.get_result()) }
}

/// Calls `add`, which has no context: 1 and 2.
pub async fn add(party: &party::Client) -> i32 {
    let mut request = party.add_request();
    request.get().set_a(1);
    request.get().set_b(2);
    let answer = request.send().promise.await.expect("the connection lives");
    answer.get().expect("the answer can be read").get_result()
}

/// The text that the server sent.
#[must_use]
pub fn failure(error: &capnp::Error) -> String {
    let text = error.extra.trim_start_matches("remote exception: ");
    text.to_owned()
}

/// Something that is offered as a thread, and is none of the server's.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests make them")]
pub struct NoThread;

impl thread::Server for NoThread {}

/// A callback whose method calls the server again before it answers.
#[expect(missing_debug_implementations, reason = "clients cannot be shown")]
#[expect(clippy::exhaustive_structs, reason = "tests make them")]
pub struct CallsBack {
    /// Who is called again.
    pub party: party::Client,
    /// The thread that the calls name.
    pub thread: Option<thread::Client>,
}

impl callback::Server for CallsBack {
    async fn call(
        self: Rc<Self>,
        params: callback::CallParams,
        mut results: callback::CallResults,
    ) -> capnp::Result<()> {
        let arg = params.get()?.get_arg();
        let result = call_int_fn(&self.party, arg, self.thread.as_ref(), None).await?;
        results.get().set_result(result);
        Ok(())
    }

    async fn destroy(
        self: Rc<Self>,
        _params: callback::DestroyParams,
        _results: callback::DestroyResults,
    ) -> capnp::Result<()> {
        Ok(())
    }
}
