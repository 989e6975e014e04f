//! What generated code calls besides the proxies themselves: values into messages and out of them, and typed methods.
//!
//! Generated code knows the fields of a message; everything that is the same for each of them is here, so that what is
//! generated stays short. [`Build`] and [`Read`] are implemented by generated structs, and here by everything they
//! consist of. They are keyed on the accessor types of the `capnp` crate, so that a `Vec<u8>` can be `Data` in one field
//! and a `List(UInt8)` in the next.
//!
//! Thread: any. Nothing here blocks or takes a lock, except [`Mode::call`], which is the call itself.

mod build;
mod bytes;
mod field;
mod list;
mod map;
mod method;
mod mode;
mod object;
mod read;
mod typed_future;

pub use build::{Build, Built, build, fill};
pub use bytes::Bytes;
pub use field::{
    BuildField, ConvertError, ReadField, build_each, build_element, build_field, read_each,
    read_field,
};
pub use list::{ListBuilder, ListReader};
pub use map::{build_map, read_map};
pub use method::{Scope, Typed, generator_version, serve, serve_async};
pub use mode::{Async, Blocking, Mode, ObjectField, TypedError, catch, object_field};
pub use object::{fmt_object, object};
pub use read::{Read, constant, enumerant, member, read, read_with, schema_default, when};
pub use typed_future::{TypedFuture, TypedObjectFuture};

/// The result of a method, as generated signatures write it.
pub type Result<T, E = crate::Error> = std::result::Result<T, E>;
