//! The answer of a method that gives an object, which can be called before it is there.

use std::pin::Pin;
use std::task::{Context, Poll};

use mp_conn::Error;

use crate::call_future::deadlines;
use crate::{CallFuture, Interface, InterfaceInfo, ProxyClient};

/// The answer of a method with one object among its results, to come: `C` is the object's client, `T` the answer.
///
/// A [`CallFuture`] that need not be waited for: [`pipelined`](Self::pipelined) gives the client at once.
#[must_use = "dropping the future cancels the call"]
pub struct ObjectFuture<C, T = C> {
    call: CallFuture<T>,
    field: u16,
    info: &'static InterfaceInfo,
    client: fn(ProxyClient) -> C,
}

impl<C, T> ObjectFuture<C, T> {
    /// For an object in a pointer field of the results.
    pub(crate) fn new<I: Interface<Client = C> + ?Sized>(call: CallFuture<T>, field: u16) -> Self {
        Self {
            call,
            field,
            info: I::INFO,
            client: I::from_proxy,
        }
    }

    /// The object before it is there: calls on it go out at once, and fail if the method does, or gives none.
    ///
    /// ```text
    /// let mining = init.make_mining_async().pipelined()?;
    /// let tip = mining.get_tip_async().await?;    // one round trip for both
    /// ```
    ///
    /// # Errors
    ///
    /// Why the call could not be sent; [`Error::Disconnected`] when the connection has ended since.
    pub fn pipelined(self) -> Result<C, Error> {
        let capability = self.call.pipelined(self.field)?;
        Ok((self.client)(ProxyClient::new(capability, self.info)?))
    }

    deadlines!(call);
}

impl<C, T> From<ObjectFuture<C, T>> for CallFuture<T> {
    fn from(future: ObjectFuture<C, T>) -> Self {
        future.call
    }
}

impl<C, T: Send + 'static> Future for ObjectFuture<C, T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.call).poll(context)
    }
}

impl<C, T> std::fmt::Debug for ObjectFuture<C, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectFuture")
            .field("interface", &self.info.name)
            .finish_non_exhaustive()
    }
}
