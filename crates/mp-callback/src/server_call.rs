//! A call of the peer's on the thread that it belongs to: params in, method, results out.

use capnp::any_pointer;
use capnp::traits::Owned;
pub(crate) use mp_conn::contained;
use mp_conn::{Connection, Error, Message, Object};
use mp_thread::{Sending, Serving};
use std::sync::Arc;

use crate::epilogue::{Epilogue, Epilogues};
use crate::{AsyncServer, Method, Objects, ProxyClient, async_method, log};

/// A call that is about to run. Generated code gives it the method's three parts.
#[derive(Debug)]
pub struct ServerCall {
    call: mp_conn::ServerCall,
    request: u64,
    epilogues: Epilogues,
}

/// Says that a call was answered.
#[derive(Debug)]
#[must_use = "every call is answered"]
pub struct Reply {
    /// Dropped after the object.
    _epilogue: Epilogue,
}

impl ServerCall {
    /// The count is that of the calls that are answered and still hold the object.
    pub(crate) fn new(call: mp_conn::ServerCall, request: u64, epilogues: Epilogues) -> Self {
        Self {
            call,
            request,
            epilogues,
        }
    }

    /// The interface that declares the method.
    #[must_use]
    pub fn interface_id(&self) -> u64 {
        self.call.interface_id()
    }

    /// The method's number in its interface.
    #[must_use]
    pub fn ordinal(&self) -> u16 {
        self.call.ordinal()
    }

    /// Reads the params, runs the method, builds the results.
    ///
    /// A failure of any of the three, or a panic, is the caller's failure. The answer goes out when the objects that the
    /// method borrowed are gone. `read` and `build` may run with the connection's lock held, `invoke` never does.
    #[inline(never)]
    pub fn run<P: Owned, R: Owned, A: Send, T>(
        self,
        method: &'static Method,
        read: impl FnOnce(P::Reader<'_>, &Objects) -> Result<A, Error>,
        invoke: impl FnOnce(A) -> Result<T, Error>,
        build: impl FnOnce(T, R::Builder<'_>, &mut Objects) -> Result<(), Error>,
    ) -> Reply {
        let Self {
            call,
            request,
            epilogues,
        } = self;
        if call.is_cancelled() {
            log::canceled_before(&call, request);
            call.fail(&Error::Cancelled);
            return Reply::new(&epilogues);
        }
        log::executing(&call, request);
        let result = perform::<P, A, T>(&call, method, request, read, invoke);
        let reply = Reply::new(&epilogues);
        if call.is_cancelled() {
            log::interrupted(&call.connection(), request);
            call.fail(&Error::Cancelled);
            return reply;
        }
        let connection = call.connection();
        match result {
            Ok(result) => answer::<R, T>(call, method, request, result, build, ahead),
            Err(error) => {
                log::uncaught(&connection, request, &error);
                call.fail(&error);
            }
        }
        reply
    }

    /// Has the call run as a future: by a spawner, or else by the event loop. See [`run`](Self::run) for the rest.
    pub(crate) fn spawn<P, R, A: Send + 'static, T: Send + 'static, S, F>(
        self,
        method: &'static Method,
        server: &AsyncServer<S>,
        read: impl FnOnce(P::Reader<'_>, &Objects) -> Result<A, Error> + Send + 'static,
        invoke: impl FnOnce(Arc<S>, A) -> F + Send + 'static,
        build: impl FnOnce(T, R::Builder<'_>, &mut Objects) -> Result<(), Error> + Send + 'static,
    ) where
        P: Owned + 'static,
        R: Owned + 'static,
        S: Send + Sync + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let object = Arc::clone(AsyncServer::object(server));
        let keep = Arc::clone(&object);
        let event_loop = self.call.connection().event_loop().clone();
        let task = async_method::serve::<P, R, A, T, F>(
            (self.call, self.request, method),
            keep,
            read,
            move |arguments| invoke(object, arguments),
            build,
        );
        async_method::spawn(task, AsyncServer::spawner(server), &event_loop);
    }

    /// Gives the call back as it came.
    pub(crate) fn into_inner(self) -> mp_conn::ServerCall {
        self.call
    }

    /// Answers that the object has no such method.
    pub fn unimplemented(self) -> Reply {
        mp_thread::unimplemented("", self.call);
        Reply::new(&self.epilogues)
    }
}

impl Reply {
    fn new(epilogues: &Epilogues) -> Self {
        Self {
            _epilogue: epilogues.start(),
        }
    }
}

/// Reads the params and runs the method. Not inlined: what is needed for that is off the stack when the answer is sent.
#[inline(never)]
fn perform<P: Owned, A: Send, T>(
    call: &mp_conn::ServerCall,
    method: &'static Method,
    request: u64,
    read: impl FnOnce(P::Reader<'_>, &Objects) -> Result<A, Error>,
    invoke: impl FnOnce(A) -> Result<T, Error>,
) -> Result<T, Error> {
    // References that a failed conversion or the method drops are destroyed before the answer.
    let serving = Serving::start(call, method.context)?;
    let _watch = log::watch_cancellation(call, request);
    let result = contained(|| invoke(arguments::<P, A>(call, method, read)?));
    serving.settle();
    result
}

/// Reads the params.
pub(crate) fn arguments<P: Owned, A: Send>(
    call: &mp_conn::ServerCall,
    method: &'static Method,
    read: impl FnOnce(P::Reader<'_>, &Objects) -> Result<A, Error>,
) -> Result<A, Error> {
    let connection = call.connection();
    if let Some(field) = method.thread_map_param {
        crate::take_thread_map(&connection, call.param_object(&[field])?)?;
    }
    if method.apart_params {
        call.params()?.read(|params, references| {
            read(params.get_as()?, &Objects::reading(&connection, references))
        })
    } else {
        call.lend_params(|params, lender| read(params.get_as()?, &Objects::lending(lender)))
    }
}

/// Builds the results and sends them. `ahead` is called right before they are sent.
pub(crate) fn answer<R: Owned, T>(
    call: mp_conn::ServerCall,
    method: &'static Method,
    request: u64,
    result: T,
    build: impl FnOnce(T, R::Builder<'_>, &mut Objects) -> Result<(), Error>,
    ahead: impl FnOnce(&Connection),
) {
    let connection = call.connection();
    let cancellation = call.cancellation();
    let thread_map: Vec<(u16, Arc<dyn Object>)> = method
        .thread_map_result
        .map(|field| (field, mp_thread::thread_map(&connection)))
        .into_iter()
        .collect();
    let answered = if method.apart_results {
        answer_apart::<R, T>(call, (method, request), &thread_map, result, build, ahead)
    } else {
        log::sent_response(&connection, request, method);
        ahead(&connection);
        call.reply(&thread_map, |results| {
            build(result, results.init_as(), &mut Objects::default())
        })
    };
    if let Err(error) = answered {
        mp_thread::wait_not();
        if cancellation.is_cancelled() {
            log::interrupted(&connection, request);
        } else {
            log::uncaught(&connection, request, &error);
        }
    }
}

/// The same for results that are built without the connection's lock.
#[inline(never)]
fn answer_apart<R: Owned, T>(
    call: mp_conn::ServerCall,
    (method, request): (&'static Method, u64),
    thread_map: &[(u16, Arc<dyn Object>)],
    result: T,
    build: impl FnOnce(T, R::Builder<'_>, &mut Objects) -> Result<(), Error>,
    ahead: impl FnOnce(&Connection),
) -> Result<(), Error> {
    let connection = call.connection();
    let mut homes = Vec::new();
    let message = contained(|| {
        Message::build(|results: any_pointer::Builder<'_>, references| {
            let mut objects = Objects::building(&connection);
            build(result, results.init_as(), &mut objects)?;
            (*references, homes) = objects.into_built();
            Ok(())
        })
    });
    match message {
        Ok(message) => {
            log::sent_response(&connection, request, method);
            ahead(&connection);
            let sent = call.reply_message(thread_map, message);
            homes.into_iter().for_each(ProxyClient::leave_at_home);
            sent
        }
        Err(error) => {
            call.fail(&error);
            Err(error)
        }
    }
}

/// Prepares for sending an answer: a worker waits until the peer has read enough of the earlier ones.
fn ahead(connection: &Connection) {
    // Fails when the connection has ended, and then so does answering.
    mp_thread::wait_for_room(connection, None).ok();
    mp_thread::wait_ahead(connection, Sending::Answer);
}
