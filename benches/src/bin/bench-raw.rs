//! `capnp-rpc` alone, as one would use it without this library: on one thread, with tokio, called from that thread.
//!
//! Contexts are neither sent nor looked at: there are no threads to choose from.

use std::cell::Cell;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

use bench::args::{Metric, Options, Task};
use bench::bench_capnp::{bench_interface, callback_interface, init_interface};
use bench::series::Series;
use bench::{Error, endpoint, print};
use capnp::Error as CapnpError;
use capnp_rpc::rpc_twoparty_capnp::Side;
use capnp_rpc::{Disconnector, RpcSystem, twoparty};
use futures::future::LocalBoxFuture;
use futures::stream::FuturesUnordered;
use futures::{AsyncReadExt, FutureExt, StreamExt};
use multiprocess::codegen::capnp;
use tokio::task::LocalSet;
use tokio_util::compat::TokioAsyncReadCompatExt;

fn main() -> ExitCode {
    print::exit(run())
}

fn run() -> Result<(), Error> {
    let task = Task::from_env()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    LocalSet::new().block_on(&runtime, async {
        match task {
            Task::Server(path) => serve(&path).await,
            Task::Client(path, metrics, options) => {
                for metric in metrics {
                    Client::connect(path.clone())?
                        .measure(metric, &options)
                        .await?;
                }
                Ok(())
            }
            task => Err(format!("cannot do {task:?}").into()),
        }
    })
}

async fn serve(path: &Path) -> Result<(), Error> {
    let listener = endpoint::listen(path)?;
    listener.set_nonblocking(true)?;
    let listener = tokio::net::UnixListener::from_std(listener)?;
    let init: init_interface::Client = capnp_rpc::new_client(Init);
    loop {
        let (stream, _) = listener.accept().await?;
        let network = network(stream, Side::Server);
        // How a connection ends is the client's affair.
        tokio::task::spawn_local(RpcSystem::new(network, Some(init.clone().client)).map(drop));
    }
}

fn network(stream: tokio::net::UnixStream, side: Side) -> Box<Network> {
    let (reader, writer) = stream.compat().split();
    Box::new(twoparty::VatNetwork::new(
        futures::io::BufReader::new(reader),
        futures::io::BufWriter::new(writer),
        side,
        capnp::message::ReaderOptions::default(),
    ))
}

type Half<T> = futures::io::BufReader<futures::io::ReadHalf<T>>;
type Network = twoparty::VatNetwork<Half<tokio_util::compat::Compat<tokio::net::UnixStream>>>;

/// A connection to the server, and an object there.
struct Client {
    path: PathBuf,
    peer: bench::process::Pid,
    init: init_interface::Client,
    disconnector: Disconnector<Side>,
}

impl Client {
    fn connect(path: PathBuf) -> Result<Self, Error> {
        let (stream, peer) = endpoint::connect(&path)?;
        let (init, disconnector) = start(stream)?;
        Ok(Self {
            path,
            peer,
            init,
            disconnector,
        })
    }

    async fn measure(self, metric: Metric, options: &Options) -> Result<(), Error> {
        let bench = make_bench(&self.init).await?;
        let mut series = Series::new(options, metric, self.peer);
        match metric {
            Metric::Add => {
                while series.more() {
                    add(&bench).await?;
                }
                series.report(1);
            }
            Metric::AddCtx => {
                while series.more() {
                    add_ctx(&bench).await?;
                }
                series.report(1);
            }
            Metric::Callback => {
                while series.more() {
                    call_back(&bench, 1).await?;
                }
                series.report(1);
            }
            Metric::Callbacks(count) => {
                while series.more() {
                    call_back(&bench, count).await?;
                }
                series.report(count);
            }
            Metric::Connect => {
                while series.more() {
                    self.connect_once().await?;
                }
                series.report(1);
            }
            Metric::Echo(bytes) => {
                let data = vec![0xab; bytes];
                while series.more() {
                    echo(&bench, &data).await?;
                }
                series.report(1);
            }
            Metric::InFlight(calls) | Metric::Parallel(calls) => {
                in_flight(&bench, calls, &mut series).await?;
                series.report_rate();
            }
            _ => return Err(format!("{metric}: is not measured here").into()),
        }
        drop(bench);
        self.disconnector.await?;
        Ok(())
    }

    async fn connect_once(&self) -> Result<(), Error> {
        let (init, disconnector) = start(endpoint::connect(&self.path)?.0)?;
        add_ctx(&make_bench(&init).await?).await?;
        drop(init);
        disconnector.await?;
        Ok(())
    }
}

/// Takes the server's first object. The connection lives on its own until it is disconnected.
fn start(stream: UnixStream) -> Result<(init_interface::Client, Disconnector<Side>), Error> {
    stream.set_nonblocking(true)?;
    let stream = tokio::net::UnixStream::from_std(stream)?;
    let mut system = RpcSystem::new(network(stream, Side::Client), None);
    let init = system.bootstrap(Side::Server);
    let disconnector = system.get_disconnector();
    tokio::task::spawn_local(system.map(drop));
    Ok((init, disconnector))
}

async fn make_bench(init: &init_interface::Client) -> Result<bench_interface::Client, Error> {
    let response = init.make_bench_request().send().promise.await?;
    Ok(response.get()?.get_result()?)
}

async fn add(bench: &bench_interface::Client) -> Result<(), Error> {
    let mut request = bench.add_request();
    request.get().set_a(1);
    request.get().set_b(2);
    check(request.send().promise.await?.get()?.get_result() == 3)
}

async fn add_ctx(bench: &bench_interface::Client) -> Result<(), Error> {
    let mut request = bench.add_ctx_request();
    request.get().set_a(1);
    request.get().set_b(2);
    check(request.send().promise.await?.get()?.get_result() == 3)
}

async fn echo(bench: &bench_interface::Client, data: &[u8]) -> Result<(), Error> {
    let mut request = bench.echo_data_request();
    request.get().set_arg(data);
    check(request.send().promise.await?.get()?.get_result()?.len() == data.len())
}

async fn call_back(bench: &bench_interface::Client, count: u32) -> Result<(), Error> {
    let called = Rc::new(Cell::new(0));
    let mut request = bench.callback_request();
    let callback = Callback(Rc::clone(&called));
    request.get().set_cb(capnp_rpc::new_client(callback));
    request.get().set_n(i32::try_from(count)?);
    request.send().promise.await?.get()?;
    check(called.get() == count)
}

/// Keeps so many calls under way, and counts each that is answered.
async fn in_flight(
    bench: &bench_interface::Client,
    calls: usize,
    series: &mut Series,
) -> Result<(), Error> {
    let mut under_way: FuturesUnordered<LocalBoxFuture<'_, Result<(), Error>>> =
        (0..calls).map(|_| add_ctx(bench).boxed_local()).collect();
    while series.more() {
        under_way.next().await.transpose()?;
        under_way.push(add_ctx(bench).boxed_local());
    }
    while under_way.next().await.transpose()?.is_some() {}
    Ok(())
}

fn check(answer: bool) -> Result<(), Error> {
    if answer {
        Ok(())
    } else {
        Err("wrong answer".into())
    }
}

struct Init;

impl init_interface::Server for Init {
    async fn construct(
        self: Rc<Self>,
        _: init_interface::ConstructParams,
        _: init_interface::ConstructResults,
    ) -> Result<(), CapnpError> {
        Ok(())
    }

    async fn make_bench(
        self: Rc<Self>,
        _: init_interface::MakeBenchParams,
        mut results: init_interface::MakeBenchResults,
    ) -> Result<(), CapnpError> {
        results.get().set_result(capnp_rpc::new_client(Bench));
        Ok(())
    }
}

struct Bench;

impl bench_interface::Server for Bench {
    async fn destroy(
        self: Rc<Self>,
        _: bench_interface::DestroyParams,
        _: bench_interface::DestroyResults,
    ) -> Result<(), CapnpError> {
        Ok(())
    }

    async fn add(
        self: Rc<Self>,
        params: bench_interface::AddParams,
        mut results: bench_interface::AddResults,
    ) -> Result<(), CapnpError> {
        let params = params.get()?;
        results.get().set_result(params.get_a() + params.get_b());
        Ok(())
    }

    async fn add_ctx(
        self: Rc<Self>,
        params: bench_interface::AddCtxParams,
        mut results: bench_interface::AddCtxResults,
    ) -> Result<(), CapnpError> {
        let params = params.get()?;
        results.get().set_result(params.get_a() + params.get_b());
        Ok(())
    }

    async fn echo_data(
        self: Rc<Self>,
        params: bench_interface::EchoDataParams,
        mut results: bench_interface::EchoDataResults,
    ) -> Result<(), CapnpError> {
        results.get().set_result(params.get()?.get_arg()?);
        Ok(())
    }

    async fn callback(
        self: Rc<Self>,
        params: bench_interface::CallbackParams,
        mut results: bench_interface::CallbackResults,
    ) -> Result<(), CapnpError> {
        let (callback, count) = (params.get()?.get_cb()?, params.get()?.get_n());
        let mut sum: i32 = 0;
        for argument in 0..count {
            let mut request = callback.call_request();
            request.get().set_arg(argument);
            sum = sum.wrapping_add(request.send().promise.await?.get()?.get_result());
        }
        results.get().set_result(sum);
        Ok(())
    }
}

/// Counts how often it was called.
struct Callback(Rc<Cell<u32>>);

impl callback_interface::Server for Callback {
    async fn destroy(
        self: Rc<Self>,
        _: callback_interface::DestroyParams,
        _: callback_interface::DestroyResults,
    ) -> Result<(), CapnpError> {
        Ok(())
    }

    async fn call(
        self: Rc<Self>,
        params: callback_interface::CallParams,
        mut results: callback_interface::CallResults,
    ) -> Result<(), CapnpError> {
        self.0.set(self.0.get() + 1);
        results.get().set_result(params.get()?.get_arg());
        Ok(())
    }
}
