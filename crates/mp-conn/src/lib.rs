//! Cap'n Proto RPC connections with Send + Sync handles.
#![warn(missing_docs)]

mod call;
mod capability;
mod connection;
mod dispatcher;
mod error;
mod event_loop;
mod inner;
mod leader;
mod limits;
mod log;
mod message;
mod object;
#[doc(hidden)]
pub mod proxy_capnp;
mod server_call;
mod spawn;
mod stream;
mod vat;

pub use self::call::{Call, CallContext, Threads};
pub use self::capability::{Capability, Reference};
pub use self::connection::{Connection, Stats, WeakConnection};
pub use self::error::{Error, RemoteKind};
pub use self::event_loop::EventLoop;
pub use self::inner::panic_text;
pub use self::leader::{Leader, Signal, Waiting};
pub use self::limits::Limits;
pub use self::message::{Message, ticket, ticket_index};
pub use self::object::Object;
pub use self::server_call::{Cancellation, ParamsHandle, ServerCall, ThreadRef};
pub use self::spawn::{Process, spawn};
pub use self::stream::{Stream, connect, serve};
pub use self::vat::transport::ByteStream;
