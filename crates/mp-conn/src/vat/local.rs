//! Objects of this process as capabilities: what `capnp-rpc` calls when the peer does.

use std::rc::{Rc, Weak};
use std::sync::Arc;

use capnp::any_pointer;
use capnp::capability::{self, DispatchCallResult, FromServer, Promise};
use capnp::private::capability::{ClientHook, ParamsHook, PipelineOp, ResultsHook};
use capnp::{Error, ErrorKind, MessageSize};
use futures::FutureExt;
use futures::channel::oneshot;

use super::raw;
use super::shared::{Deferred, RequestSlot, Shared};
use crate::call_inside::{CallInside, Objects};
use crate::cancellation::RequestState;
use crate::inner::Inner;
use crate::object::Object;
use crate::server_call::{ServerCall, ThreadRef};

/// One object that was offered to the peer. Lives until the peer and this side let go of it.
pub(crate) struct LocalObject {
    pub(crate) object: Arc<dyn Object>,
    shared: Weak<Shared>,
    number: u64,
}

impl LocalObject {
    /// The capability for an object. The same object has the same capability as long as somebody holds it.
    ///
    /// # Errors
    ///
    /// [`LimitExceeded`](crate::Error::LimitExceeded) when there are too many.
    pub(crate) fn hook(
        shared: &Rc<Shared>,
        object: &Arc<dyn Object>,
    ) -> Result<Box<dyn ClientHook>, crate::Error> {
        let address = address(object);
        let mut locals = shared.locals.borrow_mut();
        if let Some(local) = locals.get(&address).and_then(Weak::upgrade) {
            return Ok(Box::new(Hook(local)));
        }
        if locals.len() >= shared.limits.exports {
            return Err(crate::Error::limit("exports", shared.limits.exports));
        }
        let number = shared.next_object.get();
        shared.next_object.set(number + 1);
        let local = Rc::new(Self {
            object: Arc::clone(object),
            shared: Rc::downgrade(shared),
            number,
        });
        locals.insert(address, Rc::downgrade(&local));
        Ok(Box::new(Hook(local)))
    }

    fn call(
        self: &Rc<Self>,
        interface_id: u64,
        ordinal: u16,
        params: Box<dyn ParamsHook>,
        results: Box<dyn ResultsHook>,
    ) -> Promise<(), Error> {
        let Some(shared) = self.shared.upgrade() else {
            return Promise::err(disconnected());
        };
        let Some(connection) = shared.connection.upgrade() else {
            return Promise::err(disconnected());
        };
        if shared.closed.get() {
            return Promise::err(disconnected());
        }
        if shared.requests.borrow().len() >= shared.limits.calls_in_flight {
            return Promise::err(
                crate::Error::limit("calls_in_flight", shared.limits.calls_in_flight).to_wire(),
            );
        }
        shared.current_call.set(None);
        let content = params.get();
        // A call without a message is this process's own, on an object of its own that came home.
        let message = shared.current_call.take();
        let at_home = message.is_none();
        let (question, lendable) = message.map_or((None, None), |message| {
            (Some(message.question), message.lendable)
        });
        let method = (interface_id, ordinal);
        if let Ok(content) = content
            && let Some(answer) = self.answer_inside(&connection, &shared, method, content)
        {
            let answered = answer.and_then(|objects| put(objects, results, &shared));
            drop(params);
            return match answered {
                Ok(()) => Promise::ok(()),
                Err(error) => Promise::err(error.to_wire()),
            };
        }
        let (caller, thread) = match self.object.context_field(interface_id, ordinal) {
            None => (None, Thread::Known(ThreadRef::NotMapped)),
            Some(field) => threads(&shared, content, field, at_home),
        };
        let (done, answer) = oneshot::channel();
        let state = Arc::new(RequestState::default());
        let key = shared.requests.borrow_mut().insert(RequestSlot {
            params,
            results,
            done,
            state: Arc::clone(&state),
            lendable,
        });
        if let Some(question) = question
            && shared.inbox.borrow_mut().ledger.assign(question, key)
        {
            shared.defer(Deferred::Cancel(Arc::clone(&state)));
        }
        let call = ServerCall::new(connection, key, interface_id, ordinal, state).by(caller);
        match thread {
            Thread::Known(thread) => self.dispatch(&shared, call.on(thread)),
            Thread::Promised(promised) => {
                shared.spawn(resolve_thread(Rc::clone(self), promised, call));
            }
        }
        Promise::from_future(async move { answer.await.unwrap_or_else(|_| Err(disconnected())) })
    }

    #[inline(never)]
    fn answer_inside(
        &self,
        connection: &Arc<Inner>,
        shared: &Rc<Shared>,
        (interface_id, ordinal): (u64, u16),
        params: any_pointer::Reader<'_>,
    ) -> Option<Result<Objects, crate::Error>> {
        self.object.answer_inside(&CallInside {
            connection,
            shared,
            interface_id,
            ordinal,
            params,
        })
    }

    fn dispatch(&self, shared: &Shared, call: ServerCall) {
        shared
            .dispatches
            .borrow_mut()
            .push((Arc::clone(&self.object), call));
    }
}

impl Drop for LocalObject {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            let address = address(&self.object);
            let mut locals = shared.locals.borrow_mut();
            // A new capability for the same object may have taken the place of this one.
            if locals
                .get(&address)
                .is_some_and(|local| local.strong_count() == 0)
            {
                locals.remove(&address);
            }
            shared.defer(Deferred::Drop(self.number, Arc::clone(&self.object)));
        }
    }
}

impl Shared {
    fn thread(&self, hook: Box<dyn ClientHook>) -> Thread {
        let hook = Self::resolved(hook);
        if let Some(object) = self.local_object(hook.as_ref()) {
            return Thread::Known(ThreadRef::Local(object));
        }
        match hook.when_more_resolved() {
            Some(resolution) => Thread::Promised(Promised {
                _hook: hook,
                resolution,
            }),
            None => {
                let broken = self.broken(hook.as_ref());
                Thread::Known(broken.map_or(ThreadRef::Foreign, ThreadRef::Broken))
            }
        }
    }

    /// The error of a promise that broke, which is a capability that fails every call at once.
    pub(crate) fn broken(&self, hook: &dyn ClientHook) -> Option<Error> {
        // What is the peer's has a brand, and must not be called; nor must an object.
        if hook.get_brand() != 0 || self.local_object(hook).is_some() {
            return None;
        }
        let probe = hook.new_call(0, 0, None).send();
        probe.promise.now_or_never()?.err()
    }
}

/// Puts objects into results.
#[inline(never)]
fn put(
    objects: Objects,
    mut results: Box<dyn ResultsHook>,
    shared: &Rc<Shared>,
) -> Result<(), crate::Error> {
    for object in objects {
        let put = results
            .get()
            .map_err(crate::Error::from)
            .and_then(|results| raw::put_object(results, &object, shared));
        if put.is_err() {
            // The peer never gets it.
            shared.defer(Deferred::Drop(0, object.1));
            return put;
        }
    }
    Ok(())
}

/// The identity of the thread that makes a call, and the thread that the call asks for.
///
/// `ImportClient`s live as long as the params that refer to them, and their addresses are who they are. A call at home names
/// the peer's thread, which is no use here, and its own for callbacks: there it runs, as if it had never left.
fn threads(
    shared: &Shared,
    content: capnp::Result<any_pointer::Reader<'_>>,
    field: u16,
    at_home: bool,
) -> (Option<usize>, Thread) {
    let capability = |index| {
        let path = [field, index].map(PipelineOp::GetPointerField);
        content.clone()?.get_pipelined_cap(&path)
    };
    let callback_thread = capability(CONTEXT_CALLBACK_THREAD);
    let caller = callback_thread.as_ref().ok();
    let caller = caller.map(|hook| Shared::resolved(hook.add_ref()).get_ptr());
    let thread = if at_home {
        callback_thread
    } else {
        capability(CONTEXT_THREAD)
    };
    let thread = match thread {
        Ok(hook) => shared.thread(hook),
        Err(error) if error.kind == ErrorKind::MessageContainsNullCapabilityPointer => {
            Thread::Known(ThreadRef::Unspecified)
        }
        Err(error) => Thread::Known(ThreadRef::Broken(error)),
    };
    (caller, thread)
}

/// What is known of the thread that a call asks for.
enum Thread {
    Known(ThreadRef),
    /// A promise, such as the answer of a `makeThread` that is still under way.
    Promised(Promised),
}

/// A promise of a thread, and what comes of it. Asked for as soon as the promise is seen: it never comes when the promise
/// has resolved before that.
struct Promised {
    _hook: Box<dyn ClientHook>,
    resolution: Promise<Box<dyn ClientHook>, Error>,
}

async fn resolve_thread(local: Rc<LocalObject>, mut promised: Promised, call: ServerCall) {
    let thread = loop {
        let resolved = promised.resolution.await;
        let Some(shared) = local.shared.upgrade() else {
            return;
        };
        match resolved.map(|hook| shared.thread(hook)) {
            Ok(Thread::Known(thread)) => break thread,
            Ok(Thread::Promised(next)) => promised = next,
            Err(error) => break ThreadRef::Broken(error),
        }
    };
    if let Some(shared) = local.shared.upgrade() {
        local.dispatch(&shared, call.on(thread));
    }
}

/// A reference to a local object, as `capnp-rpc` sees it.
#[derive(Clone)]
struct Hook(Rc<LocalObject>);

impl ClientHook for Hook {
    fn add_ref(&self) -> Box<dyn ClientHook> {
        Box::new(self.clone())
    }

    fn new_call(
        &self,
        interface_id: u64,
        method_id: u16,
        size_hint: Option<MessageSize>,
    ) -> capability::Request<any_pointer::Owned, any_pointer::Owned> {
        // A call of this process on its own object, which came home: `capnp-rpc` has the request for that.
        let client: Client = capnp_rpc::new_client_from_rc(Rc::clone(&self.0));
        client.0.new_call(interface_id, method_id, size_hint)
    }

    fn call(
        &self,
        interface_id: u64,
        method_id: u16,
        params: Box<dyn ParamsHook>,
        results: Box<dyn ResultsHook>,
    ) -> Promise<(), Error> {
        self.0.call(interface_id, method_id, params, results)
    }

    fn get_brand(&self) -> usize {
        0
    }

    fn get_ptr(&self) -> usize {
        address(&self.0.object)
    }

    fn get_resolved(&self) -> Option<Box<dyn ClientHook>> {
        None
    }

    fn when_more_resolved(&self) -> Option<Promise<Box<dyn ClientHook>, Error>> {
        None
    }

    fn when_resolved(&self) -> Promise<(), Error> {
        Promise::ok(())
    }
}

/// The untyped client that `capnp_rpc::new_client_from_rc` wants.
struct Client(Box<dyn ClientHook>);

impl capability::FromClientHook for Client {
    fn new(hook: Box<dyn ClientHook>) -> Self {
        Self(hook)
    }

    fn into_client_hook(self) -> Box<dyn ClientHook> {
        self.0
    }

    fn as_client_hook(&self) -> &dyn ClientHook {
        self.0.as_ref()
    }
}

impl FromServer<LocalObject> for Client {
    type Dispatch = Dispatch;

    fn from_server(server: Rc<LocalObject>) -> Dispatch {
        Dispatch(server)
    }
}

#[derive(Clone)]
struct Dispatch(Rc<LocalObject>);

impl std::ops::Deref for Dispatch {
    type Target = LocalObject;

    fn deref(&self) -> &LocalObject {
        &self.0
    }
}

impl capability::Server for Dispatch {
    fn dispatch_call(
        self,
        interface_id: u64,
        method_id: u16,
        params: capability::Params<any_pointer::Owned>,
        results: capability::Results<any_pointer::Owned>,
    ) -> DispatchCallResult {
        DispatchCallResult::new(
            self.0
                .call(interface_id, method_id, params.hook, results.hook),
            false,
        )
    }

    fn as_ptr(&self) -> usize {
        address(&self.0.object)
    }
}

fn address(object: &Arc<dyn Object>) -> usize {
    Arc::as_ptr(object).cast::<()>() as usize
}

fn disconnected() -> Error {
    Error::disconnected("Interrupted by disconnect".to_owned())
}

/// The index of `Context.thread` among the struct's pointers.
const CONTEXT_THREAD: u16 = 0;
/// The index of `Context.callbackThread`.
const CONTEXT_CALLBACK_THREAD: u16 = 1;
