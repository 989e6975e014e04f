//! Objects with asynchronous methods.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::channel::oneshot;
use futures::future::BoxFuture;
use multiprocess::{AsyncServer, Error};

use crate::desk::{
    DeskAsync, DeskDivideError, DeskDivideResult, DeskEnterError, DeskRentResult,
    DeskSummaryResult, Listener, ListenerAsync, NamedAsync, NumberFn, Room, RoomAsync,
};

type Work = Arc<dyn Fn(i32) -> BoxFuture<'static, Result<i32, Error>> + Send + Sync>;

/// The desk.
#[derive(Default)]
pub struct AsyncDesk {
    work: Mutex<Option<Work>>,
    waits: Mutex<Vec<oneshot::Sender<()>>>,
    waiting: Counter,
    rooms: Counter,
}

impl AsyncDesk {
    /// A desk where waiting means to wait until somebody calls `release`.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Says what waiting means.
    pub fn on_wait<F>(&self, work: impl Fn(i32) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<i32, Error>> + Send + 'static,
    {
        *lock(&self.work) = Some(Arc::new(move |number| Box::pin(work(number))));
    }

    /// How many waits there are.
    #[must_use]
    pub fn waits(&self) -> usize {
        self.waiting.get()
    }

    /// How many rooms there are.
    #[must_use]
    pub fn rooms(&self) -> usize {
        self.rooms.get()
    }
}

impl std::fmt::Debug for AsyncDesk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AsyncDesk").finish_non_exhaustive()
    }
}

impl DeskAsync for AsyncDesk {
    async fn echo(&self, text: &str) -> Result<String, Error> {
        Ok(text.to_owned())
    }

    async fn wait(&self, number: i32) -> Result<i32, Error> {
        let _counted = self.waiting.enter();
        let work = lock(&self.work).clone();
        if let Some(work) = work {
            return work(number).await;
        }
        let (released, waits) = oneshot::channel();
        lock(&self.waits).push(released);
        waits.await.map_err(Error::failed)?;
        Ok(number)
    }

    async fn release(&self) -> Result<(), Error> {
        let waits = std::mem::take(&mut *lock(&self.waits));
        for wait in waits {
            // Whoever waited may be gone.
            wait.send(()).unwrap_or_default();
        }
        Ok(())
    }

    async fn waiting(&self) -> Result<u32, Error> {
        u32::try_from(self.waits()).map_err(Error::failed)
    }

    async fn open(&self, number: i32) -> Result<Arc<dyn Room>, Error> {
        if number < 0 {
            return Err(Error::failed("no such room"));
        }
        Ok(AsyncServer::new(Arc::new(AsyncRoom {
            number,
            _counted: self.rooms.enter(),
        })))
    }

    async fn find(&self, number: i32) -> Result<Option<Arc<dyn Room>>, Error> {
        Ok(match number {
            ..0 => None,
            _ => Some(self.open(number).await?),
        })
    }

    async fn divide(&self, a: i32, b: i32) -> Result<DeskDivideResult, DeskDivideError> {
        if a == i32::MIN {
            return Err(Error::failed("too small").into());
        }
        match (a.checked_div(b), a.checked_rem(b)) {
            (Some(quotient), Some(remainder)) => Ok(DeskDivideResult {
                quotient,
                remainder,
            }),
            _ => Err(DeskDivideError::DomainError("by zero".to_owned())),
        }
    }

    async fn summary(&self, values: &[i32], _want: bool) -> Result<DeskSummaryResult, Error> {
        Ok(DeskSummaryResult {
            max: values.iter().max().copied(),
            result: values.iter().sum(),
        })
    }

    async fn enter(&self, number: i32) -> Result<Arc<dyn Room>, DeskEnterError> {
        let no_room = || DeskEnterError::DomainError("no such room".to_owned());
        self.find(number).await?.ok_or_else(no_room)
    }

    async fn rent(&self, number: i32) -> Result<DeskRentResult, Error> {
        let room = self.find(number).await?;
        Ok(DeskRentResult {
            price: 10 * number,
            room,
        })
    }

    async fn ask(&self, listener: Arc<dyn Listener>, number: i32) -> Result<i32, Error> {
        let listener = client(&*listener)?;
        listener.hear_async(number).await
    }

    async fn apply(&self, function: Arc<dyn NumberFn>, number: i32) -> Result<i32, Error> {
        let function = client(&*function)?;
        function.call_async(number).await
    }
}

/// A peer's object as its client, which has the asynchronous methods.
fn client<I: multiprocess::codegen::Interface + ?Sized>(object: &I) -> Result<I::Client, Error> {
    let proxy = object.as_proxy().ok_or("not a peer's object")?;
    Ok(I::from_proxy(proxy.clone()))
}

/// A room.
struct AsyncRoom {
    number: i32,
    _counted: Counted,
}

impl NamedAsync for AsyncRoom {
    async fn name(&self) -> Result<String, Error> {
        Ok(format!("room {}", self.number))
    }
}

impl RoomAsync for AsyncRoom {
    async fn number(&self) -> Result<i32, Error> {
        Ok(self.number)
    }
}

/// A listener that hears one more.
#[derive(Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing in it")]
pub struct AsyncListener;

impl ListenerAsync for AsyncListener {
    async fn hear(&self, number: i32) -> Result<i32, Error> {
        Ok(number + 1)
    }
}

/// Counts what is there at the moment.
#[derive(Clone, Debug, Default)]
struct Counter(Arc<AtomicUsize>);

struct Counted(Counter);

impl Counter {
    fn enter(&self) -> Counted {
        self.0.fetch_add(1, Ordering::SeqCst);
        Counted(self.clone())
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
