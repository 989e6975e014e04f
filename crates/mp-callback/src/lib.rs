//! Offers local objects and closures to a peer process, and takes them back.

mod call_future;
mod convert;
pub mod endpoint;
mod interface;
mod log;
mod objects;
mod proxy_client;
mod server_call;
mod server_object;

pub use capnp;
use mp_conn::{Connection, Reference};
pub use mp_conn::{Error, proxy_capnp};

pub use self::call_future::CallFuture;
pub use self::convert::*;
pub use self::interface::{Interface, InterfaceInfo, Method, cast};
pub use self::objects::Objects;
pub use self::proxy_client::ProxyClient;
pub use self::server_call::{Reply, ServerCall};
pub use self::server_object::ServerObject;

/// Takes the thread map that a peer gave.
fn take_thread_map(connection: &Connection, given: Option<&Reference>) -> Result<(), Error> {
    match given {
        Some(Reference::Remote(capability)) => {
            mp_thread::set_thread_map(connection, Some(capability))
        }
        _ => mp_thread::set_thread_map(connection, None),
    }
}
