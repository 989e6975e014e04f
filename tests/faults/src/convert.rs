//! A type with a conversion of the user's, which may panic.

use std::borrow::Cow;

use multiprocess::{BuildField, ConvertError, ReadField};

use crate::Local;

/// Text whose conversions panic when it says so.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "tests make it")]
pub struct Fragile(pub String);

impl BuildField<str, Local> for Fragile {
    fn build_field(&self) -> Result<Cow<'_, str>, ConvertError> {
        assert!(self.0 != BREAKS_WHEN_BUILT, "cannot be built");
        Ok(Cow::Borrowed(&self.0))
    }
}

impl ReadField<str, Local> for Fragile {
    fn read_field(plain: &str) -> Result<Self, ConvertError> {
        assert!(plain != BREAKS_WHEN_READ, "cannot be read");
        Ok(Self(plain.to_owned()))
    }
}

/// A value whose conversion to a message panics.
pub const BREAKS_WHEN_BUILT: &str = "breaks when built";
/// A value whose conversion from a message panics.
pub const BREAKS_WHEN_READ: &str = "breaks when read";
