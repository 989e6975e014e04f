//! The annotations of `/capnp/rust.capnp`. They shape the types that users see, not the accessors.

use mp_schema::{Annotation, Value, well_known};

/// The text of `$Rust.name`.
pub(crate) fn name(annotations: &[Annotation]) -> Option<&str> {
    text(annotations, well_known::RUST_NAME)
}

/// The text of `$Rust.parentModule`.
pub(crate) fn parent_module(annotations: &[Annotation]) -> Option<&str> {
    text(annotations, well_known::RUST_PARENT_MODULE)
}

/// Whether there is `$Rust.option`.
pub(crate) fn is_option(annotations: &[Annotation]) -> bool {
    annotations.iter().any(|a| a.id == well_known::RUST_OPTION)
}

fn text(annotations: &[Annotation], id: u64) -> Option<&str> {
    annotations
        .iter()
        .find_map(|annotation| match &annotation.value {
            Value::Text(text) if annotation.id == id => Some(text.as_str()),
            _ => None,
        })
}
