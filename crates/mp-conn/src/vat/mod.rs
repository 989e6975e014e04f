//! The vat: all of one connection that is not thread-safe, behind one lock.
//!
//! Whoever holds the lock drives the vat. See ARCHITECTURE.md for the rules.

pub(crate) mod arrivals;
pub(crate) mod confined;
pub(crate) mod content;
pub(crate) mod frame;
pub(crate) mod gate;
pub(crate) mod imported;
pub(crate) mod inbox;
pub(crate) mod ledger;
pub(crate) mod local;
pub(crate) mod memory;
pub(crate) mod network;
pub(crate) mod outbox;
pub(crate) mod outgoing;
pub(crate) mod promised;
pub(crate) mod raw;
pub(crate) mod read_buffers;
pub(crate) mod resolution;
pub(crate) mod shared;
pub(crate) mod state;
pub(crate) mod transport;
