//! A call of the peer's that is answered right where it is read.

use std::rc::Rc;
use std::sync::Arc;

use capnp::traits::Imbue;
use capnp::{ErrorKind, any_pointer};

use crate::capability::pipeline_ops;
use crate::connection::Connection;
use crate::contain::contained;
use crate::inner::Inner;
use crate::message::reference;
use crate::vat::shared::Shared;
use crate::{Error, Object, Reference};

/// What answers a call: objects of this process, each for a pointer field of the results.
pub type Objects = Vec<(u16, Arc<dyn Object>)>;

/// A call of the peer's that was just read, with the connection's lock held.
///
/// What is called on the peer over the connection meanwhile fails; what is dropped is let go of when the lock is released.
pub struct CallInside<'a> {
    pub(crate) connection: &'a Arc<Inner>,
    pub(crate) shared: &'a Rc<Shared>,
    pub(crate) interface_id: u64,
    pub(crate) ordinal: u16,
    pub(crate) params: any_pointer::Reader<'a>,
}

impl CallInside<'_> {
    /// The interface that declares the method.
    #[must_use]
    pub fn interface_id(&self) -> u64 {
        self.interface_id
    }

    /// The method's number in its interface.
    #[must_use]
    pub fn ordinal(&self) -> u16 {
        self.ordinal
    }

    /// The connection that the call came over.
    #[must_use]
    pub fn connection(&self) -> Connection {
        Connection::from_inner(Arc::clone(self.connection))
    }

    /// Reads the params, without their objects.
    ///
    /// # Errors
    ///
    /// Those of the function.
    pub fn read_params<R>(
        &self,
        read: impl FnOnce(any_pointer::Reader<'_>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let no_objects = Vec::new();
        let mut params = self.params;
        params.imbue(&no_objects);
        contained(|| read(params)).map_err(|error| self.connection.limits.reading(error))
    }

    /// The object at a path of pointer fields in the params. `None`: it is null.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`].
    pub fn param_object(&self, path: &[u16]) -> Result<Option<Reference>, Error> {
        object_at(self.params, path, self.connection, self.shared)
    }
}

impl std::fmt::Debug for CallInside<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallInside")
            .field("interface_id", &self.interface_id)
            .field("ordinal", &self.ordinal)
            .finish_non_exhaustive()
    }
}

/// The object at a path of pointer fields.
pub(crate) fn object_at(
    content: any_pointer::Reader<'_>,
    path: &[u16],
    connection: &Arc<Inner>,
    shared: &Shared,
) -> Result<Option<Reference>, Error> {
    match content.get_pipelined_cap(&pipeline_ops(path)) {
        Ok(hook) => Ok(Some(reference(hook, connection, shared))),
        Err(error) if error.kind == ErrorKind::MessageContainsNullCapabilityPointer => Ok(None),
        Err(error) => Err(error.into()),
    }
}
