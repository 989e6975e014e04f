//! Offers local objects and closures to a peer process, and takes them back.
//!
//! A [`ServerObject`] is an object of this process as the peer sees it; a [`ProxyClient`] is an object of the peer as this
//! process sees it. Both work on the untyped calls of `mp-conn`, on the threads that `mp-thread` chooses. An interface is
//! described by an [`Interface`] implementation for `dyn X`, which `mp-gen` writes; this is what it looks like for an
//! interface with one method, written by hand:
//!
//! ```
//! use std::os::unix::net::UnixStream;
//! use std::sync::Arc;
//!
//! use capnp::any_pointer::Owned as Any;
//! use mp_callback::{Error, Interface, InterfaceInfo, Method, ProxyClient, Reply, ServerCall};
//! use mp_callback::endpoint::Options;
//! use mp_conn::EventLoop;
//!
//! trait Greeter: Send + Sync + 'static {
//!     fn greet(&self, name: &str) -> Result<String, Error>;
//!     fn as_greeter_client(&self) -> Option<&ProxyClient> {
//!         None
//!     }
//! }
//!
//! #[derive(Clone)]
//! struct GreeterClient(ProxyClient);
//!
//! static GREET: Method = Method {
//!     interface: "Greeter",
//!     name: "greet",
//!     interface_id: 0xe1,
//!     ordinal: 0,
//!     context: None,
//!     thread_map_param: None,
//!     thread_map_result: None,
//!     apart_params: false,
//!     apart_results: false,
//! };
//!
//! impl Greeter for GreeterClient {
//!     fn greet(&self, name: &str) -> Result<String, Error> {
//!         self.0.call::<Any, Any, String>(
//!             &GREET,
//!             |mut params, _| Ok(params.set_as::<capnp::text::Owned>(name)?),
//!             |results, _| mp_callback::read(results.get_as::<capnp::text::Reader>(), "result"),
//!         )
//!     }
//!     fn as_greeter_client(&self) -> Option<&ProxyClient> {
//!         Some(&self.0)
//!     }
//! }
//!
//! impl Interface for dyn Greeter {
//!     type Client = GreeterClient;
//!     const INFO: &'static InterfaceInfo = &InterfaceInfo {
//!         name: "Greeter",
//!         id: 0xe1,
//!         methods: &[&GREET],
//!         construct: None,
//!         destroy: None,
//!     };
//!     fn from_proxy(proxy: ProxyClient) -> GreeterClient {
//!         GreeterClient(proxy)
//!     }
//!     fn into_object(client: GreeterClient) -> Arc<Self> {
//!         Arc::new(client)
//!     }
//!     fn as_proxy(&self) -> Option<&ProxyClient> {
//!         self.as_greeter_client()
//!     }
//!     fn dispatch(this: &Arc<Self>, call: ServerCall) -> Reply {
//!         call.run::<Any, Any, String, String>(
//!             &GREET,
//!             |params, _| mp_callback::read(params.get_as::<capnp::text::Reader>(), "name"),
//!             |name| this.greet(&name),
//!             |greeting, mut results, _| Ok(results.set_as::<capnp::text::Owned>(&*greeting)?),
//!         )
//!     }
//! }
//!
//! struct Polite;
//!
//! impl Greeter for Polite {
//!     fn greet(&self, name: &str) -> Result<String, Error> {
//!         Ok(format!("Good morning, {name}."))
//!     }
//! }
//!
//! # fn main() -> Result<(), Error> {
//! let event_loop = EventLoop::new("greeter")?;
//! let (ours, theirs) = UnixStream::pair()?;
//! let polite: Arc<dyn Greeter> = Arc::new(Polite);
//! let _server = Options::new().serve(&event_loop, theirs, polite)?;
//! let greeter = Options::new().connect::<dyn Greeter>(&event_loop, ours)?;
//! assert_eq!(greeter.greet("Ada")?, "Good morning, Ada.");
//! # Ok(())
//! # }
//! ```

mod async_call;
mod async_method;
mod async_server;
mod call_future;
mod convert;
pub mod endpoint;
mod epilogue;
mod interface;
mod log;
mod object_future;
mod objects;
mod proxy_client;
mod queued_call;
mod server_call;
mod server_object;
mod wait_stream;

pub use capnp;
use mp_conn::{Connection, Reference};
pub use mp_conn::{Error, proxy_capnp};

pub use self::async_server::{AsyncServer, Task};
pub use self::call_future::CallFuture;
pub use self::convert::*;
pub use self::interface::{Interface, InterfaceInfo, Method, Upcast, cast, client, upcast};
pub use self::object_future::ObjectFuture;
pub use self::objects::Objects;
pub use self::proxy_client::ProxyClient;
pub use self::server_call::{Reply, ServerCall};
pub use self::server_object::ServerObject;
pub use self::wait_stream::{Interruptible, WaitStream, wait_stream};
pub use std::any::TypeId;

/// Takes the thread map that a peer gave.
fn take_thread_map(connection: &Connection, given: Option<Reference>) -> Result<(), Error> {
    match given {
        Some(Reference::Remote(capability)) => {
            mp_thread::set_thread_map(connection, Some(capability))
        }
        _ => mp_thread::set_thread_map(connection, None),
    }
}
