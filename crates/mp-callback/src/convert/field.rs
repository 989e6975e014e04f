//! Conversions of a user's own types, and of types of other crates, by `mp_gen::Builder::extern_type`.

use std::borrow::Cow;
use std::fmt::Display;

use super::Result;
use crate::Error;

/// Why a conversion failed. Any error and any text becomes one with `?` or `into()`; the field's name is added for you.
pub type ConvertError = Box<dyn std::error::Error + Send + Sync>;

/// A type that stands for a field of a message, on its way out.
///
/// `Plain` is what the field would be without the conversion, borrowed: `[u8]` for `Data`, `str` for `Text`, `i64`,
/// a generated struct, `[Vec<u8>]` for `List(Data)`. `Local` is the marker type of the crate with the generated code
/// (`crate::Local`, beside the proxy modules), which makes the trait that crate's own to implement for types of others.
///
/// ```text
/// impl BuildField<[u8], crate::Local> for bitcoin::BlockHash {
///     fn build_field(&self) -> Result<Cow<'_, [u8]>, ConvertError> {
///         Ok(Cow::Borrowed(self.as_ref()))
///     }
/// }
/// ```
#[doc(alias = "CustomBuildField")]
pub trait BuildField<Plain: ToOwned + ?Sized, Local> {
    /// What the field carries for this value. Runs on the calling thread, or on the one that ran the method.
    ///
    /// # Errors
    ///
    /// Why the value cannot be carried. The call fails with it.
    fn build_field(&self) -> std::result::Result<Cow<'_, Plain>, ConvertError>;
}

/// A type that stands for a field of a message, on its way in. See [`BuildField`].
#[doc(alias = "CustomReadField")]
pub trait ReadField<Plain: ToOwned + ?Sized, Local>: Sized {
    /// The value that the field carries. A field that the peer left out has the schema's default.
    ///
    /// # Errors
    ///
    /// Why the field's content is no value of the type. The call fails with it.
    fn read_field(plain: &Plain) -> std::result::Result<Self, ConvertError>;
}

/// Converts a value on its way out.
///
/// # Errors
///
/// [`Error::BadValue`] with the field's name.
pub fn build_field<'v, Plain: ToOwned + ?Sized, Local, T: BuildField<Plain, Local>>(
    value: &'v T,
    field: &'static str,
) -> Result<Cow<'v, Plain>> {
    value
        .build_field()
        .map_err(|error| bad_value(field, &error))
}

/// Converts a value on its way in.
///
/// # Errors
///
/// [`Error::BadValue`] with the field's name.
pub fn read_field<Plain: ToOwned + ?Sized, Local, T: ReadField<Plain, Local>>(
    plain: &Plain,
    field: &'static str,
) -> Result<T> {
    T::read_field(plain).map_err(|error| bad_value(field, &error))
}

/// Converts an element of a list on its way out.
///
/// # Errors
///
/// [`Error::BadValue`] with the list's name.
pub fn build_element<Plain: ToOwned + ?Sized, Local, T: BuildField<Plain, Local>>(
    value: &T,
    field: &'static str,
) -> Result<Plain::Owned> {
    build_field(value, field).map(Cow::into_owned)
}

/// Converts a list's elements on their way out: makes the list that the message gets.
///
/// # Errors
///
/// Those of `convert`.
pub fn build_each<T, Plain>(
    values: impl IntoIterator<Item = T>,
    convert: impl FnMut(T) -> Result<Plain>,
) -> Result<Vec<Plain>> {
    values.into_iter().map(convert).collect()
}

/// Converts a list's elements on their way in, into a list or set.
///
/// # Errors
///
/// Those of `convert`.
pub fn read_each<'p, Plain, T, List: FromIterator<T>>(
    plain: &'p [Plain],
    convert: impl FnMut(&'p Plain) -> Result<T>,
) -> Result<List> {
    plain.iter().map(convert).collect()
}

fn bad_value(field: &'static str, error: &dyn Display) -> Error {
    Error::bad_value(field, error)
}
