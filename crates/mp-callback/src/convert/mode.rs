//! The two flavours of a call: one generated function serves the blocking method and its async twin.

use std::marker::PhantomData;
use std::sync::Arc;

use capnp::capability::FromClientHook;
use capnp::traits::Owned;

use super::{Built, Result, Typed, TypedFuture, TypedObjectFuture};
use crate::{CallFuture, Error, Interface, ObjectFuture, Objects, ProxyClient};

/// How a call waits for its answer: [`Blocking`] or [`Async`].
pub trait Mode {
    /// What a call gives back.
    type Output<T: Send + 'static>;
    /// What a call that can end with a typed exception gives back.
    type Caught<T: Send + 'static, E: TypedError>;
    /// What a call that gives an object gives back.
    type Given<I: Interface + ?Sized, T: Send + 'static>;
    /// What a call that gives an object, and can end with a typed exception, gives back.
    type GivenCaught<I: Interface + ?Sized, T: Send + 'static, E: TypedError>;
    /// A reference to an object, in a result.
    type Object<I: Interface + ?Sized>: Send + 'static;

    /// Calls a method of an object. `build` runs before this returns, `read` when the answer is there.
    fn call<P: Owned, R: Owned, T: Send + 'static, B: Built>(
        to: (&ProxyClient, &'static Typed<P, R>),
        build: impl FnOnce(P::Builder<'_>, &mut Objects) -> B,
        read: impl FnOnce(R::Reader<'_>, &Objects) -> Result<T> + Send + 'static,
    ) -> Self::Output<T>;

    /// The same for a method with typed exceptions: `read` tells them from results.
    fn call_caught<P: Owned, R: Owned, T: Send + 'static, E: TypedError, B: Built>(
        to: (&ProxyClient, &'static Typed<P, R>),
        build: impl FnOnce(P::Builder<'_>, &mut Objects) -> B,
        read: impl FnOnce(R::Reader<'_>, &Objects) -> Result<Result<T, E>> + Send + 'static,
    ) -> Self::Caught<T, E>;

    /// The same for a method with one object among its results.
    fn give<I: Interface + ?Sized, P: Owned, R: Owned, T: Send + 'static, B: Built>(
        to: (&ProxyClient, &'static Typed<P, R>, ObjectField<I>),
        build: impl FnOnce(P::Builder<'_>, &mut Objects) -> B,
        read: impl FnOnce(R::Reader<'_>, &Objects) -> Result<T> + Send + 'static,
    ) -> Self::Given<I, T>;

    /// The same for a method with one object among its results, and with typed exceptions.
    fn give_caught<
        I: Interface + ?Sized,
        P: Owned,
        R: Owned,
        T: Send + 'static,
        E: TypedError,
        B: Built,
    >(
        to: (&ProxyClient, &'static Typed<P, R>, ObjectField<I>),
        build: impl FnOnce(P::Builder<'_>, &mut Objects) -> B,
        read: impl FnOnce(R::Reader<'_>, &Objects) -> Result<Result<T, E>> + Send + 'static,
    ) -> Self::GivenCaught<I, T, E>;

    /// Reads an object; null is an error.
    ///
    /// # Errors
    ///
    /// [`Error::NullObject`] with the field's name.
    fn object<I: Interface + ?Sized>(
        objects: &Objects,
        client: capnp::Result<impl FromClientHook>,
        field: &'static str,
    ) -> Result<Self::Object<I>>;

    /// Reads an object that may be null.
    ///
    /// # Errors
    ///
    /// As for any value that cannot be read.
    fn object_optional<I: Interface + ?Sized>(
        objects: &Objects,
        client: capnp::Result<impl FromClientHook>,
        field: &'static str,
    ) -> Result<Option<Self::Object<I>>>;
}

/// The pointer field of the results that holds an object.
#[derive(Debug)]
pub struct ObjectField<I: ?Sized> {
    index: u16,
    interface: PhantomData<fn() -> I>,
}

/// The pointer field of the results with that index.
#[must_use]
pub fn object_field<I: Interface + ?Sized>(index: u16) -> ObjectField<I> {
    ObjectField {
        index,
        interface: PhantomData,
    }
}

/// The calling thread waits.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a name for the type level: there are no values"
)]
pub enum Blocking {}

impl Mode for Blocking {
    type Output<T: Send + 'static> = Result<T>;
    type Caught<T: Send + 'static, E: TypedError> = Result<T, E>;
    type Given<I: Interface + ?Sized, T: Send + 'static> = Result<T>;
    type GivenCaught<I: Interface + ?Sized, T: Send + 'static, E: TypedError> = Result<T, E>;
    type Object<I: Interface + ?Sized> = Arc<I>;

    fn call<P: Owned, R: Owned, T: Send + 'static, B: Built>(
        to: (&ProxyClient, &'static Typed<P, R>),
        build: impl FnOnce(P::Builder<'_>, &mut Objects) -> B,
        read: impl FnOnce(R::Reader<'_>, &Objects) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        to.0.call::<P, R, T>(
            to.1.method(),
            |params, objects| build(params, objects).built(),
            read,
        )
    }

    fn call_caught<P: Owned, R: Owned, T: Send + 'static, E: TypedError, B: Built>(
        to: (&ProxyClient, &'static Typed<P, R>),
        build: impl FnOnce(P::Builder<'_>, &mut Objects) -> B,
        read: impl FnOnce(R::Reader<'_>, &Objects) -> Result<Result<T, E>> + Send + 'static,
    ) -> Result<T, E> {
        Self::call(to, build, read)?
    }

    fn give<I: Interface + ?Sized, P: Owned, R: Owned, T: Send + 'static, B: Built>(
        to: (&ProxyClient, &'static Typed<P, R>, ObjectField<I>),
        build: impl FnOnce(P::Builder<'_>, &mut Objects) -> B,
        read: impl FnOnce(R::Reader<'_>, &Objects) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        Self::call((to.0, to.1), build, read)
    }

    fn give_caught<
        I: Interface + ?Sized,
        P: Owned,
        R: Owned,
        T: Send + 'static,
        E: TypedError,
        B: Built,
    >(
        to: (&ProxyClient, &'static Typed<P, R>, ObjectField<I>),
        build: impl FnOnce(P::Builder<'_>, &mut Objects) -> B,
        read: impl FnOnce(R::Reader<'_>, &Objects) -> Result<Result<T, E>> + Send + 'static,
    ) -> Result<T, E> {
        Self::call((to.0, to.1), build, read)?
    }

    fn object<I: Interface + ?Sized>(
        objects: &Objects,
        client: capnp::Result<impl FromClientHook>,
        field: &'static str,
    ) -> Result<Arc<I>> {
        objects.get(client, field)
    }

    fn object_optional<I: Interface + ?Sized>(
        objects: &Objects,
        client: capnp::Result<impl FromClientHook>,
        field: &'static str,
    ) -> Result<Option<Arc<I>>> {
        objects.get_optional(client, field)
    }
}

/// The call is a future.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a name for the type level: there are no values"
)]
pub enum Async {}

impl Mode for Async {
    type Output<T: Send + 'static> = CallFuture<T>;
    type Caught<T: Send + 'static, E: TypedError> = TypedFuture<T, E>;
    type Given<I: Interface + ?Sized, T: Send + 'static> = ObjectFuture<I::Client, T>;
    type GivenCaught<I: Interface + ?Sized, T: Send + 'static, E: TypedError> =
        TypedObjectFuture<I::Client, E, T>;
    type Object<I: Interface + ?Sized> = I::Client;

    fn call<P: Owned, R: Owned, T: Send + 'static, B: Built>(
        to: (&ProxyClient, &'static Typed<P, R>),
        build: impl FnOnce(P::Builder<'_>, &mut Objects) -> B,
        read: impl FnOnce(R::Reader<'_>, &Objects) -> Result<T> + Send + 'static,
    ) -> CallFuture<T> {
        to.0.call_async::<P, R, T>(
            to.1.method(),
            |params, objects| build(params, objects).built(),
            read,
        )
    }

    fn call_caught<P: Owned, R: Owned, T: Send + 'static, E: TypedError, B: Built>(
        to: (&ProxyClient, &'static Typed<P, R>),
        build: impl FnOnce(P::Builder<'_>, &mut Objects) -> B,
        read: impl FnOnce(R::Reader<'_>, &Objects) -> Result<Result<T, E>> + Send + 'static,
    ) -> TypedFuture<T, E> {
        TypedFuture(Self::call(to, build, read))
    }

    fn give<I: Interface + ?Sized, P: Owned, R: Owned, T: Send + 'static, B: Built>(
        to: (&ProxyClient, &'static Typed<P, R>, ObjectField<I>),
        build: impl FnOnce(P::Builder<'_>, &mut Objects) -> B,
        read: impl FnOnce(R::Reader<'_>, &Objects) -> Result<T> + Send + 'static,
    ) -> ObjectFuture<I::Client, T> {
        ObjectFuture::new::<I>(Self::call((to.0, to.1), build, read), to.2.index)
    }

    fn give_caught<
        I: Interface + ?Sized,
        P: Owned,
        R: Owned,
        T: Send + 'static,
        E: TypedError,
        B: Built,
    >(
        to: (&ProxyClient, &'static Typed<P, R>, ObjectField<I>),
        build: impl FnOnce(P::Builder<'_>, &mut Objects) -> B,
        read: impl FnOnce(R::Reader<'_>, &Objects) -> Result<Result<T, E>> + Send + 'static,
    ) -> TypedObjectFuture<I::Client, E, T> {
        TypedObjectFuture(Self::give(to, build, read))
    }

    fn object<I: Interface + ?Sized>(
        objects: &Objects,
        client: capnp::Result<impl FromClientHook>,
        field: &'static str,
    ) -> Result<I::Client> {
        objects.get_client::<I, _>(client, field)
    }

    fn object_optional<I: Interface + ?Sized>(
        objects: &Objects,
        client: capnp::Result<impl FromClientHook>,
        field: &'static str,
    ) -> Result<Option<I::Client>> {
        objects.get_client_optional::<I, _>(client, field)
    }
}

/// The error enum of a method with typed exceptions. [`typed_error`](crate::typed_error) implements it.
pub trait TypedError: From<Error> + Send + 'static {
    /// Tells the exceptions, which travel as results, from every other error.
    ///
    /// # Errors
    ///
    /// The other error.
    fn exception(self) -> Result<Self>;
}

/// Implements what an error enum needs whose last variant is `Other(Error)`; a variant with a type is made of such a value.
/// Only generated code uses it.
#[doc(hidden)]
#[macro_export]
macro_rules! typed_error {
    ($name:ident { $($variant:ident $(($from:ty))?: $text:literal),* $(,)? }) => {
        $($(impl From<$from> for $name {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        })?)*

        impl From<$crate::Error> for $name {
            fn from(error: $crate::Error) -> Self {
                Self::Other(error)
            }
        }

        impl $crate::TypedError for $name {
            fn exception(self) -> $crate::Result<Self> {
                match self {
                    Self::Other(error) => Err(error),
                    exception => Ok(exception),
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                match self {
                    $(Self::$variant(value) => write!(f, concat!($text, ": {:?}"), value),)*
                    Self::Other(error) => ::std::fmt::Display::fmt(error, f),
                }
            }
        }

        impl ::std::error::Error for $name {}
    };
}

/// What a method with typed exceptions ended with, as the run-time wants it.
///
/// # Errors
///
/// Every error that is not one of the typed exceptions.
pub fn catch<T, E: TypedError>(result: Result<T, E>) -> Result<Result<T, E>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) => error.exception().map(Err),
    }
}
