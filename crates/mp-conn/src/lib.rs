//! Cap'n Proto RPC connections whose handles any thread may use.
//!
//! `capnp-rpc` runs a connection on one thread, with objects that cannot leave it. Here everything of a connection lives in a
//! *vat* behind one lock, and threads take turns inside: a thread that calls builds its request and writes it to the socket
//! itself, a thread that waits reads the socket itself, and an [`EventLoop`]'s thread does what nobody else does. Outside of
//! the vat an object is a key in a handle, so handles are `Send + Sync`.
//!
//! This crate carries untyped calls. What threads they run on is `mp-thread`'s business, typed objects are `mp-callback`'s;
//! programs use the crate `multiprocess`, which puts them together.
//!
//! ```
//! use std::os::unix::net::UnixStream;
//! use std::sync::Arc;
//!
//! use mp_conn::{CallContext, Connection, Error, EventLoop, Limits, Object, ServerCall};
//!
//! /// Answers every call with the text that it was given.
//! struct Echo;
//!
//! impl Object for Echo {
//!     fn context_field(&self, _interface_id: u64, _ordinal: u16) -> Option<u16> {
//!         None
//!     }
//!
//!     fn call(&self, call: ServerCall) {
//!         let text = call.read_params(|params| {
//!             Ok(params.get_as::<capnp::text::Reader>()?.as_bytes().to_vec())
//!         });
//!         match text {
//!             Ok(text) => call
//!                 .reply(&[], |mut results| {
//!                     Ok(results.set_as::<capnp::text::Owned>(capnp::text::Reader(&text))?)
//!                 })
//!                 .unwrap_or_default(),
//!             Err(error) => call.fail(&error),
//!         }
//!     }
//! }
//!
//! # fn main() -> Result<(), Error> {
//! let event_loop = EventLoop::new("echo")?;
//! let (ours, theirs) = UnixStream::pair()?;
//! let _server = mp_conn::serve(&event_loop, theirs, Arc::new(Echo), Limits::default())?;
//! let echo = mp_conn::connect(&event_loop, ours, Limits::default())?;
//!
//! let (interface, method) = (0x1234, 0);
//! let mut call = Connection::call(&echo, interface, method, &CallContext::default(), |mut params| {
//!     Ok(params.set_as::<capnp::text::Owned>("hello")?)
//! })?;
//! let mut read = Some(|results: capnp::any_pointer::Reader<'_>| {
//!     Ok(results.get_as::<capnp::text::Reader>()?.to_string().unwrap_or_default())
//! });
//! let answer = futures::executor::block_on(std::future::poll_fn(|context| {
//!     call.poll_read(context.waker(), &mut read)
//! }));
//! assert_eq!(answer?, "hello");
//! # Ok(())
//! # }
//! ```

mod access;
mod address;
mod before_answer;
mod bell;
mod call;
mod call_inside;
mod cancellation;
mod capability;
mod closing;
mod connection;
mod contain;
mod dispatcher;
mod error;
mod event_loop;
mod inner;
mod leader;
mod lent;
mod limits;
mod listen;
mod log;
mod message;
mod object;
#[doc(hidden)]
pub mod proxy_capnp;
mod room;
mod server_call;
mod signal;
mod spawn;
mod stream;
mod vat;
mod waker;
mod writing;

/// What `tests/loom.rs` checks. Not public API.
#[doc(hidden)]
pub mod model {
    pub use crate::event_loop::reading::{Interest, Reading, Watcher};
    pub use crate::vat::gate::Gate;
}

pub use self::access::{Peer, Peers};
pub use self::address::Address;
pub use self::bell::{Bell, Listening};
pub use self::call::{Call, CallContext, Threads};
pub use self::call_inside::{CallInside, Objects};
pub use self::cancellation::Cancellation;
pub use self::capability::{Capability, Reference};
pub use self::connection::{Connection, Stats, WeakConnection};
pub use self::contain::{caught, contained, unattended};
pub use self::error::{Error, RemoteKind};
pub use self::event_loop::{EventLoop, Sleep};
pub use self::leader::{Leader, Waiting};
pub use self::lent::{Lender, LentBytes};
pub use self::limits::Limits;
pub use self::listen::{ListenOn, ListenOptions, Listener, listen};
pub use self::message::{Message, ticket, ticket_index};
pub use self::object::Object;
pub use self::server_call::{ParamsHandle, ServerCall, ThreadRef};
pub use self::signal::Signal;
pub use self::spawn::{Process, spawn};
pub use self::stream::{Stream, connect, connect_and_call, serve};
pub use self::vat::arrivals::Arrivals;
pub use self::vat::transport::ByteStream;
