//! The thread map in both directions: threads that the peer makes here, and threads that this process makes there.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, OnceLock, PoisonError};

use capnp::any_pointer;
use mp_conn::proxy_capnp::thread_map;
use mp_conn::{
    CallContext, CallInside, Capability, Connection, Error, Object, Objects, ServerCall,
};

use crate::async_threads::AsyncThreads;
use crate::callback_thread::CallbackThread;
use crate::job::Job;
use crate::pool::{Pool, PoolName};
use crate::shared_threads::{self, SharedThreads};
use crate::thread_object::ThreadObject;
use crate::worker;

/// What a connection keeps for its threads.
pub(crate) struct ThreadState {
    /// The peer's `ThreadMap`. `None`: it gave none.
    remote: Mutex<Option<Capability>>,
    /// Threads that the peer made and that run.
    threads: Arc<AtomicUsize>,
    /// The pool that the peer made.
    pool: Mutex<Pool>,
    /// Threads for callbacks that name none, made as they are needed.
    callback_pool: Mutex<Pool>,
    /// Threads for the peer's asynchronous calls, if it asked for them.
    shared: OnceLock<Arc<SharedThreads>>,
    local: Arc<ThreadMap>,
    /// The peer's threads for asynchronous calls.
    asynchronous: Arc<AsyncThreads>,
    callback_thread: Arc<CallbackThread>,
    /// Whether the pools' threads will be told when the connection ends.
    ending: Once,
}

impl ThreadState {
    pub(crate) fn of(connection: &Connection) -> Arc<Self> {
        connection.extension(|| Self {
            remote: Mutex::default(),
            threads: connection.thread_counter(),
            pool: Mutex::default(),
            callback_pool: Mutex::default(),
            shared: OnceLock::new(),
            local: Arc::new(ThreadMap),
            asynchronous: Arc::new(AsyncThreads::new(connection.limits().async_threads)),
            callback_thread: Arc::new(CallbackThread),
            ending: Once::new(),
        })
    }

    /// This process's thread map, as it is offered to the peer.
    pub(crate) fn local(&self) -> Arc<dyn Object> {
        Arc::<ThreadMap>::clone(&self.local)
    }

    /// The peer's threads for asynchronous calls.
    pub(crate) fn asynchronous(&self) -> &Arc<AsyncThreads> {
        &self.asynchronous
    }

    /// The thread that asynchronous calls name for callbacks.
    pub(crate) fn callback_object(&self) -> Arc<dyn Object> {
        Arc::<CallbackThread>::clone(&self.callback_thread)
    }

    /// Takes the peer's thread map.
    pub(crate) fn set_remote(&self, remote: Option<Capability>) {
        *lock(&self.remote) = remote;
    }

    /// The peer's thread map. `None`: it gave none.
    pub(crate) fn remote(&self) -> Option<Capability> {
        lock(&self.remote).clone()
    }

    /// Makes a thread at the peer. It can be used before the peer has answered. `None`: the peer gave no thread map.
    pub(crate) fn make_remote(
        &self,
        connection: &Connection,
        name: &str,
    ) -> Result<Option<Capability>, Error> {
        let Some(remote) = self.remote() else {
            return Ok(None);
        };
        if let Some(error) = connection.ended() {
            return Err(error);
        }
        // A call follows that is for the thread.
        let context = CallContext {
            held: true,
            ..CallContext::default()
        };
        let build = |params: any_pointer::Builder<'_>| {
            let mut params: thread_map::make_thread_params::Builder<'_> = params.init_as();
            params.set_name(name);
            Ok(())
        };
        // The thread is used before the answer is there, and if it fails, so do the calls on the thread.
        let method = (INTERFACE, MAKE_THREAD);
        Connection::call_unattended(&remote, method, &context, build, &[0], drop).map(Some)
    }

    /// Gives a call that names no thread to the peer's pool.
    pub(crate) fn post_to_pool(&self, job: Job) -> Result<PoolName, Job> {
        lock(&self.pool).post(job)
    }

    /// Gives a callback that names no thread to a thread that is made for it if the others are busy.
    pub(crate) fn post_callback(&self, connection: &Connection, job: Job) -> Result<PoolName, Job> {
        let mut pool = lock(&self.callback_pool);
        let job = match pool.post_nested(job) {
            Err(job) => job,
            posted => return posted,
        };
        let limit = connection.limits().pool_threads;
        if pool.is_busy() && pool.len() < limit && !connection.is_closed() {
            self.end_pools_with(connection);
            let suffix = format!("callback/{}", pool.len());
            // A thread that cannot be made leaves those that there are.
            pool.grow(connection.event_loop().name(), suffix, connection)
                .ok();
        }
        pool.post(job)
    }

    /// Makes the thread that a call asks for. Not inlined, nor is the other one: both need more of the stack than answering.
    #[inline(never)]
    fn make_thread(
        &self,
        connection: &Connection,
        call: &CallInside<'_>,
    ) -> Result<ThreadObject, Error> {
        let name = call.read_params(|params| {
            let params: thread_map::make_thread_params::Reader<'_> = params.get_as()?;
            let name = params.get_name()?.as_bytes();
            let name = &name[..name.len().min(MAX_NAME)];
            Ok(String::from_utf8_lossy(name).into_owned())
        })?;
        let guard = self.count_thread(connection)?;
        let program = connection.event_loop().name();
        let worker = worker::start(
            program,
            format!("from {name}"),
            connection.downgrade(),
            guard,
            worker::run,
        )?;
        Ok(ThreadObject::worker(worker.waiter, worker.name))
    }

    #[inline(never)]
    fn make_pool(&self, connection: &Connection, call: &ServerCall) -> Result<(), Error> {
        let count = call.read_params(|params| {
            let params: thread_map::make_pool_params::Reader<'_> = params.get_as()?;
            Ok(params.get_count())
        })?;
        let limit = connection.limits().pool_threads;
        let mut pool = lock(&self.pool);
        if !pool.is_empty() {
            return Err(Error::failed(
                "makePool called on connection with existing pool",
            ));
        }
        if count as usize > limit {
            return Err(Error::limit("pool_threads", limit));
        }
        let mut made = Pool::default();
        for index in 0..count {
            made.grow(
                connection.event_loop().name(),
                format!("pool/{index}"),
                connection,
            )?;
        }
        *pool = made;
        drop(pool);
        self.end_pools_with(connection);
        Ok(())
    }

    fn shared_thread(&self, connection: &Connection) -> Arc<SharedThreads> {
        let shared = self.shared.get_or_init(|| {
            let shared = Arc::<SharedThreads>::default();
            // Its threads hold it, whether anybody else does or not.
            let ending = Arc::clone(&shared);
            connection.on_disconnect(move || ending.close());
            shared
        });
        Arc::clone(shared)
    }

    /// Has the threads of the pools end when the connection does, though handles to it may live on.
    fn end_pools_with(&self, connection: &Connection) {
        self.ending.call_once(|| {
            let ended = connection.downgrade();
            connection.on_disconnect(move || {
                // A connection without handles has no pools any more.
                let Some(connection) = ended.upgrade() else {
                    return;
                };
                let state = Self::of(&connection);
                lock(&state.pool).close();
                lock(&state.callback_pool).close();
            });
        });
    }

    /// Counts a thread that runs for the peer, as long as the guard lives.
    pub(crate) fn count_thread(
        &self,
        connection: &Connection,
    ) -> Result<impl Send + 'static, Error> {
        let limit = connection.limits().threads;
        let counted = self
            .threads
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| {
                (count < limit).then_some(count + 1)
            });
        counted.map_err(|_| Error::limit("threads", limit))?;
        Ok(Counted(Arc::clone(&self.threads)))
    }
}

/// The interface `ThreadMap`: makes threads for the peer.
struct ThreadMap;

impl Object for ThreadMap {
    fn context_field(&self, _interface_id: u64, _ordinal: u16) -> Option<u16> {
        None
    }

    fn answer_inside(&self, call: &CallInside<'_>) -> Option<Result<Objects, Error>> {
        let connection = call.connection();
        let state = ThreadState::of(&connection);
        let thread: Result<Arc<dyn Object>, Error> = match (call.interface_id(), call.ordinal()) {
            (INTERFACE, MAKE_THREAD) => match state.make_thread(&connection, call) {
                Ok(thread) => Ok(Arc::new(thread)),
                Err(error) => Err(error),
            },
            (shared_threads::INTERFACE, shared_threads::SHARED_THREAD) => {
                Ok(state.shared_thread(&connection))
            }
            _ => return None,
        };
        Some(thread.map(|thread| vec![(0, thread)]))
    }

    fn call(&self, call: ServerCall) {
        let connection = call.connection();
        let state = ThreadState::of(&connection);
        match (call.interface_id(), call.ordinal()) {
            (INTERFACE, MAKE_POOL) => match state.make_pool(&connection, &call) {
                // The connection ended: nobody waits for the pool.
                Ok(()) => call.reply(&[], |_| Ok(())).unwrap_or_default(),
                Err(error) => call.fail(&error),
            },
            _ => crate::unimplemented("ThreadMap", call),
        }
    }

    fn needs_cleanup(&self) -> bool {
        false
    }
}

/// A thread that runs, as its connection counts it.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const INTERFACE: u64 = 0xee5e_3717_9ad9_dc9d;
/// More of a name than this is not kept, in bytes.
const MAX_NAME: usize = 256;
const MAKE_THREAD: u16 = 0;
const MAKE_POOL: u16 = 1;
