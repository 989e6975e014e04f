//! Messages into values: the trait [`Read`], and the functions that generated getters go through.
//!
//! Errors name the field. A null pointer is not an error: it reads as the schema's default.

use capnp::traits::Owned;
use capnp::{NotInSchema, data, text};

use super::Result;
use super::bytes::{Bytes, copy_out};
use crate::{Error, Objects};

/// A Rust value that can be read from a message through the accessor `R`: `person::Reader<'_>`, `text::Reader<'_>`, ...
pub trait Read<R>: Sized {
    /// Reads the value. `field` is for errors; `objects` has the objects of the message.
    ///
    /// # Errors
    ///
    /// [`Error::BadValue`] if what is there is not a value of the type.
    fn read(reader: R, field: &'static str, objects: &Objects) -> Result<Self>;
}

impl<R, T: Read<R>> Read<R> for Box<T> {
    fn read(reader: R, field: &'static str, objects: &Objects) -> Result<Self> {
        T::read(reader, field, objects).map(Self::new)
    }
}

impl Read<text::Reader<'_>> for String {
    fn read(reader: text::Reader<'_>, field: &'static str, objects: &Objects) -> Result<Self> {
        <&str>::read(reader, field, objects).map(str::to_owned)
    }
}

/// Text by configuration as bytes.
impl Read<text::Reader<'_>> for Vec<u8> {
    fn read(reader: text::Reader<'_>, _: &'static str, _: &Objects) -> Result<Self> {
        Ok(copy_out(reader.as_bytes()))
    }
}

/// What a conversion reads, without a copy.
impl<'a> Read<text::Reader<'a>> for &'a str {
    fn read(reader: text::Reader<'a>, field: &'static str, _: &Objects) -> Result<Self> {
        reader
            .to_str()
            .map_err(|error| Error::bad_value(field, format_args!("not UTF-8: {error}")))
    }
}

/// What a conversion reads, without a copy.
impl<'a> Read<data::Reader<'a>> for &'a [u8] {
    fn read(reader: data::Reader<'a>, _: &'static str, _: &Objects) -> Result<Self> {
        Ok(reader)
    }
}

/// What a method of a server borrows.
impl Read<data::Reader<'_>> for Bytes {
    fn read(reader: data::Reader<'_>, _: &'static str, objects: &Objects) -> Result<Self> {
        Ok(objects.bytes(reader))
    }
}

impl Read<data::Reader<'_>> for Vec<u8> {
    fn read(reader: data::Reader<'_>, _: &'static str, _: &Objects) -> Result<Self> {
        Ok(copy_out(reader))
    }
}

/// Reads what a getter gave: text, data, or another value without objects in it.
///
/// # Errors
///
/// [`Error::BadValue`] with the field's name.
pub fn read<T: Read<R>, R>(reader: capnp::Result<R>, field: &'static str) -> Result<T> {
    read_with(reader, field, &Objects::default())
}

/// Reads what a getter gave, and the objects in it.
///
/// # Errors
///
/// [`Error::BadValue`] with the field's name; for an object that is missing, [`Error::NullObject`].
pub fn read_with<T: Read<R>, R>(
    reader: capnp::Result<R>,
    field: &'static str,
    objects: &Objects,
) -> Result<T> {
    match reader {
        Ok(reader) => T::read(reader, field, objects),
        Err(error) => Err(Error::bad_value(field, error)),
    }
}

/// Reads an optional value, if it is there.
///
/// # Errors
///
/// Those of `read`.
pub fn when<T>(present: bool, read: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
    if present { read().map(Some) } else { Ok(None) }
}

/// Reads an enum: `E` is the accessors' enum, `T` the one shown to users.
///
/// # Errors
///
/// [`Error::BadValue`] with the field's name for a number that the schema does not have.
pub fn enumerant<T: From<E>, E>(
    value: std::result::Result<E, NotInSchema>,
    field: &'static str,
) -> Result<T> {
    match value {
        Ok(value) => Ok(value.into()),
        Err(NotInSchema(number)) => Err(Error::bad_value(
            field,
            format_args!("unknown enum value {number}"),
        )),
    }
}

/// Reads which member of a union is there.
///
/// # Errors
///
/// [`Error::BadValue`] with the field's name for a member that the schema does not have.
pub fn member<W>(which: std::result::Result<W, NotInSchema>, field: &'static str) -> Result<W> {
    which.map_err(|NotInSchema(number)| {
        Error::bad_value(field, format_args!("unknown union member {number}"))
    })
}

/// The default of a struct whose schema states defaults for lists or structs: what a message without content reads as.
///
/// # Panics
///
/// If the schema's own defaults cannot be read. Its compiler does not let that happen.
#[must_use]
pub fn schema_default<W: Owned, T: for<'a> Read<W::Reader<'a>>>() -> T {
    let mut empty = capnp::message::Builder::new_default();
    empty.init_root::<W::Builder<'_>>();
    match empty
        .into_reader()
        .get_root::<W::Reader<'_>>()
        .map(|root| T::read(root, "default", &Objects::default()))
    {
        Ok(Ok(value)) => value,
        Ok(Err(error)) => panic!("the schema's defaults cannot be read: {error}"),
        Err(error) => panic!("the schema's defaults cannot be read: {error}"),
    }
}

/// The value of a list or struct that is a constant of the schema.
///
/// # Panics
///
/// If a conversion of the user's does not take what the schema says. The schema compiler checks everything else.
pub fn constant<T: Read<R>, R>(value: capnp::Result<R>, name: &'static str) -> T {
    match read(value, name) {
        Ok(value) => value,
        Err(error) => panic!("the schema's constant cannot be read: {error}"),
    }
}
