//! Messages that are built and read outside of the vat, because they hold objects or run conversions of the user's.

use std::any::Any;

use capnp::any_pointer;
use capnp::capability::{Promise, Request};
use capnp::message::{Builder, HeapAllocator};
use capnp::private::capability::{ClientHook, ParamsHook, ResultsHook};
use capnp::traits::{Imbue, ImbueMut};
use capnp::{Error as CapnpError, MessageSize};

use crate::inner::Inner;
use crate::vat::shared::Shared;
use crate::vat::state::State;
use crate::{Capability, Error, Reference};
use std::sync::Arc;

/// The params or results of a call, and the objects that they refer to, apart from any connection.
///
/// The content's capability pointers hold tickets: numbers of entries in the slice that [`read`](Self::read) passes on.
pub struct Message {
    builder: Builder<HeapAllocator>,
    /// By index of the capability pointers.
    references: Vec<Option<Reference>>,
}

impl Message {
    /// Builds a message. The function sets object fields to tickets, whose references it puts into the vector.
    ///
    /// # Errors
    ///
    /// Those of the function.
    pub fn build(
        build: impl FnOnce(any_pointer::Builder<'_>, &mut Vec<Reference>) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let mut builder = new_builder();
        let mut table = Vec::new();
        let mut references = Vec::new();
        let mut root = builder.init_root::<any_pointer::Builder<'_>>();
        root.imbue_mut(&mut table);
        build(root, &mut references)?;
        let references = table
            .iter()
            .map(|hook| Some(references.get(ticket_index(hook.as_deref()?)?)?.clone()))
            .collect();
        Ok(Self {
            builder,
            references,
        })
    }

    /// Reads the message. The function gets tickets for object fields, which index the slice.
    ///
    /// # Errors
    ///
    /// Those of the function, and [`Error::Malformed`].
    pub fn read<R>(
        &self,
        read: impl FnOnce(any_pointer::Reader<'_>, &[Option<Reference>]) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let tickets = (0..self.references.len())
            .map(|index| Some(ticket(index)))
            .collect();
        let mut root = self
            .builder
            .get_root_as_reader::<any_pointer::Reader<'_>>()?;
        root.imbue(&tickets);
        read(root, &self.references)
    }

    /// Copies what the peer sent out of the vat.
    pub(crate) fn copy_from(
        content: any_pointer::Reader<'_>,
        connection: &Arc<Inner>,
        state: &State,
    ) -> Result<Self, Error> {
        let mut builder = new_builder();
        let mut table = Vec::new();
        let mut root = builder.init_root::<any_pointer::Builder<'_>>();
        root.imbue_mut(&mut table);
        root.set_as::<any_pointer::Owned>(content)?;
        let references = table
            .into_iter()
            .map(|hook| hook.map(|hook| reference(hook, connection, &state.shared)))
            .collect();
        Ok(Self {
            builder,
            references,
        })
    }

    /// Copies this message into one of the connection's.
    pub(crate) fn copy_to(
        &self,
        mut target: any_pointer::Builder<'_>,
        connection: &Inner,
        state: &State,
    ) -> Result<(), Error> {
        let mut table = Vec::with_capacity(self.references.len());
        for reference in &self.references {
            table.push(match reference {
                Some(reference) => Some(reference.to_hook(connection, state)?),
                None => None,
            });
        }
        let mut root = self
            .builder
            .get_root_as_reader::<any_pointer::Reader<'_>>()?;
        root.imbue(&table);
        target.set_as::<any_pointer::Owned>(root)?;
        Ok(())
    }
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("references", &self.references)
            .finish_non_exhaustive()
    }
}

/// What a capability of the vat is outside of it.
pub(crate) fn reference(
    hook: Box<dyn ClientHook>,
    connection: &Arc<Inner>,
    shared: &Shared,
) -> Reference {
    let hook = Shared::resolved(hook);
    match shared.local_object(hook.as_ref()) {
        Some(object) => Reference::Local(object),
        None => {
            let key = shared.add_import(hook);
            Reference::Remote(Capability::new(Arc::clone(connection), key))
        }
    }
}

/// What stands for the object of that number while a message is built or read outside of the vat.
#[must_use]
pub fn ticket(index: usize) -> Box<dyn ClientHook> {
    Box::new(Ticket(index))
}

/// The number of a ticket. `None`: the capability is not a ticket.
#[must_use]
pub fn ticket_index(hook: &dyn ClientHook) -> Option<usize> {
    (hook.get_brand() == ticket_brand()).then(|| hook.get_ptr())
}

/// A capability that can only be passed on.
struct Ticket(usize);

impl ClientHook for Ticket {
    fn add_ref(&self) -> Box<dyn ClientHook> {
        ticket(self.0)
    }

    fn new_call(
        &self,
        _interface_id: u64,
        _method_id: u16,
        _size_hint: Option<MessageSize>,
    ) -> Request<any_pointer::Owned, any_pointer::Owned> {
        capnp_rpc::new_broken_cap(not_callable())
            .hook
            .new_call(0, 0, None)
    }

    fn call(
        &self,
        _interface_id: u64,
        _method_id: u16,
        _params: Box<dyn ParamsHook>,
        _results: Box<dyn ResultsHook>,
    ) -> Promise<(), CapnpError> {
        Promise::err(not_callable())
    }

    fn get_brand(&self) -> usize {
        ticket_brand()
    }

    fn get_ptr(&self) -> usize {
        self.0
    }

    fn get_resolved(&self) -> Option<Box<dyn ClientHook>> {
        None
    }

    fn when_more_resolved(&self) -> Option<Promise<Box<dyn ClientHook>, CapnpError>> {
        None
    }

    fn when_resolved(&self) -> Promise<(), CapnpError> {
        Promise::ok(())
    }
}

/// `capnp` would begin with 8 KiB, which are zeroed first; a message that is larger grows.
fn new_builder() -> Builder<HeapAllocator> {
    Builder::new(HeapAllocator::new().first_segment_words(96))
}

fn not_callable() -> CapnpError {
    CapnpError::failed("an object of a message that is not sent yet cannot be called".to_owned())
}

/// The address of something that lives for ever, as `capnp-rpc` uses addresses to tell kinds of capabilities apart.
fn ticket_brand() -> usize {
    static BRAND: u8 = 0;
    std::ptr::from_ref::<dyn Any>(&BRAND).cast::<()>() as usize
}
