//! What the holder of the vat's lock drives: the stream, the RPC system and the futures of calls.

use std::rc::Rc;
use std::sync::{Arc, Weak as ArcWeak};
use std::task::{Context, Poll, Waker};

use capnp::capability::{Client, FromClientHook};
use capnp::message::ReaderOptions;
use capnp::private::capability::ClientHook;
use capnp_rpc::rpc_twoparty_capnp::Side;
use capnp_rpc::{Disconnector, RpcSystem};
use futures::StreamExt;
use futures::future::{FutureExt, LocalBoxFuture};
use futures::stream::FuturesUnordered;

use super::frame::FrameReader;
use super::gate::Gate;
use super::inbox::Incoming;
use super::local::LocalObject;
use super::network::Network;
use super::read_buffers::ReadBuffers;
use super::shared::{CallState, Deferred, Shared};
use super::transport::Transport;
use crate::contain::{drop_each, guarded};
use crate::inner::Inner;
use crate::limits::Limits;
use crate::object::Object;

/// Which end of the connection this process is, and what it offers.
pub(crate) enum Role {
    /// This process connected. It takes the peer's first object.
    Client,
    /// This process serves: the object is the first that the peer gets.
    Server(Arc<dyn Object>),
}

/// Everything of a connection that only the holder of the lock may touch.
pub(crate) struct State {
    pub(crate) shared: Rc<Shared>,
    tasks: FuturesUnordered<LocalBoxFuture<'static, ()>>,
    /// Empties the RPC system's tables, whose entries refer to one another: dropping the system would not free them. It holds
    /// the first object as well: gone when the connection is closed.
    disconnector: Option<Disconnector<Side>>,
    transport: Transport,
    reader: FrameReader,
    options: ReaderOptions,
    waker: Waker,
    /// A message of the peer has come.
    pub(crate) heard: bool,
    /// The stream takes no more bytes at the moment.
    pub(crate) write_blocked: bool,
    /// The poller watches for the stream to take more.
    pub(crate) write_watched: bool,
}

/// Where reading stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The stream has nothing more at the moment.
    Drained,
    /// There may be more.
    More,
    /// The stream ended or broke: the connection is over.
    Ended,
}

impl State {
    /// A vat on a stream. For a client the peer's first object comes along, as a key.
    pub(crate) fn new(
        connection: ArcWeak<Inner>,
        transport: Transport,
        role: Role,
        limits: Limits,
        waker: Waker,
        buffers: Arc<ReadBuffers>,
    ) -> (Self, Option<usize>) {
        let options = ReaderOptions {
            traversal_limit_in_words: Some(limits.read_words()),
            nesting_limit: i32::try_from(limits.nesting).unwrap_or(i32::MAX),
        };
        let message_bytes = limits.message_bytes;
        let shared = Rc::new(Shared::new(connection, limits));
        let reader = FrameReader::new(message_bytes, Rc::clone(&shared.pool), buffers);
        let (side, first) = match role {
            Role::Client => (Side::Client, None),
            Role::Server(object) => (Side::Server, LocalObject::hook(&shared, &object).ok()),
        };
        let network = Box::new(Network {
            shared: Rc::clone(&shared),
            side,
            connected: false,
        });
        let mut system = RpcSystem::new(network, first.map(Client::new));
        let bootstrap = (side == Side::Client).then(|| {
            let peer: Client = system.bootstrap(Side::Server);
            shared.imports.borrow_mut().insert(peer.into_client_hook())
        });
        let disconnector = Some(system.get_disconnector());
        let tasks = FuturesUnordered::new();
        // How the RPC system ends is seen where the stream ends, which comes before it.
        tasks.push(system.map(drop).boxed_local());
        let state = Self {
            shared,
            tasks,
            disconnector,
            transport,
            reader,
            options,
            waker,
            heard: false,
            write_blocked: false,
            write_watched: false,
        };
        (state, bootstrap)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.shared.closed.get()
    }

    /// The capability for an object of this process.
    ///
    /// # Errors
    ///
    /// [`LimitExceeded`](crate::Error::LimitExceeded) when the peer holds too many.
    pub(crate) fn export(
        &self,
        object: &Arc<dyn Object>,
    ) -> Result<Box<dyn ClientHook>, crate::Error> {
        LocalObject::hook(&self.shared, object)
    }

    /// Runs the futures until none of them was woken.
    pub(crate) fn drive(&mut self, gate: &Gate) {
        loop {
            gate.take_woken();
            self.read_stream();
            self.take_new_tasks();
            let waker = self.waker.clone();
            let mut context = Context::from_waker(&waker);
            while let Poll::Ready(Some(())) = self.tasks.poll_next_unpin(&mut context) {}
            if !gate.take_woken() && self.shared.new_tasks.borrow().is_empty() {
                break;
            }
        }
    }

    #[inline(never)]
    fn take_new_tasks(&mut self) {
        let mut tasks = self.shared.new_tasks.borrow_mut();
        self.tasks.extend(tasks.drain(..));
    }

    /// Reads a stream that no poller watches until it has nothing more: only then will it wake the vat. The wake-up may come
    /// while somebody is inside, who then looks here again.
    fn read_stream(&mut self) {
        if self.transport.is_polled() || self.is_closed() {
            return;
        }
        for _ in 0..READS_IN_A_ROW {
            if self.read() != Progress::More {
                return;
            }
            if self.has_much_to_do() {
                break;
            }
        }
        // Once what was read has been handled.
        self.waker.wake_by_ref();
    }

    /// Writes what the stream takes. False: the stream broke.
    pub(crate) fn flush(&mut self) -> bool {
        let mut outbox = self.shared.outbox.borrow_mut();
        match outbox.write(&mut self.transport, &self.waker) {
            Poll::Ready(Ok(())) => self.write_blocked = false,
            Poll::Pending => self.write_blocked = true,
            Poll::Ready(Err(_)) => return false,
        }
        let queued = outbox.queued();
        drop(outbox);
        self.shared.make_room(queued)
    }

    /// Reads once from the stream, and hands what came to the RPC system's inbox.
    pub(crate) fn read(&mut self) -> Progress {
        let progress = self.read_once();
        if progress != Progress::More {
            self.reader.rest();
        }
        progress
    }

    fn read_once(&mut self) -> Progress {
        let space = self.reader.space();
        let room = space.len();
        match self.transport.read(&self.waker, space) {
            Poll::Pending => Progress::Drained,
            Poll::Ready(Ok(0)) => {
                self.shared.peer_ended.set(true);
                let whole = self.reader.at_boundary();
                self.end(if whole { Ok(()) } else { Err(premature_end()) })
            }
            Poll::Ready(Err(error)) => self.end(Err(capnp::Error::disconnected(error.to_string()))),
            Poll::Ready(Ok(count)) => {
                self.reader.filled(count);
                match self.receive() {
                    Ok(()) if count < room && self.transport.is_polled() => Progress::Drained,
                    Ok(()) => Progress::More,
                    Err(error) => self.end(Err(error)),
                }
            }
        }
    }

    /// Whether so many messages were read that they are to be handled before more are, and other connections get their turn.
    pub(crate) fn has_much_to_do(&self) -> bool {
        self.shared.inbox.borrow().len() >= MESSAGES_IN_A_ROW
    }

    /// Ends everything: calls of this process fail, calls of the peer are told, objects are let go of, newest first.
    pub(crate) fn close(&mut self) {
        if self.shared.closed.replace(true) {
            return;
        }
        let shared = Rc::clone(&self.shared);
        let mut pipelines = Vec::new();
        // The calls that somebody holds a handle to stay.
        shared.calls.borrow_mut().retain(|_, slot| {
            pipelines.push(slot.pipeline.take());
            // An answer that came in time stays for its waiter.
            if matches!(slot.state, CallState::Done(_)) {
                return true;
            }
            let wakers = slot.take_wakers().map(Deferred::Wake);
            shared.deferred.borrow_mut().extend(wakers);
            match std::mem::replace(&mut slot.state, CallState::Disconnected) {
                CallState::Unattended(completion) => {
                    let outcome = Err(crate::Error::Disconnected);
                    shared.defer(Deferred::Complete(completion, outcome));
                    false
                }
                _ => true,
            }
        });
        let requests: Vec<_> = shared.requests.borrow_mut().drain().collect();
        for request in &requests {
            // At once: whoever does not find the request any more can tell why.
            request.state.note_cancelled();
            shared.defer(Deferred::Cancel(Arc::clone(&request.state)));
        }
        let room = shared.room.take();
        let mut deferred = shared.deferred.borrow_mut();
        deferred.extend(room.into_iter().map(Deferred::Wake));
        drop(deferred);
        let tasks = std::mem::take(&mut self.tasks);
        let imports: Vec<_> = shared.imports.borrow_mut().drain().collect();
        let inbox = shared.inbox.borrow_mut().clear();
        let new_tasks = shared.new_tasks.take();
        // The destructors of `capnp-rpc` assert what a panic, or a hostile peer, may have broken.
        let mut whole = requests.into_iter().fold(true, |whole, request| {
            drop_each([request.params]) & drop_each([request.results]) & whole
        });
        whole &= drop_each(pipelines);
        let disconnector = self.disconnector.take();
        whole &= guarded(|| drop(disconnector.map(FutureExt::now_or_never))).is_some();
        whole &= drop_each(tasks) & drop_each(new_tasks) & drop_each(imports);
        drop(inbox);
        if !whole {
            shared.defer(Deferred::Report("panic while a connection was taken down"));
        }
        // Those too that the RPC system let go of when it saw the end of the stream, a moment ago.
        shared
            .deferred
            .borrow_mut()
            .sort_by_key(|action| match action {
                Deferred::Drop(number, _) => std::cmp::Reverse(*number),
                _ => std::cmp::Reverse(u64::MAX),
            });
        self.transport.shutdown(&self.waker);
        shared.outbox.borrow_mut().clear();
    }

    fn receive(&mut self) -> capnp::Result<()> {
        while let Some(segments) = self.reader.next_message()? {
            let current = Rc::clone(&self.shared.current_call);
            let message = Incoming::new(segments, self.options, current)?;
            self.heard = true;
            self.shared.inbox.borrow_mut().push(message);
        }
        Ok(())
    }

    fn end(&self, result: capnp::Result<()>) -> Progress {
        self.shared.inbox.borrow_mut().end(result);
        Progress::Ended
    }
}

fn premature_end() -> capnp::Error {
    capnp::Error::disconnected("Premature end of stream".to_owned())
}

/// After so many reads what was read is handled, and other connections of the loop get their turn.
pub(crate) const READS_IN_A_ROW: usize = 16;
/// The same for messages, of which one read can bring more: they may be small.
const MESSAGES_IN_A_ROW: usize = 128;
