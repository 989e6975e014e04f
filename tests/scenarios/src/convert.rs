//! Types of the scenarios' own that stand for fields of messages.

use std::borrow::Cow;

use multiprocess::{BuildField, ConvertError, ReadField};

use crate::Local;

/// A temperature, carried as text.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "tests make them")]
pub struct Temperature {
    /// In degrees Celsius.
    pub degrees: i32,
}

impl BuildField<str, Local> for Temperature {
    fn build_field(&self) -> Result<Cow<'_, str>, ConvertError> {
        Ok(Cow::Owned(format!("{} degrees", self.degrees)))
    }
}

impl ReadField<str, Local> for Temperature {
    fn read_field(plain: &str) -> Result<Self, ConvertError> {
        let number = plain.strip_suffix(" degrees").ok_or("not in degrees")?;
        Ok(Self {
            degrees: number.parse()?,
        })
    }
}

/// Text that notes what is done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "tests make them")]
pub struct Trail(pub String);

impl BuildField<str, Local> for Trail {
    fn build_field(&self) -> Result<Cow<'_, str>, ConvertError> {
        Ok(Cow::Owned(format!("{} build", self.0)))
    }
}

impl ReadField<str, Local> for Trail {
    fn read_field(plain: &str) -> Result<Self, ConvertError> {
        Ok(Self(format!("{plain} read")))
    }
}

/// Blobs that may be missing: empty data stands for that.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "tests make them")]
pub struct Pointers(pub Vec<Option<Vec<u8>>>);

impl BuildField<[Vec<u8>], Local> for Pointers {
    fn build_field(&self) -> Result<Cow<'_, [Vec<u8>]>, ConvertError> {
        Ok(self
            .0
            .iter()
            .map(|blob| blob.clone().unwrap_or_default())
            .collect())
    }
}

impl ReadField<[Vec<u8>], Local> for Pointers {
    fn read_field(plain: &[Vec<u8>]) -> Result<Self, ConvertError> {
        let pointer = |blob: &Vec<u8>| (!blob.is_empty()).then(|| blob.clone());
        Ok(Self(plain.iter().map(pointer).collect()))
    }
}

/// An enumeration that is carried as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests match on it")]
pub enum Size {
    /// 1.
    Small,
    /// 2.
    Large,
}

impl BuildField<i32, Local> for Size {
    fn build_field(&self) -> Result<Cow<'_, i32>, ConvertError> {
        Ok(Cow::Owned(match self {
            Self::Small => 1,
            Self::Large => 2,
        }))
    }
}

impl ReadField<i32, Local> for Size {
    fn read_field(plain: &i32) -> Result<Self, ConvertError> {
        match plain {
            1 => Ok(Self::Small),
            2 => Ok(Self::Large),
            other => Err(format!("no size has the number {other}").into()),
        }
    }
}
