//! What a thread has at each of its peers.

use std::collections::BTreeMap;

use mp_conn::WeakConnection;

/// An entry that is worth nothing when its connection has ended.
pub(crate) struct Counterpart<T> {
    pub(crate) connection: WeakConnection,
    pub(crate) value: T,
}

/// Takes the entries of ended connections out.
pub(crate) fn take_ended<T>(entries: &mut BTreeMap<u64, Counterpart<T>>) -> Vec<Counterpart<T>> {
    let ended = |(id, entry): (&u64, &Counterpart<T>)| (!is_open(&entry.connection)).then_some(*id);
    let ended: Vec<u64> = entries.iter().filter_map(ended).collect();
    ended.iter().filter_map(|id| entries.remove(id)).collect()
}

fn is_open(connection: &WeakConnection) -> bool {
    connection
        .upgrade()
        .is_some_and(|connection| !connection.is_closed())
}
