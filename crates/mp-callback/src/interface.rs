//! What generated code says about an interface.

use std::any::{Any, TypeId};
use std::sync::Arc;

use crate::{Error, ProxyClient, Reply, ServerCall};

/// One method of an interface: a static that generated code defines.
#[derive(Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "built field by field by generated code of the same version"
)]
pub struct Method {
    /// The Cap'n Proto name of the interface that declares the method.
    pub interface: &'static str,
    /// The Cap'n Proto name of the method.
    pub name: &'static str,
    /// The id of the interface that declares the method.
    pub interface_id: u64,
    /// The method's number in that interface.
    pub ordinal: u16,
    /// The index of the pointer field of type `Context` in the params.
    pub context: Option<u16>,
    /// The index of the pointer field of type `ThreadMap` in the params.
    pub thread_map_param: Option<u16>,
    /// The same in the results.
    pub thread_map_result: Option<u16>,
    /// The params hold objects, or values with a conversion of the user's: they are built and read outside of the lock.
    pub apart_params: bool,
    /// The same for the results.
    pub apart_results: bool,
}

/// What the run-time knows of an interface.
#[derive(Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "built field by field by generated code of the same version"
)]
pub struct InterfaceInfo {
    /// The Cap'n Proto name.
    pub name: &'static str,
    /// The id.
    pub id: u64,
    /// The methods of the trait, own and inherited.
    pub methods: &'static [&'static Method],
    /// The method that a client calls when it gets its first reference. Own or inherited.
    pub construct: Option<&'static Method>,
    /// The method that a client calls when it lets go of its reference. Own or inherited.
    pub destroy: Option<&'static Method>,
}

impl Method {
    /// Whether it is the one with that number.
    pub(crate) fn is(&self, interface_id: u64, ordinal: u16) -> bool {
        self.interface_id == interface_id && self.ordinal == ordinal
    }
}

impl InterfaceInfo {
    /// The method with that number, the special ones among them.
    pub(crate) fn method(&self, interface_id: u64, ordinal: u16) -> Option<&'static Method> {
        let special = self.construct.into_iter().chain(self.destroy);
        self.methods
            .iter()
            .copied()
            .chain(special)
            .find(|method| method.is(interface_id, ordinal))
    }

    /// Whether the interface is, or inherits from, the one with that id.
    pub(crate) fn has_interface(&self, id: u64) -> bool {
        let special = self.construct.into_iter().chain(self.destroy);
        self.id == id
            || self
                .methods
                .iter()
                .copied()
                .chain(special)
                .any(|method| method.interface_id == id)
    }
}

/// An interface, as generated code implements it for `dyn X`.
pub trait Interface: Send + Sync + 'static {
    /// The client: `XClient`.
    type Client: Clone + Send + Sync + 'static;
    /// What the run-time knows of the interface.
    const INFO: &'static InterfaceInfo;

    /// A client for a reference to a peer's object.
    fn from_proxy(proxy: ProxyClient) -> Self::Client;

    /// A client as the object that it stands for.
    fn into_object(client: Self::Client) -> Arc<Self>;

    /// The reference, if this object is a client.
    fn as_proxy(&self) -> Option<&ProxyClient>;

    /// Runs one call of a peer on an object of this process. Called on the thread that the call belongs to.
    fn dispatch(this: &Arc<Self>, call: ServerCall) -> Reply;

    /// Whether an object of this interface can be asynchronous: the builder was asked for a second trait.
    const ASYNC: bool = false;

    /// Takes a call of a peer for an asynchronous object, and runs it elsewhere. Called on the thread that read the call.
    /// The call is given back for one that is not asynchronous, to be [dispatched](Self::dispatch).
    fn start(&self, call: ServerCall) -> Option<ServerCall> {
        Some(call)
    }

    /// The object as one of an interface that it inherits, if the target is that interface.
    fn upcast(this: &Arc<Self>, target: TypeId) -> Upcast {
        let _ = (this, target);
        None
    }
}

/// What an object is as one of an interface: an `Option<Arc<dyn X>>` in a box. `None`: it is not of that interface.
pub type Upcast = Option<Box<dyn Any>>;

/// An object as one of an interface that it inherits.
#[must_use]
pub fn upcast<I: ?Sized + 'static>(object: Arc<I>) -> Upcast
where
    Arc<I>: Any,
{
    Some(Box::new(Some(object)))
}

/// The client that an object is, if it is at a peer; it has the async twins of the methods.
///
/// ```text
/// let job: Job = worker.next_job()?;               // a struct with an `Arc<dyn Task>` in it
/// if let Some(task) = multiprocess::client(&job.task) {
///     task.run_async().await?;
/// }
/// ```
#[must_use]
pub fn client<I: Interface + ?Sized>(object: &Arc<I>) -> Option<I::Client> {
    object.as_proxy().cloned().map(I::from_proxy)
}

/// A client of another interface for the same object, such as an older or newer version of its schema. The peer is not
/// asked whether the object has that interface: calls tell.
///
/// What happens when the last client of the object is dropped stays what the first interface says.
///
/// # Errors
///
/// [`Error::BadValue`] for a client that is no reference to a peer's object, which generated clients always are.
pub fn cast<From: Interface + ?Sized, To: Interface + ?Sized>(
    client: From::Client,
) -> Result<To::Client, Error> {
    let object = From::into_object(client);
    let proxy = object.as_proxy().ok_or_else(|| {
        Error::bad_value(From::INFO.name, "not a client, so there is nothing to cast")
    })?;
    Ok(To::from_proxy(proxy.clone()))
}
