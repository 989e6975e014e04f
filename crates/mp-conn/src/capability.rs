//! Handles to the peer's objects.

use std::sync::{Arc, Weak};

use capnp::private::capability::{ClientHook, PipelineOp};

use crate::connection::Connection;
use crate::inner::{Inner, Release};
use crate::{Error, Object};

/// A reference to an object that came over a connection, or to one that is still to come.
///
/// Any thread may use it. The last clone that is dropped releases the reference at the peer; that never blocks. Holding one
/// keeps the connection open.
#[derive(Clone)]
pub struct Capability {
    imported: Arc<Imported>,
}

/// An entry of the vat's table, removed on drop.
struct Imported {
    connection: Weak<Inner>,
    /// Keeps the connection open, unless the handle is a detached one.
    keep_open: Option<Arc<Inner>>,
    key: usize,
}

impl Capability {
    /// Takes over an entry of the vat's table.
    pub(crate) fn new(connection: Arc<Inner>, key: usize) -> Self {
        Self {
            imported: Arc::new(Imported {
                connection: Arc::downgrade(&connection),
                keep_open: Some(connection),
                key,
            }),
        }
    }

    /// Another handle to the same object, which does not keep the connection open.
    ///
    /// # Errors
    ///
    /// [`Error::Disconnected`] when the connection has ended.
    pub fn detached(&self) -> Result<Self, Error> {
        let connection = self.inner()?;
        let key = connection.enter(|state| {
            let hook = state.shared.import(self.key()).ok_or(Error::Disconnected)?;
            Ok::<_, Error>(state.shared.add_import(hook))
        })??;
        Ok(Self {
            imported: Arc::new(Imported {
                connection: Arc::downgrade(&connection),
                keep_open: None,
                key,
            }),
        })
    }

    /// This handle as one that does not keep the connection open.
    ///
    /// # Errors
    ///
    /// [`Error::Disconnected`] when the connection has ended.
    pub fn into_detached(mut self) -> Result<Self, Error> {
        match Arc::get_mut(&mut self.imported) {
            Some(imported) => {
                imported.keep_open = None;
                Ok(self)
            }
            None => self.detached(),
        }
    }

    /// The connection over which the object came.
    ///
    /// # Errors
    ///
    /// [`Error::CalledAfterDisconnect`] when this handle is detached and the connection is gone.
    pub fn connection(&self) -> Result<Connection, Error> {
        self.inner().map(Connection::from_inner)
    }

    pub(crate) fn inner(&self) -> Result<Arc<Inner>, Error> {
        self.imported
            .connection
            .upgrade()
            .ok_or(Error::CalledAfterDisconnect)
    }

    pub(crate) fn key(&self) -> usize {
        self.imported.key
    }
}

impl std::fmt::Debug for Capability {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Capability")
            .field("key", &self.imported.key)
            .finish()
    }
}

impl Drop for Imported {
    fn drop(&mut self) {
        if let Some(connection) = self.keep_open.take().or_else(|| self.connection.upgrade()) {
            connection.release(Release::Import(self.key));
        }
    }
}

/// An object reference in a message.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Reference {
    /// An object of this process.
    Local(Arc<dyn Object>),
    /// An object of the peer.
    Remote(Capability),
}

impl Reference {
    /// The hook for a message of this connection.
    pub(crate) fn to_hook(
        &self,
        connection: &Inner,
        state: &crate::vat::state::State,
    ) -> Result<Box<dyn ClientHook>, Error> {
        match self {
            Self::Local(object) => state.export(object),
            Self::Remote(capability) => {
                if !std::ptr::eq(capability.imported.connection.as_ptr(), connection) {
                    return Err(Error::failed(
                        "a capability was sent over a connection that it did not come over",
                    ));
                }
                state
                    .shared
                    .import(capability.key())
                    .ok_or(Error::CalledAfterDisconnect)
            }
        }
    }
}

/// A path through pointer fields of structs.
pub(crate) fn pipeline_ops(path: &[u16]) -> Vec<PipelineOp> {
    path.iter()
        .map(|index| PipelineOp::GetPointerField(*index))
        .collect()
}
