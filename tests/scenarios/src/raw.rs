//! Peers that are not this library: `capnp-rpc` alone, on a thread of its own, which may say what it likes.

use std::os::unix::net::UnixStream;

use async_io::Async;
use capnp_rpc::rpc_twoparty_capnp::Side;
use capnp_rpc::twoparty::VatNetwork;
use capnp_rpc::{Disconnector, RpcSystem};
use futures::executor::{LocalPool, LocalSpawner};
use futures::io::AsyncReadExt;
use futures::task::LocalSpawnExt;
use multiprocess::codegen::capnp;
use multiprocess::codegen::capnp::capability::FromClientHook;

use patience::{start, within_deadline};

/// Connects as a client, and runs a function with the peer's first object.
///
/// # Panics
///
/// When the function does, or takes too long.
pub fn client<C, F>(stream: UnixStream, body: impl FnOnce(C, Peer) -> F + Send + 'static)
where
    C: FromClientHook + 'static,
    F: Future<Output = ()> + 'static,
{
    within_deadline(move || {
        let mut pool = LocalPool::new();
        let (mut system, peer) = system(stream, Side::Client, None, pool.spawner());
        let first: C = system.bootstrap(Side::Server);
        spawn(&pool.spawner(), system);
        pool.run_until(body(first, peer));
    });
}

/// Serves an object until the peer closes the connection.
pub fn server<C: FromClientHook + 'static>(
    stream: UnixStream,
    first: impl FnOnce(Peer) -> C + Send + 'static,
) -> std::thread::JoinHandle<()> {
    start("raw server", move || {
        let mut pool = LocalPool::new();
        let peer = Peer {
            spawner: pool.spawner(),
            disconnector: None,
        };
        let first = capnp::capability::Client::new(first(peer).into_client_hook());
        let (system, _) = system(stream, Side::Server, Some(first), pool.spawner());
        // How the peer left does not matter.
        pool.run_until(system).ok();
    })
}

/// What a raw peer does beside calling.
#[expect(missing_debug_implementations, reason = "nothing in it can be shown")]
pub struct Peer {
    spawner: LocalSpawner,
    disconnector: Option<Disconnector<Side>>,
}

impl Peer {
    /// Has a future run beside the others.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.spawner.spawn_local(task).expect("the pool runs");
    }

    /// Ends the connection.
    pub async fn disconnect(&mut self) {
        if let Some(disconnector) = self.disconnector.take() {
            // A connection that is gone already is as good.
            disconnector.await.ok();
        }
    }
}

fn system(
    stream: UnixStream,
    side: Side,
    first: Option<capnp::capability::Client>,
    spawner: LocalSpawner,
) -> (RpcSystem<Side>, Peer) {
    let stream = Async::new(stream).expect("the socket can be watched");
    let (reader, writer) = stream.split();
    let network = VatNetwork::new(reader, writer, side, capnp::message::ReaderOptions::new());
    let system = RpcSystem::new(Box::new(network), first);
    let disconnector = Some(system.get_disconnector());
    let peer = Peer {
        spawner,
        disconnector,
    };
    (system, peer)
}

fn spawn(spawner: &LocalSpawner, system: RpcSystem<Side>) {
    let run = async move {
        // How the connection ended is seen by the calls.
        system.await.ok();
    };
    spawner.spawn_local(run).expect("the pool runs");
}
