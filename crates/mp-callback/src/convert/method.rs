//! Methods with the types of their messages, and how generated code serves them.

use std::marker::PhantomData;
use std::sync::Arc;

use capnp::traits::Owned;

use super::{Built, Result};
use crate::{AsyncServer, Method, Objects, Reply, ServerCall};

/// The interface that declares methods: its Cap'n Proto name and its id.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    interface: &'static str,
    id: u64,
}

impl Scope {
    /// Names an interface.
    #[must_use]
    pub const fn new(interface: &'static str, id: u64) -> Self {
        Self { interface, id }
    }

    /// A method by its Cap'n Proto name, its ordinal, and the index of the pointer field of type `Proxy.Context` in its params.
    #[must_use]
    pub const fn method<P, R>(
        self,
        name: &'static str,
        ordinal: u16,
        context: Option<u16>,
    ) -> Typed<P, R> {
        Typed {
            method: self.special(name, ordinal, context, None, None),
            messages: PhantomData,
        }
    }

    /// The same for `construct` and `destroy`, which carry no values, with the pointer fields of type `Proxy.ThreadMap`.
    #[must_use]
    pub const fn special(
        self,
        name: &'static str,
        ordinal: u16,
        context: Option<u16>,
        thread_map_param: Option<u16>,
        thread_map_result: Option<u16>,
    ) -> Method {
        Method {
            interface: self.interface,
            name,
            interface_id: self.id,
            ordinal,
            context,
            thread_map_param,
            thread_map_result,
            apart_params: false,
            apart_results: false,
        }
    }
}

/// A [`Method`] together with the accessor types of its params `P` and results `R`.
pub struct Typed<P, R> {
    method: Method,
    messages: PhantomData<fn(P) -> R>,
}

impl<P, R> Typed<P, R> {
    /// Says which messages hold objects or values with a user's conversion.
    #[must_use]
    pub const fn apart(mut self, params: bool, results: bool) -> Self {
        self.method.apart_params = params;
        self.method.apart_results = results;
        self
    }

    /// Says which pointer fields are of type `Proxy.ThreadMap`, in a method other than `construct`.
    #[must_use]
    pub const fn thread_maps(mut self, params: Option<u16>, results: Option<u16>) -> Self {
        self.method.thread_map_param = params;
        self.method.thread_map_result = results;
        self
    }

    /// The method without its types.
    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.method
    }
}

impl<P, R> std::fmt::Debug for Typed<P, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.method.interface, self.method.name)
    }
}

/// Declares the methods of one interface as a table: a static for each, with its Cap'n Proto name, its ordinal, where its
/// `Proxy.Context` is, and its messages among the accessors; and a constant with all of them. Only generated code uses it.
#[doc(hidden)]
#[macro_export]
macro_rules! methods {
    (
        $scope:ident = $interface:literal, $id_name:ident = $id:literal, $all:ident in $wire:ident;
        $($name:ident = $method:literal, $ordinal:literal, $context:expr, $params:ident => $results:ident $(, $with:ident($($value:expr),*))*;)*
    ) => {
        const $id_name: u64 = $id;
        const $scope: $crate::Scope = $crate::Scope::new($interface, $id_name);
        $(
            static $name: $crate::Typed<$wire::$params::Owned, $wire::$results::Owned> =
                $scope.method($method, $ordinal, $context)$(.$with($($value),*))*;
        )*
        const $all: &[&$crate::Method] = &[$($name.method()),*];
    };
}

/// Serves one call: reads the params, runs the method, builds the results.
///
/// Thread: the one that the call belongs to. `read` and `build` may run under the connection's lock, `invoke` never.
pub fn serve<P: Owned, R: Owned, A: Send, T, B: Built>(
    (call, method): (ServerCall, &'static Typed<P, R>),
    read: impl FnOnce(P::Reader<'_>, &Objects) -> Result<A>,
    invoke: impl FnOnce(A) -> Result<T>,
    build: impl FnOnce(T, R::Builder<'_>, &mut Objects) -> B,
) -> Reply {
    call.run::<P, R, A, T>(&method.method, read, invoke, |result, results, objects| {
        build(result, results, objects).built()
    })
}

/// Serves one call of an asynchronous method, in the same three parts: its future runs elsewhere. `None`: the call was taken.
///
/// Thread: the one that read the call. Nothing of the three runs on it, nor under the connection's lock but for messages of plain
/// data.
pub fn serve_async<P, R, A: Send + 'static, T: Send + 'static, B: Built, S, F>(
    (call, method): (ServerCall, &'static Typed<P, R>),
    server: &AsyncServer<S>,
    read: impl FnOnce(P::Reader<'_>, &Objects) -> Result<A> + Send + 'static,
    invoke: impl FnOnce(Arc<S>, A) -> F + Send + 'static,
    build: impl FnOnce(T, R::Builder<'_>, &mut Objects) -> B + Send + 'static,
) -> Option<ServerCall>
where
    P: Owned + 'static,
    R: Owned + 'static,
    S: Send + Sync + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    call.spawn::<P, R, A, T, S, F>(
        &method.method,
        server,
        read,
        invoke,
        |result, results, objects| build(result, results, objects).built(),
    );
    None
}

/// Fails to compile where generated code and this library are of different versions.
///
/// # Panics
///
/// While compiling, if `mp-gen` is of another version than `multiprocess`.
pub const fn generator_version(version: u32) {
    assert!(
        version == GENERATOR_VERSION,
        "this code was generated by a version of mp-gen that does not fit this version of multiprocess: \
         use the same version of both, in [build-dependencies] and [dependencies]"
    );
}

/// Counts incompatible changes of what generated code names.
const GENERATOR_VERSION: u32 = 1;
