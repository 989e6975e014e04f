//! Messages that `capnp-rpc` builds to be sent.
//!
//! It keeps what it has sent of a result, to find the objects that later calls are made on, and wants it in memory of `capnp`'s
//! own allocator, fresh for each message. Calls, and results that are known to hold no objects, are built in memory that is used
//! again instead; what is kept of those is an answer that has nothing in it, where a call finds no object either.

use std::rc::Rc;

use capnp::OutputSegments;
use capnp::any_pointer;
use capnp::capability::Promise;
use capnp::message::{Allocator, Builder, HeapAllocator};
use capnp_rpc::OutgoingMessage;
use capnp_rpc::rpc_capnp::message;

use super::inbox::small_message;
use super::memory::PooledSegments;
use super::shared::Shared;

/// A message that `capnp-rpc` builds.
pub(crate) struct Outgoing<A: Allocator> {
    message: Builder<A>,
    shared: Rc<Shared>,
}

/// A message that is ready to be written.
pub(crate) trait Output {
    fn root(&self) -> capnp::Result<message::Reader<'_>>;

    fn segments(&self) -> OutputSegments<'_>;
}

impl<A: Allocator> Output for Builder<A> {
    fn root(&self) -> capnp::Result<message::Reader<'_>> {
        self.get_root_as_reader()
    }

    fn segments(&self) -> OutputSegments<'_> {
        self.get_segments_for_output()
    }
}

impl Shared {
    /// A message for `capnp-rpc` to build.
    pub(crate) fn outgoing(self: &Rc<Self>, first_segment_words: u32) -> Box<dyn OutgoingMessage> {
        let shared = Rc::clone(self);
        let words = first_segment_words.min(FIRST_SEGMENT_WORDS);
        if self.reuse.get() {
            let message = Builder::new(PooledSegments::new(Rc::clone(&self.pool), words));
            Box::new(Outgoing { message, shared })
        } else {
            let message = Builder::new(HeapAllocator::new().first_segment_words(words));
            Box::new(Outgoing { message, shared })
        }
    }

    /// Lets `capnp-rpc` begin a message, which is a call or an answer without objects, in memory that is used again.
    pub(crate) fn in_reused_memory<R>(&self, begin: impl FnOnce() -> R) -> R {
        self.reuse.set(true);
        let begun = begin();
        self.reuse.set(false);
        begun
    }

    fn send(&self, message: Rc<dyn Output>, words: usize) {
        // Fails for nothing that `capnp-rpc` builds.
        if !self.closed.get() && self.note(&message, words * 8).unwrap_or(true) {
            self.outbox.borrow_mut().push(message);
        }
    }
}

impl OutgoingMessage for Outgoing<HeapAllocator> {
    fn get_body(&mut self) -> capnp::Result<any_pointer::Builder<'_>> {
        self.message.get_root()
    }

    fn get_body_as_reader(&self) -> capnp::Result<any_pointer::Reader<'_>> {
        self.message.get_root_as_reader()
    }

    fn send(self: Box<Self>) -> (Promise<(), capnp::Error>, Rc<Builder<HeapAllocator>>) {
        let words = self.message.size_in_words();
        let message = Rc::new(self.message);
        self.shared.send(Rc::<Builder<_>>::clone(&message), words);
        (Promise::ok(()), message)
    }

    fn take(self: Box<Self>) -> Builder<HeapAllocator> {
        self.message
    }

    fn size_in_words(&self) -> usize {
        self.message.size_in_words()
    }
}

impl OutgoingMessage for Outgoing<PooledSegments> {
    fn get_body(&mut self) -> capnp::Result<any_pointer::Builder<'_>> {
        self.message.get_root()
    }

    fn get_body_as_reader(&self) -> capnp::Result<any_pointer::Reader<'_>> {
        self.message.get_root_as_reader()
    }

    fn send(self: Box<Self>) -> (Promise<(), capnp::Error>, Rc<Builder<HeapAllocator>>) {
        let words = self.message.size_in_words();
        self.shared.send(Rc::new(self.message), words);
        let kept = self
            .shared
            .empty_answer
            .get_or_init(|| Rc::new(empty_answer()));
        (Promise::ok(()), Rc::clone(kept))
    }

    fn take(self: Box<Self>) -> Builder<HeapAllocator> {
        empty_answer()
    }

    fn size_in_words(&self) -> usize {
        self.message.size_in_words()
    }
}

/// An answer without a result in it.
fn empty_answer() -> Builder<HeapAllocator> {
    let mut message = small_message();
    message
        .init_root::<message::Builder<'_>>()
        .init_return()
        .init_results();
    message
}

/// `capnp-rpc` asks for 8 KiB for each call, which would be zeroed for nothing: larger messages get a segment of their own.
const FIRST_SEGMENT_WORDS: u32 = 96;
