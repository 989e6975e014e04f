//! Block templates.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use bitcoin::block::{Header, Version};
use bitcoin::{Amount, Block, Transaction, TxMerkleNode, consensus};

use super::answer::{Answer, Counted, Wait, answer};
use super::node::Link;
use super::raw::{self, each};
use super::types::{amount, coinbase, decode, decode_all, satoshis};
use super::{Coinbase, Verdict, WaitOptions};
use crate::Error;

/// A block that lacks a coinbase transaction of the miner's, and work.
///
/// Clones share it. When the last is dropped, the node lets go of the template.
#[derive(Clone)]
pub struct BlockTemplate {
    shared: Arc<Shared>,
}

struct Shared {
    link: Arc<Link>,
    raw: raw::Template,
    /// How many waits were given up that the node has not ended yet. It has one flag for all waits of a template, so that
    /// two interruptions may end only one, and may meet one that is wanted.
    given_up: AtomicUsize,
    /// Interruptions that the node has not answered yet.
    interrupting: AtomicUsize,
    /// Interruptions that may still end a wait that is wanted: each ends one at most, and when it does is not known here.
    strays: AtomicUsize,
    /// The same, because a user of this library said so.
    asked: AtomicBool,
}

/// What makes a block of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    /// The header's version.
    pub version: Version,
    /// The header's time, in seconds since 1970.
    pub time: u32,
    /// The header's nonce.
    pub nonce: u32,
    /// The coinbase transaction, with its witness.
    pub coinbase: Transaction,
}

impl BlockTemplate {
    pub(crate) fn new(link: Arc<Link>, raw: raw::Template) -> Self {
        Self {
            shared: Arc::new(Shared {
                link,
                raw,
                given_up: AtomicUsize::new(0),
                interrupting: AtomicUsize::new(0),
                strays: AtomicUsize::new(0),
                asked: AtomicBool::new(false),
            }),
        }
    }

    /// The header. Its merkle root and nonce are placeholders.
    #[must_use]
    pub fn header(&self) -> Answer<Header> {
        each!(&self.shared.raw, template, schema => {
            answer(template.get_block_header_async(), |bytes| decode(&bytes, "block header"))
        })
    }

    /// The whole block, with a placeholder for the coinbase transaction.
    #[must_use]
    pub fn block(&self) -> Answer<Block> {
        each!(&self.shared.raw, template, schema => {
            answer(template.get_block_async(), |bytes| decode(&bytes, "block"))
        })
    }

    /// What each transaction but the coinbase pays.
    #[must_use]
    pub fn fees(&self) -> Answer<Vec<Amount>> {
        each!(&self.shared.raw, template, schema => {
            answer(template.get_tx_fees_async(), |fees| {
                fees.into_iter().map(|fee| amount(fee, "fee")).collect()
            })
        })
    }

    /// The cost of signature checks of each transaction but the coinbase.
    #[must_use]
    pub fn sigops(&self) -> Answer<Vec<u64>> {
        each!(&self.shared.raw, template, schema => {
            answer(template.get_tx_sigops_async(), |costs| {
                let cost = |cost: i64| u64::try_from(cost).map_err(|error| Error::bad_value("cost", error));
                costs.into_iter().map(cost).collect()
            })
        })
    }

    /// What the coinbase transaction is made from.
    #[must_use]
    pub fn coinbase(&self) -> Answer<Coinbase> {
        match &self.shared.raw {
            raw::Raw::V30(template) => answer(template.get_coinbase_tx_async(), |bytes| {
                Coinbase::from_placeholder(decode(&bytes, "coinbase transaction")?)
            }),
            raw::Raw::V31(template) => answer(template.get_coinbase_tx_async(), |c| coinbase!(c)),
            raw::Raw::V32(template) => answer(template.get_coinbase_tx_async(), |c| coinbase!(c)),
        }
    }

    /// The hashes that lead from the coinbase transaction to the merkle root, the deepest first. See
    /// [`merkle_root`](crate::merkle_root).
    #[must_use]
    pub fn merkle_path(&self) -> Answer<Vec<TxMerkleNode>> {
        each!(&self.shared.raw, template, schema => {
            answer(template.get_coinbase_merkle_path_async(), |path| decode_all(&path, "merkle path"))
        })
    }

    /// Completes the block, and adds it to the chain. Nodes before version 32 do not say why they reject one.
    #[must_use]
    pub fn submit(&self, solution: &Solution) -> Answer<Verdict> {
        let (version, time, nonce) = (
            solution.version.to_consensus().cast_unsigned(),
            solution.time,
            solution.nonce,
        );
        let coinbase = consensus::serialize(&solution.coinbase);
        let unexplained = |accepted| Ok(Verdict::new(accepted, String::new(), String::new()));
        match &self.shared.raw {
            raw::Raw::V30(template) => answer(
                template.submit_solution_async(version, time, nonce, &coinbase),
                unexplained,
            ),
            raw::Raw::V31(template) => answer(
                template.submit_solution_async(version, time, nonce, &coinbase),
                unexplained,
            ),
            raw::Raw::V32(template) => answer(
                template.submit_solution_async(version, time, nonce, &coinbase),
                |verdict| Ok(Verdict::new(verdict.result, verdict.reason, verdict.debug)),
            ),
        }
    }

    /// Waits for a better template: after a new tip, or when fees have risen. `None` after the timeout, or when the wait was
    /// interrupted. Dropping the answer interrupts it.
    #[must_use]
    pub fn next(&self, options: WaitOptions) -> Answer<Option<Self>> {
        let deadline = options.timeout.map(|timeout| Instant::now() + timeout);
        let fee_rise = options.fee_rise.map_or(NEVER, satoshis);
        let first = self.wait(deadline, fee_rise);
        let this = self.clone();
        Box::pin(async move {
            let mut wait = first;
            loop {
                let started = Instant::now();
                if let Some(raw) = wait.await? {
                    return Ok(Some(Self::new(Arc::clone(&this.shared.link), raw)));
                }
                let shared = &this.shared;
                let stray = shared.take_stray() || shared.interrupting.load(Ordering::SeqCst) > 0;
                let asked = shared.asked.swap(false, Ordering::SeqCst);
                let time_is_left = deadline.is_none_or(|deadline| Instant::now() < deadline);
                if asked || !time_is_left || !(stray || shared.link.is_short_wait(started)) {
                    return Ok(None);
                }
                if stray && shared.given_up.load(Ordering::SeqCst) > 0 {
                    shared.interrupt();
                }
                wait = this.wait(deadline, fee_rise);
            }
        })
    }

    /// Ends a wait for the next template, which gives `None`.
    #[must_use]
    pub fn interrupt_wait(&self) -> Answer<()> {
        self.shared.asked.store(true, Ordering::SeqCst);
        each!(&self.shared.raw, template, schema => answer(template.interrupt_wait_async(), Ok))
    }

    /// One wait at the node.
    fn wait(&self, deadline: Option<Instant>, fee_threshold: i64) -> Answer<Option<raw::Template>> {
        let timeout = self.shared.link.milliseconds(deadline);
        each!(&self.shared.raw, template, schema => {
            let options = schema::mining::BlockWaitOptions { timeout, fee_threshold };
            let shared = Arc::clone(&self.shared);
            let call = template.wait_next_async(&options);
            let wait = Wait::new(call, &self.shared.link.waits, move || GivenUp::new(shared));
            Box::pin(async move { Ok(wait.wait().await?.map(Into::into)) })
        })
    }
}

impl Shared {
    /// Ends one of the node's waits for the next template.
    fn interrupt(self: &Arc<Self>) {
        self.strays.fetch_add(1, Ordering::SeqCst);
        self.interrupting.fetch_add(1, Ordering::SeqCst);
        let answered = Interrupting {
            shared: Arc::clone(self),
            _counted: Counted::new(&self.link.waits),
        };
        each!(&self.raw, template, schema => template.interrupt_wait_async().detach(answered));
    }
}

impl Shared {
    /// Whether an interruption that was not meant for it may have ended a wait. Counts as having done so.
    fn take_stray(&self) -> bool {
        let taken = self
            .strays
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |strays| {
                strays.checked_sub(1)
            });
        taken.is_ok()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let counted = Counted::new(&self.link.waits);
        each!(&self.raw, template, schema => template.destroy_async().detach(counted));
    }
}

/// An interruption that the node has not answered yet.
struct Interrupting {
    shared: Arc<Shared>,
    /// Dropped after the template, which may have been kept for this alone.
    _counted: Counted,
}

impl Drop for Interrupting {
    fn drop(&mut self) {
        self.shared.interrupting.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A wait that was given up, until the node has ended it.
struct GivenUp(Arc<Shared>);

impl GivenUp {
    fn new(shared: Arc<Shared>) -> Self {
        shared.given_up.fetch_add(1, Ordering::SeqCst);
        shared.interrupt();
        Self(shared)
    }
}

impl Drop for GivenUp {
    fn drop(&mut self) {
        if self.0.given_up.fetch_sub(1, Ordering::SeqCst) > 1 {
            self.0.interrupt();
        }
    }
}

impl Solution {
    /// The header of the block that the solution makes of a template with this header and merkle path.
    #[must_use]
    pub fn header(&self, template: &Header, path: &[TxMerkleNode]) -> Header {
        Header {
            version: self.version,
            prev_blockhash: template.prev_blockhash,
            merkle_root: super::merkle_root(self.coinbase.compute_txid(), path),
            time: self.time,
            bits: template.bits,
            nonce: self.nonce,
        }
    }
}

impl fmt::Debug for BlockTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockTemplate").finish_non_exhaustive()
    }
}

/// More than any fees can rise.
const NEVER: i64 = 21_000_000 * 100_000_000;
