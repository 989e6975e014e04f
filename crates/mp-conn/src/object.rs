//! What a process offers to its peer: an object that takes calls.

use std::any::{Any, TypeId};

use crate::{CallInside, Error, Objects, ServerCall};

/// An object of this process that can be offered to the peer as a capability.
///
/// The peer's references keep the [`Arc`](std::sync::Arc) alive. When the last of them goes, the vat lets go of its own
/// `Arc` outside of the lock: on the event loop's cleanup thread if [`needs_cleanup`](Self::needs_cleanup), else on
/// whichever thread was inside.
pub trait Object: Any + Send + Sync {
    /// The index, among the pointers of the method's params, of the `Context` that says which thread the call runs on.
    ///
    /// `None`: the method has no context. Called with the connection's lock held: it must do no more than look it up.
    fn context_field(&self, interface_id: u64, ordinal: u16) -> Option<u16>;

    /// Takes a call of the peer's.
    ///
    /// Called without the connection's lock, on the thread that happened to read the call, and in the order in which the
    /// calls came. It must not wait: a call that takes time is moved to a thread of its own.
    fn call(&self, call: ServerCall);

    /// Answers a call with the connection's lock held, where it is read. `None`: it is to be [taken](Self::call) after that.
    ///
    /// For what is done in a moment, without the user's code, the log's included: so an answer that the peer refers to in
    /// its next messages is there when they are read, and goes out with the answers to them.
    fn answer_inside(&self, call: &CallInside<'_>) -> Option<Result<Objects, Error>> {
        let _ = call;
        None
    }

    /// What this object is to the layer that made it: a value of the type, in a box. `None`: it is nothing of that type.
    ///
    /// This is how an object that comes home is recognized.
    fn cast(&self, target: TypeId) -> Option<Box<dyn Any>> {
        let _ = target;
        None
    }

    /// Whether dropping this object may run code of the user's. Then it is dropped on the cleanup thread.
    fn needs_cleanup(&self) -> bool {
        true
    }
}

impl std::fmt::Debug for dyn Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Object").finish_non_exhaustive()
    }
}
