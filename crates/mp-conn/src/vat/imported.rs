//! Objects of the peer that this process refers to.

use std::collections::HashMap;

use capnp::struct_list;
use capnp_rpc::rpc_capnp::cap_descriptor;

use crate::Error;

/// The peer's objects that it has sent, for as long as this process refers to them.
pub(crate) struct Imports {
    /// By the peer's number. True: it is a promise.
    known: HashMap<u32, bool>,
    limit: usize,
}

impl Imports {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            known: HashMap::new(),
            limit,
        }
    }

    /// Notes the peer's objects in a message. Returns those that were not known; stops where there are too many.
    pub(crate) fn note(
        &mut self,
        table: struct_list::Reader<'_, cap_descriptor::Owned>,
    ) -> capnp::Result<Vec<u32>> {
        let mut new = Vec::new();
        for cap in table {
            new.extend(self.note_one(cap)?);
            if self.known.len() > self.limit {
                break;
            }
        }
        Ok(new)
    }

    /// Notes an object of the peer. Returns it if it was not known.
    pub(crate) fn note_one(
        &mut self,
        cap: cap_descriptor::Reader<'_>,
    ) -> capnp::Result<Option<u32>> {
        let (import, promise) = match cap.which()? {
            cap_descriptor::SenderHosted(import) => (import, false),
            cap_descriptor::SenderPromise(import) => (import, true),
            _ => return Ok(None),
        };
        match self.known.insert(import, promise) {
            None => Ok(Some(import)),
            Some(known) if known == promise => Ok(None),
            Some(_) => Err(capnp::Error::failed(
                "An export is a promise and an object at once.".to_owned(),
            )),
        }
    }

    /// Notes that this process does not refer to an object any more.
    pub(crate) fn forget(&mut self, import: u32) {
        self.known.remove(&import);
    }

    /// Whether an object is a promise. `None`: nobody refers to it.
    pub(crate) fn is_promise(&self, import: u32) -> Option<bool> {
        self.known.get(&import).copied()
    }

    /// The error of there being too many.
    pub(crate) fn exceeded(&self) -> Option<Error> {
        (self.known.len() > self.limit).then(|| Error::limit("imports", self.limit))
    }

    /// # Errors
    ///
    /// When there are too many.
    pub(crate) fn check(&self) -> capnp::Result<()> {
        match self.exceeded() {
            None => Ok(()),
            Some(error) => Err(capnp::Error::failed(error.to_string())),
        }
    }
}
