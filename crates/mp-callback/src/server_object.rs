//! An object of this process as its peer sees it.

use std::any::{Any, TypeId};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mp_conn::{CallInside, Connection, Error, Object, Objects, Reference, caught};
use mp_thread::{Need, Serving};

use crate::epilogue::Epilogues;
use crate::{Interface, InterfaceInfo, Method, ServerCall, log};

/// The server side of a proxy: takes the peer's calls for an object of this process.
///
/// It holds the object until the peer calls `destroy`, or until its last reference goes. Each time an object is sent, it gets
/// a `ServerObject` of its own, so that destroying one reference leaves the others.
#[doc(alias = "ProxyServer")]
pub struct ServerObject<I: Interface + ?Sized> {
    object: Arc<Slot<I>>,
}

/// The object, until it is destroyed.
struct Slot<I: ?Sized> {
    object: Mutex<Option<Arc<I>>>,
    epilogues: Epilogues,
}

impl<I: Interface + ?Sized> ServerObject<I> {
    /// Offers an object.
    #[must_use]
    pub fn new(object: Arc<I>) -> Self {
        tracing::debug!(target: "ipc", "Creating {} server", I::INFO.name);
        Self {
            object: Arc::new(Slot {
                object: Mutex::new(Some(object)),
                epilogues: Epilogues::default(),
            }),
        }
    }

    fn info() -> &'static InterfaceInfo {
        I::INFO
    }

    /// Answers `construct`: the two ends exchange their thread maps.
    fn construct(call: mp_conn::ServerCall, request: u64, method: &'static Method) {
        let connection = call.connection();
        match exchange(&connection, method, |path| call.param_object(path)) {
            Ok(objects) => {
                // Fails only when the connection has ended.
                call.reply(&objects, |_| Ok(())).ok();
                log::sent_response(&connection, request, method);
            }
            Err(error) => call.fail(&error),
        }
    }

    /// Runs `destroy`: the object is dropped on this thread, unless somebody else holds it.
    fn destroy(slot: &Slot<I>, call: mp_conn::ServerCall, request: u64, method: &'static Method) {
        let object = slot.lock().take();
        let dropped = Serving::start(&call, method.context).map(|serving| {
            let dropped = caught(|| drop(object));
            // A call that was answered a moment ago may be the last to let go of the object.
            slot.epilogues.wait();
            serving.settle();
            dropped
        });
        tracing::debug!(target: "ipc", "IPC server destroy {}", Self::info().name);
        let connection = call.connection();
        match dropped {
            // Fails only when the connection has ended.
            Ok(Ok(())) => call.reply(&[], |_| Ok(())).unwrap_or_default(),
            Ok(Err(text)) => {
                call.fail(&Error::failed(format!("destructor panicked: {text}")));
            }
            Err(error) => call.fail(&error),
        }
        log::sent_response(&connection, request, method);
    }
}

impl<I: Interface + ?Sized> Object for ServerObject<I> {
    fn context_field(&self, interface_id: u64, ordinal: u16) -> Option<u16> {
        Self::info().method(interface_id, ordinal)?.context
    }

    fn answer_inside(&self, call: &CallInside<'_>) -> Option<Result<Objects, Error>> {
        let method = Self::info().construct?;
        // What is said of it in the log runs code of the user's.
        if !method.is(call.interface_id(), call.ordinal()) || log::tells_of_calls() {
            return None;
        }
        NEXT_REQUEST.fetch_add(1, Ordering::Relaxed);
        Some(exchange(&call.connection(), method, |path| {
            call.param_object(path)
        }))
    }

    fn call(&self, call: mp_conn::ServerCall) {
        let info = Self::info();
        let (id, ordinal) = (call.interface_id(), call.ordinal());
        let Some(method) = info.method(id, ordinal) else {
            refuse(info, call);
            return;
        };
        let request = NEXT_REQUEST.fetch_add(1, Ordering::Relaxed);
        log::received_request(&call, request, method);
        if info
            .construct
            .is_some_and(|construct| std::ptr::eq(construct, method))
        {
            Self::construct(call, request, method);
            return;
        }
        let object = Arc::clone(&self.object);
        if info
            .destroy
            .is_some_and(|destroy| std::ptr::eq(destroy, method))
        {
            mp_thread::dispatch(call, request, Need::Any, move |call| {
                Self::destroy(&object, call, request, method);
            });
            return;
        }
        let Some(call) = start(&object, call, request) else {
            return;
        };
        mp_thread::dispatch(call, request, Need::Named, move |call| {
            let this = object.lock().clone();
            match this {
                Some(this) => {
                    let epilogues = object.epilogues.clone();
                    let reply = I::dispatch(&this, ServerCall::new(call, request, epilogues));
                    if is_last(&object, &this) {
                        // Its destructor may wait for anything: this thread must not keep the socket meanwhile.
                        mp_thread::wait_not();
                    }
                    drop(this);
                    drop(reply);
                }
                None => call.fail(&Error::Destroyed {
                    interface: info.name.to_owned(),
                }),
            }
        });
    }

    fn cast(&self, target: TypeId) -> Option<Box<dyn Any>> {
        let object = self.object.lock().clone();
        if TypeId::of::<I>() == target {
            return Some(Box::new(object));
        }
        I::upcast(&object?, target)
    }

    fn needs_cleanup(&self) -> bool {
        self.object.lock().is_some()
    }
}

impl<I: Interface + ?Sized> std::fmt::Debug for ServerObject<I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerObject")
            .field("interface", &Self::info().name)
            .finish_non_exhaustive()
    }
}

impl<I: ?Sized> Slot<I> {
    fn lock(&self) -> MutexGuard<'_, Option<Arc<I>>> {
        self.object.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the thread map that the params of a method have, and gives that which its results have.
fn exchange(
    connection: &Connection,
    method: &Method,
    param: impl FnOnce(&[u16]) -> Result<Option<Reference>, Error>,
) -> Result<Objects, Error> {
    let given = match method.thread_map_param {
        Some(field) => param(&[field])?,
        None => None,
    };
    crate::take_thread_map(connection, given)?;
    let field = method.thread_map_result;
    let ours = field.map(|field| (field, mp_thread::thread_map(connection)));
    Ok(ours.into_iter().collect())
}

/// Has the call run elsewhere if the object is asynchronous; gives it back if not.
fn start<I: Interface + ?Sized>(
    slot: &Slot<I>,
    call: mp_conn::ServerCall,
    request: u64,
) -> Option<mp_conn::ServerCall> {
    if !I::ASYNC {
        return Some(call);
    }
    // Dropped after the object: the call may be answered, and the object destroyed, before this returns.
    let _epilogue = slot.epilogues.start();
    let Some(object) = slot.lock().clone() else {
        return Some(call);
    };
    let call = ServerCall::new(call, request, slot.epilogues.clone());
    object.start(call).map(ServerCall::into_inner)
}

/// Whether the object goes when a call lets go of it: nobody else holds it, or holds what does.
fn is_last<I: ?Sized>(slot: &Arc<Slot<I>>, object: &Arc<I>) -> bool {
    let others = Arc::strong_count(object) - 1;
    others == 0 || (others == 1 && Arc::strong_count(slot) == 1)
}

/// Answers a call of something that the interface does not have, in the words of the C++ runtime.
fn refuse(info: &InterfaceInfo, call: mp_conn::ServerCall) {
    if info.has_interface(call.interface_id()) {
        mp_thread::unimplemented(info.name, call);
    } else {
        let id = call.interface_id();
        call.fail_with(capnp::Error::unimplemented(format!(
            "Requested interface not implemented.; actualInterfaceName = {}; requestedTypeId = {id}",
            info.name
        )));
    }
}

/// Numbers the requests of the whole process, as the C++ library does: only the log shows them.
static NEXT_REQUEST: AtomicU64 = AtomicU64::new(1);
