//! Exports of this process that are promises.
//!
//! `capnp-rpc` calls a promise one only in the message that it first goes out in; later it describes it as if it were an object.
//! Whether a number is still that of a promise is therefore known by counting the peer's references, as `capnp-rpc` does: when
//! there are none left, the next export gets the number, and may be an object.

use std::collections::HashMap;
use std::rc::Rc;

use capnp_rpc::rpc_capnp::{cap_descriptor, message, resolve, return_};

use super::outgoing::Output;

/// Exports that are promises, or were when they were made, for as long as the peer refers to them.
///
/// A peer that lets go of a call's objects by `releaseParamCaps` is believed to refer to them still.
#[derive(Default)]
pub(crate) struct PromisedExports {
    by_number: HashMap<u32, Promised>,
}

struct Promised {
    /// How many unanswered calls a call on it waits for.
    depth: u32,
    /// How often it was sent, and not released.
    references: u32,
}

impl PromisedExports {
    pub(crate) fn contains(&self, export: u32) -> bool {
        self.by_number.contains_key(&export)
    }

    /// How many unanswered calls a call on an export waits for.
    pub(crate) fn depth(&self, export: u32) -> u32 {
        self.by_number
            .get(&export)
            .map_or(0, |promised| promised.depth)
    }

    /// Notes that an object goes out, perhaps as a promise, whose depth is then asked for.
    pub(crate) fn sent(&mut self, cap: cap_descriptor::Reader<'_>, depth: impl FnOnce() -> u32) {
        match cap.which() {
            Ok(cap_descriptor::SenderPromise(export)) => {
                let promised = Promised {
                    depth: depth(),
                    references: 1,
                };
                self.by_number.insert(export, promised);
            }
            Ok(cap_descriptor::SenderHosted(export)) => {
                if let Some(promised) = self.by_number.get_mut(&export) {
                    promised.references = promised.references.saturating_add(1);
                }
            }
            _ => {}
        }
    }

    /// Notes that a promise has become something.
    pub(crate) fn resolved(&mut self, export: u32) {
        if let Some(promised) = self.by_number.get_mut(&export) {
            promised.depth = 0;
        }
    }

    /// Notes that the peer gave up references to an export.
    pub(crate) fn released(&mut self, export: u32, count: u32) {
        if let Some(promised) = self.by_number.get_mut(&export) {
            promised.references = promised.references.saturating_sub(count);
            if promised.references == 0 {
                self.by_number.remove(&export);
            }
        }
    }

    /// Notes that the peer gave up what came with an answer.
    pub(crate) fn released_with(&mut self, answer: &Rc<dyn Output>) -> capnp::Result<()> {
        if self.by_number.is_empty() {
            return Ok(());
        }
        if let message::Return(answer) = answer.root()?.which()?
            && let return_::Results(results) = answer?.which()?
        {
            for cap in results?.get_cap_table()? {
                self.released_once(cap);
            }
        }
        Ok(())
    }

    /// Notes that the peer did not understand a message of this process, and so does not refer to what came with it.
    pub(crate) fn not_understood(&mut self, message: message::Reader<'_>) -> capnp::Result<()> {
        if let Ok(message::Resolve(resolve)) = message.which()
            && let resolve::Cap(cap) = resolve?.which()?
        {
            self.released_once(cap?);
        }
        Ok(())
    }

    fn released_once(&mut self, cap: cap_descriptor::Reader<'_>) {
        if let Ok(cap_descriptor::SenderHosted(export) | cap_descriptor::SenderPromise(export)) =
            cap.which()
        {
            self.released(export, 1);
        }
    }
}
