//! Lists and sets, of anything.

use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use capnp::capability::FromClientHook;
use capnp::private::layout::PrimitiveElement;
use capnp::traits::{IndexMove, Owned, OwnedStruct};
use capnp::{
    capability_list, data_list, enum_list, list_list, primitive_list, struct_list, text, text_list,
};

use super::build::checked_size;
use super::{Build, Read, Result, enumerant, read, read_with};
use crate::{Interface, Objects};

/// A list in a message that is being built, whose elements are made from `T`s.
pub trait ListBuilder<T: ?Sized> {
    /// Writes one element.
    ///
    /// # Errors
    ///
    /// As [`Build::build`].
    fn put(&mut self, index: u32, value: &T, objects: &mut Objects) -> Result<()>;
}

impl<P: PrimitiveElement + Copy> ListBuilder<P> for primitive_list::Builder<'_, P> {
    fn put(&mut self, index: u32, value: &P, _: &mut Objects) -> Result<()> {
        self.set(index, *value);
        Ok(())
    }
}

impl<E: Into<u16> + Copy, T: Into<E> + Copy> ListBuilder<T> for enum_list::Builder<'_, E>
where
    E: TryFrom<u16, Error = capnp::NotInSchema>,
{
    fn put(&mut self, index: u32, value: &T, _: &mut Objects) -> Result<()> {
        self.set(index, (*value).into());
        Ok(())
    }
}

impl ListBuilder<String> for text_list::Builder<'_> {
    fn put(&mut self, index: u32, value: &String, _: &mut Objects) -> Result<()> {
        self.set(index, value);
        Ok(())
    }
}

/// Text by configuration as bytes.
impl ListBuilder<Vec<u8>> for text_list::Builder<'_> {
    fn put(&mut self, index: u32, value: &Vec<u8>, _: &mut Objects) -> Result<()> {
        self.set(index, text::Reader(value));
        Ok(())
    }
}

impl ListBuilder<Vec<u8>> for data_list::Builder<'_> {
    fn put(&mut self, index: u32, value: &Vec<u8>, _: &mut Objects) -> Result<()> {
        self.set(index, value);
        Ok(())
    }
}

impl<T, W: OwnedStruct> ListBuilder<T> for struct_list::Builder<'_, W>
where
    T: for<'a> Build<W::Builder<'a>>,
{
    fn put(&mut self, index: u32, value: &T, objects: &mut Objects) -> Result<()> {
        value.build(self.reborrow().get(index), objects)
    }
}

impl<T, W: Owned> ListBuilder<T> for list_list::Builder<'_, W>
where
    T: for<'a> Build<W::Builder<'a>>,
{
    fn put(&mut self, index: u32, value: &T, objects: &mut Objects) -> Result<()> {
        let size = checked_size(value.size())?;
        value.build(self.reborrow().init(index, size), objects)
    }
}

impl<I: Interface + ?Sized, C: FromClientHook> ListBuilder<Arc<I>>
    for capability_list::Builder<'_, C>
{
    fn put(&mut self, index: u32, value: &Arc<I>, objects: &mut Objects) -> Result<()> {
        self.set(index, objects.set(value));
        Ok(())
    }
}

/// `None` stays the null that the list was made with.
impl<I: Interface + ?Sized, C: FromClientHook> ListBuilder<Option<Arc<I>>>
    for capability_list::Builder<'_, C>
{
    fn put(&mut self, index: u32, value: &Option<Arc<I>>, objects: &mut Objects) -> Result<()> {
        match value {
            Some(value) => self.put(index, value, objects),
            None => Ok(()),
        }
    }
}

impl<T, B: ListBuilder<T>> Build<B> for [T] {
    fn size(&self) -> usize {
        self.len()
    }

    fn build(&self, builder: B, objects: &mut Objects) -> Result<()> {
        put_all(self, builder, objects)
    }
}

impl<T, B: ListBuilder<T>> Build<B> for Vec<T> {
    fn size(&self) -> usize {
        self.len()
    }

    fn build(&self, builder: B, objects: &mut Objects) -> Result<()> {
        put_all(self, builder, objects)
    }
}

impl<T, B: ListBuilder<T>> Build<B> for BTreeSet<T> {
    fn size(&self) -> usize {
        self.len()
    }

    fn build(&self, builder: B, objects: &mut Objects) -> Result<()> {
        put_all(self, builder, objects)
    }
}

impl<T, S, B: ListBuilder<T>> Build<B> for HashSet<T, S> {
    fn size(&self) -> usize {
        self.len()
    }

    fn build(&self, builder: B, objects: &mut Objects) -> Result<()> {
        put_all(self, builder, objects)
    }
}

/// A list in a message that was received, whose elements become `T`s.
pub trait ListReader<T>: Sized {
    /// Reads all elements, in order.
    ///
    /// # Errors
    ///
    /// As [`Read::read`].
    fn each(self, field: &'static str, objects: &Objects, put: impl FnMut(T)) -> Result<()>;
}

impl<P: PrimitiveElement> ListReader<P> for primitive_list::Reader<'_, P> {
    fn each(self, _: &'static str, _: &Objects, put: impl FnMut(P)) -> Result<()> {
        self.iter().for_each(put);
        Ok(())
    }
}

impl<E: TryFrom<u16, Error = capnp::NotInSchema>, T: From<E>> ListReader<T>
    for enum_list::Reader<'_, E>
{
    fn each(self, field: &'static str, _: &Objects, mut put: impl FnMut(T)) -> Result<()> {
        self.iter()
            .try_for_each(|value| enumerant(value, field).map(&mut put))
    }
}

impl<'a, T: Read<text::Reader<'a>>> ListReader<T> for text_list::Reader<'a> {
    fn each(self, field: &'static str, _: &Objects, mut put: impl FnMut(T)) -> Result<()> {
        self.iter()
            .try_for_each(|value| read(value, field).map(&mut put))
    }
}

impl ListReader<Vec<u8>> for data_list::Reader<'_> {
    fn each(self, field: &'static str, _: &Objects, mut put: impl FnMut(Vec<u8>)) -> Result<()> {
        self.iter()
            .try_for_each(|value| read(value, field).map(&mut put))
    }
}

impl<'a, T, W: OwnedStruct> ListReader<T> for struct_list::Reader<'a, W>
where
    T: Read<W::Reader<'a>>,
    Self: IndexMove<u32, W::Reader<'a>>,
{
    fn each(self, field: &'static str, objects: &Objects, mut put: impl FnMut(T)) -> Result<()> {
        self.iter()
            .try_for_each(|value| T::read(value, field, objects).map(&mut put))
    }
}

impl<'a, T, W: Owned> ListReader<T> for list_list::Reader<'a, W>
where
    T: Read<W::Reader<'a>>,
{
    fn each(self, field: &'static str, objects: &Objects, mut put: impl FnMut(T)) -> Result<()> {
        self.iter()
            .try_for_each(|value| read_with(value, field, objects).map(&mut put))
    }
}

impl<I: Interface + ?Sized, C: FromClientHook> ListReader<Arc<I>>
    for capability_list::Reader<'_, C>
{
    fn each(
        self,
        field: &'static str,
        objects: &Objects,
        mut put: impl FnMut(Arc<I>),
    ) -> Result<()> {
        self.iter()
            .try_for_each(|client| objects.get(client, field).map(&mut put))
    }
}

/// Null elements are `None`.
impl<I: Interface + ?Sized, C: FromClientHook> ListReader<Option<Arc<I>>>
    for capability_list::Reader<'_, C>
{
    fn each(
        self,
        field: &'static str,
        objects: &Objects,
        mut put: impl FnMut(Option<Arc<I>>),
    ) -> Result<()> {
        self.iter()
            .try_for_each(|client| objects.get_optional(client, field).map(&mut put))
    }
}

/// Grows as elements come: their number is the peer's to say, and need not be true.
impl<T, R: ListReader<T>> Read<R> for Vec<T> {
    fn read(reader: R, field: &'static str, objects: &Objects) -> Result<Self> {
        let mut list = Self::new();
        reader.each(field, objects, |value| list.push(value))?;
        Ok(list)
    }
}

/// Duplicates collapse.
impl<T: Ord, R: ListReader<T>> Read<R> for BTreeSet<T> {
    fn read(reader: R, field: &'static str, objects: &Objects) -> Result<Self> {
        let mut set = Self::new();
        reader.each(field, objects, |value| {
            set.insert(value);
        })?;
        Ok(set)
    }
}

/// Duplicates collapse.
impl<T: Hash + Eq, S: BuildHasher + Default, R: ListReader<T>> Read<R> for HashSet<T, S> {
    fn read(reader: R, field: &'static str, objects: &Objects) -> Result<Self> {
        let mut set = Self::default();
        reader.each(field, objects, |value| {
            set.insert(value);
        })?;
        Ok(set)
    }
}

fn put_all<'v, T: 'v, B: ListBuilder<T>>(
    values: impl IntoIterator<Item = &'v T>,
    mut builder: B,
    objects: &mut Objects,
) -> Result<()> {
    (0..)
        .zip(values)
        .try_for_each(|(index, value)| builder.put(index, value, objects))
}
