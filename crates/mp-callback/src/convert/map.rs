//! Maps: lists of structs with two fields, a key and a value.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

use capnp::struct_list;
use capnp::traits::{IndexMove, OwnedStruct};

use super::build::checked_size;
use super::{Built, Result};
use crate::Error;

/// Writes a map: `init` makes a list of its size, `put` fills in one entry.
///
/// # Errors
///
/// Those of `put`, and [`Error::BadValue`] for more entries than a list can have.
pub fn build_map<'b, 'm, K: 'm, V: 'm, W, M, R>(
    map: M,
    init: impl FnOnce(u32) -> struct_list::Builder<'b, W>,
    mut put: impl FnMut(&'m K, &'m V, W::Builder<'_>) -> R,
) -> Result<()>
where
    W: OwnedStruct,
    M: IntoIterator<Item = (&'m K, &'m V), IntoIter: ExactSizeIterator>,
    R: Built,
{
    let entries = map.into_iter();
    let mut list = init(checked_size(entries.len())?);
    (0..)
        .zip(entries)
        .try_for_each(|(index, (key, value))| put(key, value, list.reborrow().get(index)).built())
}

/// Reads a map: `get` reads one entry. Of several entries with one key, the first counts, as in the C++ library.
///
/// # Errors
///
/// Those of `get`, and [`Error::BadValue`] with the field's name for a list that cannot be read.
pub fn read_map<'r, K, V, W, M>(
    list: capnp::Result<struct_list::Reader<'r, W>>,
    field: &'static str,
    mut get: impl FnMut(W::Reader<'r>) -> Result<(K, V)>,
) -> Result<M>
where
    W: OwnedStruct,
    M: Map<K, V>,
    struct_list::Reader<'r, W>: IndexMove<u32, W::Reader<'r>>,
{
    let list = list.map_err(|error| Error::bad_value(field, error))?;
    let mut map = M::default();
    for entry in list.iter() {
        let (key, value) = get(entry)?;
        map.keep_first(key, value);
    }
    Ok(map)
}

/// The standard maps.
#[expect(unnameable_types, reason = "only the bound of `read_map`")]
pub trait Map<K, V>: Default {
    /// Inserts the entry unless the key is there.
    fn keep_first(&mut self, key: K, value: V);
}

impl<K: Ord, V> Map<K, V> for BTreeMap<K, V> {
    fn keep_first(&mut self, key: K, value: V) {
        self.entry(key).or_insert(value);
    }
}

impl<K: Hash + Eq, V, S: BuildHasher + Default> Map<K, V> for HashMap<K, V, S> {
    fn keep_first(&mut self, key: K, value: V) {
        self.entry(key).or_insert(value);
    }
}
