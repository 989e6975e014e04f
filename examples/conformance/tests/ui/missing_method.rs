//! An implementation that lacks one of the interface's methods.

use std::sync::Arc;

use conformance::conformance::{Callback, Counter, ExtendedCallback};
use multiprocess::Error;

struct Half;

impl Counter for Half {}

impl ExtendedCallback for Half {
    fn call_extended(&self, arg: i32) -> Result<i32, Error> {
        Ok(arg)
    }
}

fn main() {
    let _counter: Arc<dyn Counter> = Arc::new(Half);
    let _callback: Arc<dyn Callback> = Arc::new(Half);
}
