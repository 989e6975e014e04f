//! Access to a pointer field of a struct whose type is known only to generated code.

use std::rc::Rc;
use std::sync::Arc;

use capnp::any_pointer;
use capnp::private::layout::{PointerBuilder, StructSize};
use capnp::traits::FromPointerBuilder;

use super::local::LocalObject;
use super::shared::Shared;
use crate::{Error, Object};

/// The pointer field `index` of the struct at `pointer`, which was initialized with a size that has the field.
pub(crate) fn pointer_field(
    pointer: any_pointer::Builder<'_>,
    index: u16,
) -> capnp::Result<any_pointer::Builder<'_>> {
    let Pointer(pointer) = pointer.get_as()?;
    // A struct that is smaller than this grows, so the field is there; a larger one stays as it is.
    let size = StructSize {
        data: 0,
        pointers: index.saturating_add(1),
    };
    let builder = pointer.get_struct(size, None)?;
    Ok(any_pointer::Builder::new(
        builder.get_pointer_field(usize::from(index)),
    ))
}

/// Puts an object of this process into a pointer field.
pub(crate) fn put_object(
    pointer: any_pointer::Builder<'_>,
    (field, object): &(u16, Arc<dyn Object>),
    shared: &Rc<Shared>,
) -> Result<(), Error> {
    pointer_field(pointer, *field)?.set_as_capability(LocalObject::hook(shared, object)?);
    Ok(())
}

/// The pointer itself, which `any_pointer::Builder` does not show.
struct Pointer<'a>(PointerBuilder<'a>);

impl<'a> FromPointerBuilder<'a> for Pointer<'a> {
    fn init_pointer(builder: PointerBuilder<'a>, _len: u32) -> Self {
        Self(builder)
    }

    fn get_from_pointer(
        builder: PointerBuilder<'a>,
        _default: Option<&'a [capnp::Word]>,
    ) -> capnp::Result<Self> {
        Ok(Self(builder))
    }
}
