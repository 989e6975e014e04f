//! A call of the peer's whose method is a future, from its arrival to its answer.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use capnp::traits::Owned;
use mp_conn::{Error, EventLoop, ServerCall, contained};
use mp_thread::AsyncServing;

use crate::async_server::Spawner;
use crate::server_call::{answer, arguments};
use crate::{Method, Objects, log};

/// Runs a call and answers it. `keep` is the object, which `invoke` uses, too.
pub(crate) async fn serve<P: Owned, R: Owned, A: Send, T: Send, F>(
    (call, request, method): (ServerCall, u64, &'static Method),
    keep: Arc<impl Send + Sync + 'static>,
    read: impl FnOnce(P::Reader<'_>, &Objects) -> Result<A, Error> + Send,
    invoke: impl FnOnce(A) -> F + Send,
    build: impl FnOnce(T, R::Builder<'_>, &mut Objects) -> Result<(), Error> + Send,
) where
    F: Future<Output = Result<T, Error>> + Send,
{
    if call.is_cancelled() {
        log::canceled_before(&call, request);
        call.fail(&Error::Cancelled);
        return;
    }
    log::executing(&call, request);
    let _watch = log::watch_cancellation(&call, request);
    let (serving, given_up) = (AsyncServing::new(), GivenUp::of(&call));
    let body = async { invoke(arguments::<P, A>(&call, method, read)?).await };
    let result = Body {
        body: Some(Box::pin(body)),
        call: &call,
        context: method.context,
        serving: &serving,
        given_up: &given_up,
    }
    .await;
    let connection = call.connection();
    // Whoever is the last to let go of it gets the object, also where others do at the same moment.
    if let Some(object) = Arc::into_inner(keep) {
        // It was destroyed meanwhile: its destructor may make calls and take time.
        connection.event_loop().post_cleanup(move || drop(object));
    }
    poll_fn(|context| match given_up.poll(&call, context) {
        Poll::Ready(()) => Poll::Ready(()),
        Poll::Pending => serving.poll_settled(context),
    })
    .await;
    if call.is_cancelled() {
        log::interrupted(&connection, request);
        call.fail(&Error::Cancelled);
        return;
    }
    match result {
        Ok(result) => {
            let room = poll_fn(|context| connection.poll_room(context.waker()));
            // Fails when the connection has ended, and then so does answering.
            room.await.ok();
            answer::<R, T>(call, method, request, result, build, |_| ());
        }
        Err(error) => {
            log::uncaught(&connection, request, &error);
            call.fail(&error);
        }
    }
}

/// Has a call run by a spawner, or else by an event loop.
pub(crate) fn spawn(
    task: impl Future<Output = ()> + Send + 'static,
    spawner: Option<Spawner>,
    event_loop: &EventLoop,
) {
    let Some(spawner) = spawner else {
        event_loop.spawn(task);
        return;
    };
    // A call is answered when its task is dropped.
    let spawned = contained(|| {
        spawner(Box::pin(task));
        Ok(())
    });
    if let Err(error) = spawned {
        tracing::error!(target: "ipc", "a spawner {error}");
    }
}

/// The reading of the params and the user's future. It ends with the method, or when the caller gives up; its panics are the
/// call's failure.
struct Body<'c, F> {
    /// `None`: it has ended.
    body: Option<Pin<Box<F>>>,
    call: &'c ServerCall,
    context: Option<u16>,
    serving: &'c AsyncServing,
    given_up: &'c GivenUp,
}

impl<F> Body<'_, F> {
    /// Runs something of the method's, as the method of this call.
    fn run<R>(&self, action: impl FnOnce() -> R) -> Result<R, Error> {
        let run = || contained(|| Ok(action()));
        self.serving.enter(self.call, self.context, run)
    }

    fn end(&mut self) {
        if let Some(body) = self.body.take()
            && let Err(error) = self.run(move || drop(body))
        {
            tracing::error!(target: "ipc", "a method that was dropped {error}");
        }
    }
}

impl<T, F: Future<Output = Result<T, Error>>> Future for Body<'_, F> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let given_up = self.given_up.poll(self.call, context);
        let polled = match (given_up, self.body.take()) {
            (Poll::Pending, Some(mut body)) => {
                let polled = self.run(|| body.as_mut().poll(context));
                self.body = Some(body);
                polled.unwrap_or_else(|error| Poll::Ready(Err(error)))
            }
            (_, body) => {
                self.body = body;
                Poll::Ready(Err(Error::Cancelled))
            }
        };
        if polled.is_ready() {
            self.end();
        }
        polled
    }
}

impl<F> Drop for Body<'_, F> {
    fn drop(&mut self) {
        self.end();
    }
}

/// Tells a future that the caller of its method gave up.
struct GivenUp {
    forward: Arc<Forward>,
}

/// Wakes whoever polls. No other lock is taken within its own.
#[derive(Default)]
struct Forward(Mutex<Option<Waker>>);

impl GivenUp {
    fn of(call: &ServerCall) -> Self {
        let forward = Arc::<Forward>::default();
        let waker = Waker::from(Arc::clone(&forward));
        call.cancellation().wake_on_cancel(&waker);
        Self { forward }
    }

    /// Ready when the caller gave up.
    fn poll(&self, call: &ServerCall, context: &Context<'_>) -> Poll<()> {
        let waker = Some(context.waker().clone());
        let replaced = std::mem::replace(&mut *self.forward.waker(), waker);
        drop(replaced);
        // Looked at after the waker was set, which is taken after it was given up.
        if call.is_cancelled() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Forward {
    fn waker(&self) -> MutexGuard<'_, Option<Waker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Forward {
    fn wake(self: Arc<Self>) {
        let waker = self.waker().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
