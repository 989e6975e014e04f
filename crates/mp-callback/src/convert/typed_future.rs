//! The answers of methods with typed exceptions, to come.

use std::pin::Pin;
use std::task::{Context, Poll};

use super::{Result, TypedError};
use crate::call_future::deadlines;
use crate::{CallFuture, Error, ObjectFuture};

/// The answer of a method with typed exceptions, to come. Dropping it cancels the call.
#[must_use = "dropping the future cancels the call"]
pub struct TypedFuture<T: Send + 'static, E: TypedError>(pub(super) CallFuture<Result<T, E>>);

impl<T: Send + 'static, E: TypedError> TypedFuture<T, E> {
    deadlines!(0);
}

impl<T: Send + 'static, E: TypedError> Future for TypedFuture<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|result| result?)
    }
}

impl<T: Send + 'static, E: TypedError> std::fmt::Debug for TypedFuture<T, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TypedFuture")
    }
}

/// The answer of a method with typed exceptions that gives an object, to come: `C` is the object's client, `T` the answer.
///
/// It need not be waited for: see [`ObjectFuture`].
#[must_use = "dropping the future cancels the call"]
pub struct TypedObjectFuture<C, E: TypedError, T: Send + 'static = C>(
    pub(super) ObjectFuture<C, Result<T, E>>,
);

impl<C, E: TypedError, T: Send + 'static> TypedObjectFuture<C, E, T> {
    /// See [`ObjectFuture::pipelined`]. Calls on the object fail if the method ends with an exception.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn pipelined(self) -> Result<C, Error> {
        self.0.pipelined()
    }

    deadlines!(0);
}

impl<C, E: TypedError, T: Send + 'static> Future for TypedObjectFuture<C, E, T> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|result| result?)
    }
}

impl<C, E: TypedError, T: Send + 'static> std::fmt::Debug for TypedObjectFuture<C, E, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TypedObjectFuture")
    }
}
