//! Lists and sets, of anything.

use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasher, Hash};

use capnp::private::layout::PrimitiveElement;
use capnp::traits::{IndexMove, Owned, OwnedStruct};
use capnp::{data_list, enum_list, list_list, primitive_list, struct_list, text, text_list};

use super::build::checked_size;
use super::{Build, Read, Result, enumerant, read};

/// A list in a message that is being built, whose elements are made from `T`s.
pub trait ListBuilder<T: ?Sized> {
    /// Writes one element.
    ///
    /// # Errors
    ///
    /// As [`Build::build`].
    fn put(&mut self, index: u32, value: &T) -> Result<()>;
}

impl<P: PrimitiveElement + Copy> ListBuilder<P> for primitive_list::Builder<'_, P> {
    fn put(&mut self, index: u32, value: &P) -> Result<()> {
        self.set(index, *value);
        Ok(())
    }
}

impl<E: Into<u16> + Copy, T: Into<E> + Copy> ListBuilder<T> for enum_list::Builder<'_, E>
where
    E: TryFrom<u16, Error = capnp::NotInSchema>,
{
    fn put(&mut self, index: u32, value: &T) -> Result<()> {
        self.set(index, (*value).into());
        Ok(())
    }
}

impl ListBuilder<String> for text_list::Builder<'_> {
    fn put(&mut self, index: u32, value: &String) -> Result<()> {
        self.set(index, value);
        Ok(())
    }
}

/// Text by configuration as bytes.
impl ListBuilder<Vec<u8>> for text_list::Builder<'_> {
    fn put(&mut self, index: u32, value: &Vec<u8>) -> Result<()> {
        self.set(index, text::Reader(value));
        Ok(())
    }
}

impl ListBuilder<Vec<u8>> for data_list::Builder<'_> {
    fn put(&mut self, index: u32, value: &Vec<u8>) -> Result<()> {
        self.set(index, value);
        Ok(())
    }
}

impl<T, W: OwnedStruct> ListBuilder<T> for struct_list::Builder<'_, W>
where
    T: for<'a> Build<W::Builder<'a>>,
{
    fn put(&mut self, index: u32, value: &T) -> Result<()> {
        value.build(self.reborrow().get(index))
    }
}

impl<T, W: Owned> ListBuilder<T> for list_list::Builder<'_, W>
where
    T: for<'a> Build<W::Builder<'a>>,
{
    fn put(&mut self, index: u32, value: &T) -> Result<()> {
        let size = checked_size(value.size())?;
        value.build(self.reborrow().init(index, size))
    }
}

impl<T, B: ListBuilder<T>> Build<B> for [T] {
    fn size(&self) -> usize {
        self.len()
    }

    fn build(&self, builder: B) -> Result<()> {
        put_all(self, builder)
    }
}

impl<T, B: ListBuilder<T>> Build<B> for Vec<T> {
    fn size(&self) -> usize {
        self.len()
    }

    fn build(&self, builder: B) -> Result<()> {
        put_all(self, builder)
    }
}

impl<T, B: ListBuilder<T>> Build<B> for BTreeSet<T> {
    fn size(&self) -> usize {
        self.len()
    }

    fn build(&self, builder: B) -> Result<()> {
        put_all(self, builder)
    }
}

impl<T, S, B: ListBuilder<T>> Build<B> for HashSet<T, S> {
    fn size(&self) -> usize {
        self.len()
    }

    fn build(&self, builder: B) -> Result<()> {
        put_all(self, builder)
    }
}

/// A list in a message that was received, whose elements become `T`s.
pub trait ListReader<T>: Sized {
    /// Reads all elements, in order.
    ///
    /// # Errors
    ///
    /// As [`Read::read`].
    fn each(self, field: &'static str, put: impl FnMut(T)) -> Result<()>;
}

impl<P: PrimitiveElement> ListReader<P> for primitive_list::Reader<'_, P> {
    fn each(self, _field: &'static str, put: impl FnMut(P)) -> Result<()> {
        self.iter().for_each(put);
        Ok(())
    }
}

impl<E: TryFrom<u16, Error = capnp::NotInSchema>, T: From<E>> ListReader<T>
    for enum_list::Reader<'_, E>
{
    fn each(self, field: &'static str, mut put: impl FnMut(T)) -> Result<()> {
        self.iter()
            .try_for_each(|value| enumerant(value, field).map(&mut put))
    }
}

impl<'a, T: Read<text::Reader<'a>>> ListReader<T> for text_list::Reader<'a> {
    fn each(self, field: &'static str, mut put: impl FnMut(T)) -> Result<()> {
        self.iter()
            .try_for_each(|value| read(value, field).map(&mut put))
    }
}

impl ListReader<Vec<u8>> for data_list::Reader<'_> {
    fn each(self, field: &'static str, mut put: impl FnMut(Vec<u8>)) -> Result<()> {
        self.iter()
            .try_for_each(|value| read(value, field).map(&mut put))
    }
}

impl<'a, T, W: OwnedStruct> ListReader<T> for struct_list::Reader<'a, W>
where
    T: Read<W::Reader<'a>>,
    Self: IndexMove<u32, W::Reader<'a>>,
{
    fn each(self, field: &'static str, mut put: impl FnMut(T)) -> Result<()> {
        self.iter()
            .try_for_each(|value| T::read(value, field).map(&mut put))
    }
}

impl<'a, T, W: Owned> ListReader<T> for list_list::Reader<'a, W>
where
    T: Read<W::Reader<'a>>,
{
    fn each(self, field: &'static str, mut put: impl FnMut(T)) -> Result<()> {
        self.iter()
            .try_for_each(|value| read(value, field).map(&mut put))
    }
}

/// Grows as elements come: their number is the peer's to say, and need not be true.
impl<T, R: ListReader<T>> Read<R> for Vec<T> {
    fn read(reader: R, field: &'static str) -> Result<Self> {
        let mut list = Self::new();
        reader.each(field, |value| list.push(value))?;
        Ok(list)
    }
}

/// Duplicates collapse.
impl<T: Ord, R: ListReader<T>> Read<R> for BTreeSet<T> {
    fn read(reader: R, field: &'static str) -> Result<Self> {
        let mut set = Self::new();
        reader.each(field, |value| {
            set.insert(value);
        })?;
        Ok(set)
    }
}

/// Duplicates collapse.
impl<T: Hash + Eq, S: BuildHasher + Default, R: ListReader<T>> Read<R> for HashSet<T, S> {
    fn read(reader: R, field: &'static str) -> Result<Self> {
        let mut set = Self::default();
        reader.each(field, |value| {
            set.insert(value);
        })?;
        Ok(set)
    }
}

fn put_all<'v, T: 'v, B: ListBuilder<T>>(
    values: impl IntoIterator<Item = &'v T>,
    mut builder: B,
) -> Result<()> {
    (0..)
        .zip(values)
        .try_for_each(|(index, value)| builder.put(index, value))
}
