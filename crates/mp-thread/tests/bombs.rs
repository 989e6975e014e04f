//! Peers that make threads without end: they get an error, and others are served as ever.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::os::unix::net::UnixStream;
use std::sync::Arc;

use mp_conn::proxy_capnp::thread_map;
use mp_conn::{
    Call, CallContext, Capability, Connection, Error, EventLoop, Limits, Object, ServerCall,
    connect, serve,
};
use patience::{eventually, soon, within_deadline};

/// Gives its thread map to whoever asks.
struct Init;

impl Object for Init {
    fn context_field(&self, _interface_id: u64, _ordinal: u16) -> Option<u16> {
        None
    }

    fn call(&self, call: ServerCall) {
        let map = mp_thread::thread_map(&call.connection());
        // Fails when the connection has ended.
        call.reply(&[(0, map)], |_| Ok(())).unwrap_or_default();
    }
}

/// A connection, and the thread map at its other end.
struct Client {
    server: Connection,
    map: Capability,
}

fn start(event_loop: &EventLoop, limits: Limits) -> Client {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let server = serve(event_loop, theirs, Arc::new(Init), limits).unwrap();
    let init = connect(event_loop, ours, Limits::default()).unwrap();
    let call = Connection::call(&init, 1, 0, &CallContext::default(), |_| Ok(())).unwrap();
    let map = call.pipelined(&[0]).unwrap();
    finish(call).unwrap();
    Client { server, map }
}

fn make_thread(client: &Client) -> Result<Capability, Error> {
    let context = CallContext::default();
    let call = Connection::call(&client.map, THREAD_MAP, 0, &context, |params| {
        let mut params: thread_map::make_thread_params::Builder<'_> = params.init_as();
        params.set_name("bomb");
        Ok(())
    })?;
    let made = call.pipelined(&[0])?;
    finish(call)?;
    Ok(made)
}

fn make_pool(client: &Client, count: u32) -> Result<(), Error> {
    let context = CallContext::default();
    let call = Connection::call(&client.map, THREAD_MAP, 1, &context, |params| {
        let mut params: thread_map::make_pool_params::Builder<'_> = params.init_as();
        params.set_count(count);
        Ok(())
    })?;
    finish(call)
}

/// Waits for an answer.
fn finish(mut call: Call) -> Result<(), Error> {
    let connection = call.connection();
    mp_thread::wait(&connection, Some(soon()), |waker| call.poll_message(waker))??;
    Ok(())
}

/// Threads of this process.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

// One test, because it counts the threads of the process.
#[test]
fn threads_and_pools_have_limits() {
    within_deadline(|| {
        let event_loop = EventLoop::new("server").unwrap();
        let mut limits = Limits::default();
        limits.threads = 20;
        limits.pool_threads = 4;
        let honest = start(&event_loop, Limits::default());
        let client = start(&event_loop, limits.clone());
        let before = threads();

        let made: Vec<_> = (0..20).map(|_| make_thread(&client).unwrap()).collect();
        for _ in 0..3 {
            let error = make_thread(&client).unwrap_err().to_string();
            assert_eq!(
                error,
                "remote exception: std::exception: limit exceeded: threads is 20"
            );
        }
        assert_eq!(client.server.stats().threads, 20);
        assert_eq!(threads(), before + 20);
        make_thread(&honest).unwrap();
        drop(made);
        eventually("the threads have ended", || {
            client.server.stats().threads == 0
        });
        drop(make_thread(&client).unwrap());

        let error = make_pool(&client, 5).unwrap_err().to_string();
        assert_eq!(
            error,
            "remote exception: std::exception: limit exceeded: pool_threads is 4"
        );
        make_pool(&client, 4).unwrap();
        let error = make_pool(&client, 1).unwrap_err().to_string();
        assert!(
            error.ends_with("makePool called on connection with existing pool"),
            "{error}"
        );
        let error = make_pool(&honest, u32::MAX).unwrap_err().to_string();
        assert!(
            error.ends_with("limit exceeded: pool_threads is 64"),
            "{error}"
        );
        make_thread(&honest).unwrap();

        // A bomb that nobody waits for: sent without end, and taken down in the middle.
        let bomber = start(&event_loop, limits);
        let calls: Vec<_> = (0..2_000)
            .map(|_| {
                let context = CallContext::default();
                Connection::call(&bomber.map, THREAD_MAP, 0, &context, |_| Ok(())).unwrap()
            })
            .collect();
        make_thread(&honest).unwrap();
        assert!(bomber.server.stats().threads <= 20);
        drop(calls);
        bomber.server.close();
        client.server.close();
        honest.server.close();
        drop((bomber, client, honest));
        eventually("all threads have ended", || threads() <= before);
    });
}

const THREAD_MAP: u64 = 0xee5e_3717_9ad9_dc9d;
