//! The first object of each connection.

use std::sync::Arc;

use multiprocess::Error;

use super::objects::ObjectStore;
use super::threads::ThreadProbe;
use super::values::Echo;
use crate::conformance::{Init, Objects, Threads, Values};

/// Makes the other objects: new ones each time.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "has no state")]
pub struct Server;

impl Init for Server {
    fn make_values(&self) -> Result<Arc<dyn Values>, Error> {
        Ok(Arc::new(Echo))
    }

    fn make_objects(&self) -> Result<Arc<dyn Objects>, Error> {
        Ok(Arc::new(ObjectStore::default()))
    }

    fn make_threads(&self) -> Result<Arc<dyn Threads>, Error> {
        Ok(Arc::new(ThreadProbe::default()))
    }

    fn make_nothing(&self) -> Result<Option<Arc<dyn Values>>, Error> {
        Ok(None)
    }

    fn retired(&self) -> Result<(), Error> {
        Err(Error::failed("retired: use makeValues"))
    }
}
