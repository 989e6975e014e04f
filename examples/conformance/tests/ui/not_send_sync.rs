//! Objects that cannot be called from another thread.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use conformance::conformance::{Counter, IntFn};
use multiprocess::Error;

struct NotSync(Cell<i32>);

impl Counter for NotSync {
    fn next(&self) -> Result<i32, Error> {
        Ok(self.0.replace(self.0.get() + 1))
    }
}

fn main() {
    let shared = Rc::new(7);
    let _closure: Arc<dyn IntFn> = Arc::new(move || -> Result<i32, Error> { Ok(*shared) });
}
