//! A callback that adds.

use multiprocess::Error;

use crate::scenarios::{Callback, ExtendedCallback};

/// Adds to what it is called with.
#[derive(Clone, Copy, Debug)]
pub struct Adds(pub i32);

impl Callback for Adds {
    fn call(&self, arg: i32) -> Result<i32, Error> {
        arg.checked_add(self.0)
            .ok_or_else(|| Error::failed("too much"))
    }
}

impl ExtendedCallback for Adds {
    fn call_extended(&self, arg: i32) -> Result<i32, Error> {
        arg.checked_add(self.0 + 100)
            .ok_or_else(|| Error::failed("too much"))
    }
}
