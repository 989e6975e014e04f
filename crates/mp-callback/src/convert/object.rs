//! References to objects, as setters take them and as they are shown when debugging.

use std::fmt;
use std::sync::Arc;

use capnp::capability::FromClientHook;

use crate::{Interface, Objects};

/// A reference to a local object or proxy, as the setter of an interface field takes it.
pub fn object<I: Interface + ?Sized, C: FromClientHook>(
    objects: &mut Objects,
    object: &Arc<I>,
) -> C {
    C::new(objects.set(object))
}

/// Shows an object by its interface, and whether it is in this process: `Calculator` or `Calculator (of a peer)`.
///
/// # Errors
///
/// The formatter's own.
pub fn fmt_object<I: Interface + ?Sized>(object: &I, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(I::INFO.name)?;
    match object.as_proxy() {
        Some(_) => f.write_str(" (of a peer)"),
        None => Ok(()),
    }
}
