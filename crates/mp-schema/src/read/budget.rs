//! Bounds how large a model may become.

use std::cell::Cell;

use super::Bad;

/// Counts what a model holds; fails when it is too much.
#[derive(Debug)]
pub(super) struct Budget(Cell<usize>);

impl Budget {
    pub(super) fn new() -> Self {
        Self(Cell::new(MAX_PARTS))
    }

    /// Notes that the model gets `parts` more declarations, fields, types, values or the like.
    pub(super) fn take(&self, parts: usize) -> Result<(), Bad> {
        match self.0.get().checked_sub(parts) {
            Some(left) => {
                self.0.set(left);
                Ok(())
            }
            None => Err(Bad(format!("the schema has more than {MAX_PARTS} parts"))),
        }
    }
}

const MAX_PARTS: usize = 500_000;
