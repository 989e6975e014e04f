//! Objects whose methods are futures.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use mp_conn::{Error, EventLoop};

/// An object with asynchronous methods, as one that can be passed, returned and served like any other.
///
/// Where the builder's `async_trait` asks for it, an interface has a second trait `XAsync`, with the methods of `X` as `async fn`; an
/// `Arc<AsyncServer<T>>` of its implementation `T` is an `Arc<dyn X>`. A peer's call becomes a future, which runs on the
/// event loop of the connection that the call came over, or on an executor of the program's. It occupies no thread, whatever
/// thread the call names: calls that name one thread start in their order on an event loop, but do not wait for each other to end.
///
/// When the caller gives up or goes away, the future is dropped. If it panics, that is the call's failure. A blocking call
/// in a future that runs on an event loop is an [`Error::WouldBlockEventLoop`].
///
/// A call within this process is the blocking method of `X`, and waits for the future on the calling thread.
pub struct AsyncServer<T> {
    object: Arc<T>,
    spawner: Option<Spawner>,
}

/// A call that runs, as an executor gets it. Dropped before it is done, it answers with a failure.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What runs calls. `None` in its place: the event loop of the connection.
pub(crate) type Spawner = Arc<dyn Fn(Task) + Send + Sync>;

impl<T> AsyncServer<T> {
    /// Runs the object's methods on the event loops of the connections that calls come over.
    #[must_use]
    pub fn new(object: Arc<T>) -> Arc<Self> {
        Arc::new(Self {
            object,
            spawner: None,
        })
    }

    /// Runs the object's methods on an executor, which is given each call: for tokio `move |task| drop(handle.spawn(task))`
    /// with a `Handle` of the runtime, for smol `|task| smol::spawn(task).detach()`.
    ///
    /// The function is called on threads of this library's, in the order in which the calls came, and must not wait. Where it
    /// panics, the call fails.
    #[must_use]
    pub fn with_spawner(
        object: Arc<T>,
        spawner: impl Fn(Task) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            object,
            spawner: Some(Arc::new(spawner)),
        })
    }

    /// The object. Not a method, so that those of `X` can have any name.
    #[must_use]
    pub fn object(this: &Self) -> &Arc<T> {
        &this.object
    }

    pub(crate) fn spawner(this: &Self) -> Option<Spawner> {
        this.spawner.clone()
    }

    /// Calls a method within this process, on the calling thread. Generated code uses it.
    ///
    /// # Errors
    ///
    /// The method's; [`Error::WouldBlockEventLoop`] on an event loop's thread.
    pub fn wait<'s, R, E: From<Error>, F: Future<Output = Result<R, E>>>(
        this: &'s Self,
        start: impl FnOnce(&'s T) -> F,
    ) -> Result<R, E> {
        EventLoop::may_block()?;
        block_on(start(&this.object))
    }
}

impl<T> std::fmt::Debug for AsyncServer<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AsyncServer").finish_non_exhaustive()
    }
}

/// Polls a future on the calling thread until it is ready.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
