//! Panics, kept where they happen.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::Error;

/// Runs code that must not unwind into the vat's machinery: a panic of it is its own failure.
pub(crate) fn contained<R>(action: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    catch_unwind(AssertUnwindSafe(action))
        .unwrap_or_else(|panic| Err(Error::failed(format!("panicked: {}", panic_text(&*panic)))))
}

/// The text of a panic.
#[must_use]
pub fn panic_text(panic: &(dyn Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<&str>() {
        text
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text
    } else {
        "(no text)"
    }
}

/// Runs code and says whether it came to its end.
pub(crate) fn guarded<R>(action: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(action)).ok()
}
