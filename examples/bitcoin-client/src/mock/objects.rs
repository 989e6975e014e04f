//! The objects that the node serves, as far as they are the same in all versions of the schema.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bitcoin::block::Version;
use bitcoin::consensus::{Decodable, encode};
use bitcoin::hashes::Hash;
use bitcoin::{Amount, Block, Transaction, Weight};
use multiprocess::Error;

use super::assemble::{self, Assembled};
use super::chain::{Chain, Interrupt, State, Waited};
use super::check::{self, Rejected};
use crate::{BlockRef, CheckOptions};

/// A connection's first object.
#[derive(Debug)]
pub(super) struct Init {
    pub(super) chain: Arc<Chain>,
}

/// Answers with what it is told.
#[derive(Debug)]
pub(super) struct Echo;

/// The tip, and templates.
#[derive(Debug)]
pub(super) struct Mining {
    pub(super) chain: Arc<Chain>,
    interrupt: Interrupt,
}

/// One template.
#[derive(Debug)]
pub(super) struct Template {
    chain: Arc<Chain>,
    options: CreateOptions,
    content: Mutex<Assembled>,
    interrupt: Interrupt,
}

/// What a node thinks of a block: why not, in two forms, and whether.
pub(super) type Verdict = (String, String, bool);

/// What goes into templates.
#[derive(Clone, Copy, Debug)]
pub(super) struct CreateOptions {
    pub(super) use_mempool: bool,
    pub(super) reserved_weight: u64,
    pub(super) sigops: u64,
}

impl Init {
    pub(super) fn new(chain: Arc<Chain>) -> Self {
        Self { chain }
    }
}

impl Mining {
    pub(super) fn new(chain: &Arc<Chain>) -> Self {
        Self {
            chain: Arc::clone(chain),
            interrupt: Interrupt::default(),
        }
    }

    pub(super) fn wait_tip_changed(&self, current: &[u8], milliseconds: f64) -> Option<BlockRef> {
        let changed = |state: &State| {
            let tip = state.tip();
            (tip.hash.to_byte_array() != *current).then_some(tip)
        };
        match self
            .chain
            .wait(&self.interrupt, deadline(milliseconds), changed)
        {
            Waited::Found(tip) => Some(tip),
            Waited::TimedOut => Some(self.chain.tip()),
            Waited::Interrupted => None,
        }
    }

    pub(super) fn create(&self, options: CreateOptions, cooldown: bool) -> Option<Template> {
        let make = |state: &State| {
            let ready = !cooldown || !state.is_catching_up();
            ready.then(|| options.assemble(state))
        };
        match self.chain.wait(&self.interrupt, None, make) {
            Waited::Found(content) => Some(Template::new(&self.chain, options, content)),
            _ => None,
        }
    }

    /// Whether a block would be valid as the next one.
    pub(super) fn check(&self, block: &[u8], options: CheckOptions) -> Result<Verdict, Error> {
        let block: Block = decode(block)?;
        Ok(verdict(check::check(&self.chain.lock(), &block, options)))
    }

    pub(super) fn submit(&self, block: &[u8]) -> Result<Verdict, Error> {
        let block: Block = decode(block)?;
        Ok(verdict(self.chain.submit(&block)))
    }

    pub(super) fn interrupt_waits(&self) {
        self.chain.interrupt(&self.interrupt);
    }
}

impl Template {
    fn new(chain: &Arc<Chain>, options: CreateOptions, content: Assembled) -> Self {
        chain.count_templates(|count| count + 1);
        Self {
            chain: Arc::clone(chain),
            options,
            content: Mutex::new(content),
            interrupt: Interrupt::default(),
        }
    }

    pub(super) fn content(&self) -> MutexGuard<'_, Assembled> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wait_next(&self, milliseconds: f64, fee_threshold: i64) -> Option<Self> {
        let (previous, fees) = {
            let content = self.content();
            (content.block.header.prev_blockhash, content.total_fees())
        };
        let enough = u64::try_from(fee_threshold).map_or(Amount::ZERO, |rise| {
            fees + Amount::from_sat(rise.min(MAX_MONEY))
        });
        let better = |state: &State| {
            let next = self.options.assemble(state);
            let is_better = state.tip().hash != previous || next.total_fees() >= enough;
            is_better.then_some(next)
        };
        match self
            .chain
            .wait(&self.interrupt, deadline(milliseconds), better)
        {
            Waited::Found(content) => Some(Self::new(&self.chain, self.options, content)),
            _ => None,
        }
    }

    /// Completes the block and submits it. The template keeps the block's new header and first transaction.
    pub(super) fn submit(
        &self,
        (version, time, nonce): (u32, u32, u32),
        coinbase: &[u8],
    ) -> Result<Verdict, Error> {
        if coinbase.is_empty() {
            return Ok(verdict(Err(Rejected::default())));
        }
        let coinbase: Transaction = decode(coinbase)?;
        let block = {
            let mut content = self.content();
            let block = &mut content.block;
            block.txdata[0] = coinbase;
            block.header.version = Version::from_consensus(version.cast_signed());
            (block.header.time, block.header.nonce) = (time, nonce);
            if let Some(root) = block.compute_merkle_root() {
                block.header.merkle_root = root;
            }
            block.clone()
        };
        Ok(verdict(self.chain.submit(&block)))
    }

    pub(super) fn interrupt_wait(&self) {
        self.chain.interrupt(&self.interrupt);
    }
}

impl Drop for Template {
    fn drop(&mut self) {
        self.chain.count_templates(|count| count - 1);
    }
}

impl CreateOptions {
    fn assemble(self, state: &State) -> Assembled {
        assemble::template(
            state,
            self.use_mempool,
            Weight::from_wu(self.reserved_weight),
        )
    }

    /// Takes what a node of version 30 takes instead of too little or too much.
    pub(super) fn clamp(self) -> Self {
        let reserved_weight = self
            .reserved_weight
            .clamp(MIN_RESERVED_WEIGHT, MAX_BLOCK_WEIGHT);
        Self {
            reserved_weight,
            ..self
        }
    }

    /// Refuses what a node of version 32 refuses, in its words.
    pub(super) fn check(self) -> Result<Self, Error> {
        let (weight, sigops) = (self.reserved_weight, self.sigops);
        if weight < MIN_RESERVED_WEIGHT {
            return Err(Error::failed(format!(
                "block_reserved_weight ({weight}) is lower than minimum safety value of ({MIN_RESERVED_WEIGHT})"
            )));
        }
        if weight > MAX_BLOCK_WEIGHT {
            return Err(Error::failed(format!(
                "block_reserved_weight ({weight}) exceeds consensus maximum block weight ({MAX_BLOCK_WEIGHT})"
            )));
        }
        if sigops > MAX_SIGOPS_COST {
            return Err(Error::failed(format!(
                "coinbase_output_max_additional_sigops ({sigops}) exceeds consensus maximum block sigops cost ({MAX_SIGOPS_COST})"
            )));
        }
        Ok(self)
    }
}

/// Reads a block or transaction, as a node does: bytes after it do not matter.
fn decode<T: Decodable>(bytes: &[u8]) -> Result<T, Error> {
    match encode::deserialize_partial(bytes) {
        Ok((value, _)) => Ok(value),
        Err(encode::Error::Io(_)) => Err(Error::failed(
            "SpanReader::read(): end of data: unspecified iostream_category error",
        )),
        Err(error) => Err(Error::failed(error)),
    }
}

/// The error of a method that had another form in an older version.
pub(super) fn no_more(what: &str) -> Error {
    Error::failed(format!(
        "Old {what} not supported. Please update your client!"
    ))
}

/// A reference to a block, as the wire carries it.
pub(super) fn block_ref(block: BlockRef) -> (Vec<u8>, i32) {
    (
        block.hash.to_byte_array().to_vec(),
        block.height.cast_signed(),
    )
}

/// What a check says, as the wire carries it.
fn verdict(checked: Result<(), Rejected>) -> Verdict {
    match checked {
        Ok(()) => (String::new(), String::new(), true),
        Err((reason, debug)) => (reason, debug, false),
    }
}

fn deadline(milliseconds: f64) -> Option<Instant> {
    let timeout = Duration::try_from_secs_f64(milliseconds / 1000.0).ok();
    timeout.and_then(|timeout| Instant::now().checked_add(timeout))
}

const MAX_MONEY: u64 = 21_000_000 * 100_000_000;
const MIN_RESERVED_WEIGHT: u64 = 2_000;
const MAX_BLOCK_WEIGHT: u64 = 4_000_000;
const MAX_SIGOPS_COST: u64 = 80_000;
