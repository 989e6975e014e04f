//! Schemas that ask much of the generator: that what it makes of them compiles without a warning is what most of this crate
//! shows; its tests run the rest.

use std::borrow::Cow;

use multiprocess::{BuildField, ConvertError, ReadField};

mod pair;

pub use self::pair::Pair;

/// Objects in structs and lists.
pub mod holders {
    include!(concat!(env!("OUT_DIR"), "/holders/multiprocess.rs"));
}

/// Names that clash.
pub mod names {
    include!(concat!(env!("OUT_DIR"), "/names/multiprocess.rs"));
}

/// Conversions of elements.
pub mod elements {
    include!(concat!(env!("OUT_DIR"), "/elements/multiprocess.rs"));
}

/// The schema of the generator's golden files.
pub mod shapes {
    include!(concat!(env!("OUT_DIR"), "/shapes/multiprocess.rs"));
}

/// An amount; as data, four bytes in the order of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "tests make them")]
pub struct Money(pub i32);

impl<Local> BuildField<[u8], Local> for Money {
    fn build_field(&self) -> Result<Cow<'_, [u8]>, ConvertError> {
        Ok(Cow::Owned(self.0.to_be_bytes().to_vec()))
    }
}

impl<Local> ReadField<[u8], Local> for Money {
    fn read_field(plain: &[u8]) -> Result<Self, ConvertError> {
        let bytes = plain.try_into()?;
        Ok(Self(i32::from_be_bytes(bytes)))
    }
}

/// What is sold: a name without spaces. It has no default.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "tests make them")]
pub struct Ware(pub String);

impl<Local> BuildField<str, Local> for Ware {
    fn build_field(&self) -> Result<Cow<'_, str>, ConvertError> {
        Ok(Cow::Borrowed(&self.0))
    }
}

impl<Local> ReadField<str, Local> for Ware {
    fn read_field(plain: &str) -> Result<Self, ConvertError> {
        match plain.contains(' ') {
            true => Err("a ware's name has no spaces".into()),
            false => Ok(Self(plain.to_owned())),
        }
    }
}

impl<Local> BuildField<shapes::shapes::Money, Local> for Money {
    fn build_field(&self) -> Result<Cow<'_, shapes::shapes::Money>, ConvertError> {
        Ok(Cow::Owned(shapes::shapes::Money {
            amount: self.0.into(),
            ..Default::default()
        }))
    }
}

impl<Local> ReadField<shapes::shapes::Money, Local> for Money {
    fn read_field(plain: &shapes::shapes::Money) -> Result<Self, ConvertError> {
        Ok(Self(plain.amount.try_into()?))
    }
}
