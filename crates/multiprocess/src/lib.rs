//! Calls between processes that look like calls in one process.
//!
//! An interface that is described in a `.capnp` file becomes a Rust trait. In one process a caller holds an implementation of
//! the trait, across processes it holds a client that implements the same trait. The build script generates it,
//!
//! ```text
//! fn main() -> Result<(), mp_gen::Error> {
//!     mp_gen::Builder::new().src_prefix("schema").file("schema/greeter.capnp").compile()
//! }
//! ```
//!
//! [`include_proxies!`] puts it into the program, and what is left to write is the trait's implementation:
//!
//! ```
//! # use std::os::unix::net::UnixStream;
//! # use std::sync::Arc;
//! # use multiprocess::codegen::{Interface, InterfaceInfo, Method, ProxyClient, Reply, ServerCall, capnp};
//! # use capnp::any_pointer::Owned as Any;
//! use multiprocess::{Error, EventLoop};
//!
//! # trait Greeter: Send + Sync + 'static {
//! #     fn greet(&self, name: &str) -> Result<String, Error>;
//! #     fn as_greeter_client(&self) -> Option<&ProxyClient> {
//! #         None
//! #     }
//! # }
//! # #[derive(Clone)]
//! # struct GreeterClient(ProxyClient);
//! # static GREET: Method = Method {
//! #     interface: "Greeter",
//! #     name: "greet",
//! #     interface_id: 0xe1,
//! #     ordinal: 0,
//! #     context: None,
//! #     thread_map_param: None,
//! #     thread_map_result: None,
//! #     apart_params: false,
//! #     apart_results: false,
//! # };
//! # impl Greeter for GreeterClient {
//! #     fn greet(&self, name: &str) -> Result<String, Error> {
//! #         self.0.call::<Any, Any, String>(
//! #             &GREET,
//! #             |mut params, _| Ok(params.set_as::<capnp::text::Owned>(name)?),
//! #             |results, _| multiprocess::codegen::read(results.get_as::<capnp::text::Reader>(), "result"),
//! #         )
//! #     }
//! #     fn as_greeter_client(&self) -> Option<&ProxyClient> {
//! #         Some(&self.0)
//! #     }
//! # }
//! # impl Interface for dyn Greeter {
//! #     type Client = GreeterClient;
//! #     const INFO: &'static InterfaceInfo = &InterfaceInfo {
//! #         name: "Greeter",
//! #         id: 0xe1,
//! #         methods: &[&GREET],
//! #         construct: None,
//! #         destroy: None,
//! #     };
//! #     fn from_proxy(proxy: ProxyClient) -> GreeterClient {
//! #         GreeterClient(proxy)
//! #     }
//! #     fn into_object(client: GreeterClient) -> Arc<Self> {
//! #         Arc::new(client)
//! #     }
//! #     fn as_proxy(&self) -> Option<&ProxyClient> {
//! #         self.as_greeter_client()
//! #     }
//! #     fn dispatch(this: &Arc<Self>, call: ServerCall) -> Reply {
//! #         call.run::<Any, Any, String, String>(
//! #             &GREET,
//! #             |params, _| multiprocess::codegen::read(params.get_as::<capnp::text::Reader>(), "name"),
//! #             |name| this.greet(&name),
//! #             |greeting, mut results, _| Ok(results.set_as::<capnp::text::Owned>(&*greeting)?),
//! #         )
//! #     }
//! # }
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
//! let _connection = multiprocess::serve(&event_loop, theirs, polite)?;
//!
//! let greeter = multiprocess::connect::<dyn Greeter>(&event_loop, ours)?;
//! assert_eq!(greeter.greet("Ada")?, "Good morning, Ada.");
//! # Ok(())
//! # }
//! ```
//!
//! [`spawn`] starts a
//! program and connects to it, [`listen`] serves a socket's clients, [`Options`] sets limits and who may connect. Objects and
//! closures go both ways: what is passed as an argument can be called back at any time, on the thread that passed it.
//!
//! # Asynchronous programs
//!
//! Each blocking method has an async twin on the client (`greet_async`). The call goes out at once; its future is `Send`, runs on any
//! runtime, and can be dropped at any moment, which cancels the call. No thread of this process waits for it, and callbacks
//! run on the library's threads. A [`CallFuture`] can have a deadline of its own, and an object that a call gives can be
//! called before it is there:
//!
//! ```
//! # use std::time::Duration;
//! # use asynchronous::{async_desk::AsyncDesk, pair::Pair};
//! # use futures::future::try_join;
//! # use multiprocess::Error;
//! # fn main() -> Result<(), Error> {
//! # let desk = Pair::of(&AsyncDesk::new())?.desk;
//! # futures::executor::block_on(async {
//! // One round trip for all three calls.
//! let room = desk.open_async(7).pipelined()?;
//! let (name, number) = try_join(room.name_async(), room.number_async()).await?;
//! assert_eq!((name.as_str(), number), ("room 7", 7));
//!
//! let late = desk.wait_async(1).with_timeout(Duration::from_millis(10)).await;
//! assert!(matches!(late, Err(Error::TimedOut)));
//! # Ok(())
//! # })
//! # }
//! ```
//!
//! An implementation can be asynchronous, too. With `.async_trait("Room")` in the build script, the trait `RoomAsync` is written
//! beside `Room`, and an [`AsyncServer`] makes a `Room` of its implementations. Their methods occupy no thread: they run on
//! the connection's event loop, or on an executor of yours.
//!
//! ```
//! # use std::os::unix::net::UnixStream;
//! # use std::sync::Arc;
//! # use asynchronous::desk::{NamedAsync, Room, RoomAsync};
//! # use multiprocess::{AsyncServer, Error, EventLoop};
//! struct Attic;
//!
//! impl RoomAsync for Attic {
//!     async fn number(&self) -> Result<i32, Error> {
//!         Ok(13)
//!     }
//! }
//! # impl NamedAsync for Attic {
//! #     async fn name(&self) -> Result<String, Error> {
//! #         Ok("attic".to_owned())
//! #     }
//! # }
//!
//! # fn main() -> Result<(), Error> {
//! # let event_loop = EventLoop::new("house")?;
//! # let (ours, theirs) = UnixStream::pair()?;
//! let attic: Arc<dyn Room> = AsyncServer::new(Arc::new(Attic));
//! let _connection = multiprocess::serve(&event_loop, theirs, attic)?;
//! # let room = multiprocess::connect::<dyn Room>(&event_loop, ours)?;
//! # assert_eq!(room.number()?, 13);
//! # Ok(())
//! # }
//! ```
//!
//! A method that waits for something becomes a stream: [`wait_stream`] calls it again and again, and
//! [`interrupted_by`](CallFuture::interrupted_by) names what ends the wait at the peer when the stream is dropped.
//!
//! ```
//! # use asynchronous::{async_desk::AsyncDesk, pair::Pair};
//! # use futures::{TryFutureExt, TryStreamExt};
//! # fn main() -> Result<(), multiprocess::Error> {
//! # let server = AsyncDesk::new();
//! # server.on_wait(|number| async move { Ok(number) });
//! # let desk = Pair::of(&server)?.desk;
//! # futures::executor::block_on(async {
//! let mut numbers = multiprocess::wait_stream(|last: Option<&i32>| {
//!     let twin = desk.clone();
//!     let wait = desk.wait_async(last.map_or(1, |last| last + 1));
//!     wait.interrupted_by(move || twin.release_async().detach(())).map_ok(Some)
//! });
//! assert_eq!(numbers.try_next().await?, Some(1));
//! assert_eq!(numbers.try_next().await?, Some(2));
//! # Ok(())
//! # })
//! # }
//! ```

use std::process::Command;
use std::sync::Arc;

pub use mp_callback::endpoint::Options;
pub use mp_callback::{
    AsyncServer, BuildField, CallFuture, ConvertError, Interruptible, ObjectFuture, ReadField,
    Task, TypedFuture, TypedObjectFuture, WaitStream, cast, client, wait_stream,
};
pub use mp_conn::{
    Address, ByteStream, Cancellation, Connection, Error, EventLoop, Limits, ListenOn, Listener,
    Peer, Peers, Process, RemoteKind, Stats, Stream, WeakConnection,
};
pub use mp_thread::{cancellation, thread_name};

use self::codegen::Interface;

/// What generated code names. Not public API: it changes with the generator.
#[doc(hidden)]
pub mod codegen {
    pub use mp_callback::*;
    pub use std::sync::{Arc, LazyLock};
}

/// Includes what `mp_gen::Builder` wrote in the build script: a module for each schema file.
#[macro_export]
macro_rules! include_proxies {
    () => {
        include!(concat!(env!("OUT_DIR"), "/multiprocess.rs"));
    };
}

/// Starts a connection as its client, and takes the peer's first object: `connect::<dyn Init>(..)` gives an `InitClient`.
///
/// # Errors
///
/// [`Error::Io`] when the socket cannot be watched.
pub fn connect<I: Interface + ?Sized>(
    event_loop: &EventLoop,
    stream: impl Into<Stream>,
) -> Result<I::Client, Error> {
    Options::new().connect::<I>(event_loop, stream)
}

/// Starts a connection as its server, with the first object that the peer gets.
///
/// # Errors
///
/// [`Error::Io`] when the socket cannot be watched.
pub fn serve<I: Interface + ?Sized>(
    event_loop: &EventLoop,
    stream: impl Into<Stream>,
    object: Arc<I>,
) -> Result<Connection, Error> {
    Options::new().serve(event_loop, stream, object)
}

/// Accepts clients at a path, whose first object is this one, until the listener is dropped. [`Options`] says how many, and
/// whose.
///
/// The socket is made with mode 0600, and its directory, if it is missing, with mode 0700. A stale socket is replaced;
/// anything else that is at the path is not. Clients of other users are refused.
///
/// # Errors
///
/// [`Error::Address`] for a path that cannot be a socket's; [`Error::Io`], which names the path, also when another process
/// listens there.
#[doc(alias = "ListenConnections")]
pub fn listen<I: Interface + ?Sized>(
    event_loop: &EventLoop,
    on: impl Into<ListenOn>,
    object: Arc<I>,
) -> Result<Listener, Error> {
    Options::new().listen(event_loop, on, object)
}

/// Starts a program with a connection to it. The number of its descriptor is added as the last argument.
///
/// # Errors
///
/// [`Error::Io`], which names the program: it cannot be found, or not be run. [`Error::ProcessEnded`] when it ended at once.
pub fn spawn<I: Interface + ?Sized>(
    event_loop: &EventLoop,
    command: Command,
) -> Result<(I::Client, Process), Error> {
    let (process, stream) = mp_conn::spawn(command)?;
    let client = connect::<I>(event_loop, stream).map_err(|error| process.explain(error))?;
    Ok((client, process))
}

/// The first number of this library's version.
#[doc(alias = "MP_MAJOR_VERSION")]
pub const VERSION_MAJOR: u32 = number(env!("CARGO_PKG_VERSION_MAJOR"));

/// The second number of this library's version.
#[doc(alias = "MP_MINOR_VERSION")]
pub const VERSION_MINOR: u32 = number(env!("CARGO_PKG_VERSION_MINOR"));

/// A decimal number, while compiling.
const fn number(text: &str) -> u32 {
    match u32::from_str_radix(text, 10) {
        Ok(number) => number,
        Err(_) => panic!("cargo gives decimal numbers"),
    }
}
