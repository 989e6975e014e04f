//! Values into messages: the trait [`Build`], and the functions that generated setters go through.

use std::borrow::Cow;

use capnp::{data, text};

use super::Result;
use super::bytes::copy_in;
use crate::{Error, Objects};

/// A Rust value that can be written into a message through the accessor `B`: `person::Builder<'_>`, `text::Builder<'_>`, ...
pub trait Build<B> {
    /// How many elements or bytes the pointer must be initialized with. 0 for structs, which know their size.
    fn size(&self) -> usize {
        0
    }

    /// Writes the value. Objects in it go into `objects`.
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] if a value in it cannot be carried.
    fn build(&self, builder: B, objects: &mut Objects) -> Result<()>;
}

impl<B, T: Build<B> + ?Sized> Build<B> for &T {
    fn size(&self) -> usize {
        T::size(self)
    }

    fn build(&self, builder: B, objects: &mut Objects) -> Result<()> {
        T::build(self, builder, objects)
    }
}

impl<B, T: Build<B> + ?Sized> Build<B> for Box<T> {
    fn size(&self) -> usize {
        T::size(self)
    }

    fn build(&self, builder: B, objects: &mut Objects) -> Result<()> {
        T::build(self, builder, objects)
    }
}

impl<B, T: Build<B> + ToOwned + ?Sized> Build<B> for Cow<'_, T> {
    fn size(&self) -> usize {
        T::size(self)
    }

    fn build(&self, builder: B, objects: &mut Objects) -> Result<()> {
        T::build(self, builder, objects)
    }
}

impl Build<text::Builder<'_>> for str {
    fn size(&self) -> usize {
        self.len()
    }

    fn build(&self, mut builder: text::Builder<'_>, _: &mut Objects) -> Result<()> {
        builder.push_str(self);
        Ok(())
    }
}

impl Build<text::Builder<'_>> for String {
    fn size(&self) -> usize {
        self.len()
    }

    fn build(&self, builder: text::Builder<'_>, objects: &mut Objects) -> Result<()> {
        self.as_str().build(builder, objects)
    }
}

impl Build<data::Builder<'_>> for [u8] {
    fn size(&self) -> usize {
        self.len()
    }

    fn build(&self, builder: data::Builder<'_>, _: &mut Objects) -> Result<()> {
        copy_in(self, builder);
        Ok(())
    }
}

impl Build<data::Builder<'_>> for Vec<u8> {
    fn size(&self) -> usize {
        self.len()
    }

    fn build(&self, builder: data::Builder<'_>, objects: &mut Objects) -> Result<()> {
        self.as_slice().build(builder, objects)
    }
}

/// What a closure that fills in a message may end with: nothing if it cannot fail, or a [`Result`].
pub trait Built {
    /// Ends with `Ok` unless it is an error.
    ///
    /// # Errors
    ///
    /// The closure's own.
    fn built(self) -> Result<()>;
}

impl Built for () {
    fn built(self) -> Result<()> {
        Ok(())
    }
}

impl Built for Result<()> {
    fn built(self) -> Result<()> {
        self
    }
}

/// Writes a struct or group that is already initialized. The builder comes first for the compiler's sake: it decides which
/// implementation of a generic struct is meant.
///
/// # Errors
///
/// As [`Build::build`].
pub fn build<B, V: Build<B> + ?Sized>(builder: B, value: &V, objects: &mut Objects) -> Result<()> {
    value.build(builder, objects)
}

/// Writes a list, or a value of a generic type: `init` makes a pointer of the value's size.
///
/// # Errors
///
/// As [`Build::build`], and [`Error::BadValue`] for more elements than a list can have.
pub fn fill<B, V: Build<B> + ?Sized>(
    value: &V,
    objects: &mut Objects,
    init: impl FnOnce(u32) -> B,
) -> Result<()> {
    value.build(init(checked_size(value.size())?), objects)
}

pub(super) fn checked_size(size: usize) -> Result<u32> {
    match u32::try_from(size) {
        Ok(size) if size < LIST_LIMIT => Ok(size),
        _ => Err(Error::bad_value(
            "list",
            format_args!("{size} elements do not fit into a message"),
        )),
    }
}

/// A list pointer has 29 bits for the number of elements, or of words.
const LIST_LIMIT: u32 = 1 << 29;
