//! The objects that the node serves, as far as they are the same in all versions of the schema.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bitcoin::block::Version;
use bitcoin::consensus::{Decodable, encode};
use bitcoin::{Amount, Block, Transaction, Weight};
use multiprocess::Error;

use super::assemble::{self, Assembled};
use super::chain::{Chain, Interrupt, State, Waited};
use super::check::Rejected;
use crate::BlockRef;

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
            (AsRef::<[u8]>::as_ref(&tip.hash) != current).then_some(tip)
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
    ) -> Result<Result<(), Rejected>, Error> {
        if coinbase.is_empty() {
            return Ok(Err(Rejected::default()));
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
        Ok(self.chain.submit(&block))
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
pub(super) fn decode<T: Decodable>(bytes: &[u8]) -> Result<T, Error> {
    match encode::deserialize_partial(bytes) {
        Ok((value, _)) => Ok(value),
        Err(encode::Error::Io(_)) => Err(Error::failed(
            "SpanReader::read(): end of data: unspecified iostream_category error",
        )),
        Err(error) => Err(Error::failed(error)),
    }
}

/// Reads the block of a call.
pub(super) fn block(bytes: &[u8]) -> Result<Block, Error> {
    decode(bytes)
}

/// What a check says, as the wire carries it.
pub(super) fn verdict(checked: Result<(), Rejected>) -> (String, String, bool) {
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

/// The methods of `Echo`.
macro_rules! echo_methods {
    () => {
        fn echo(&self, echo: &str) -> Result<String, Error> {
            Ok(echo.to_owned())
        }
    };
}
pub(super) use echo_methods;

/// The methods of `Mining` that are the same in all versions.
macro_rules! mining_methods {
    () => {
        fn is_test_chain(&self) -> Result<bool, Error> {
            Ok(true)
        }

        fn is_initial_block_download(&self) -> Result<bool, Error> {
            Ok(false)
        }

        fn get_tip(&self) -> Result<Option<schema::common::BlockRef>, Error> {
            Ok(Some(block_ref(self.chain.tip())))
        }

        fn wait_tip_changed(
            &self,
            current: &[u8],
            timeout: f64,
        ) -> Result<Option<schema::common::BlockRef>, Error> {
            Ok(objects::Mining::wait_tip_changed(self, current, timeout).map(block_ref))
        }

        fn check_block(
            &self,
            block: &[u8],
            options: &schema::mining::BlockCheckOptions,
        ) -> Result<schema::mining::MiningCheckBlockResult, Error> {
            let block = objects::block(block)?;
            let options = crate::CheckOptions {
                merkle_root: options.check_merkle_root,
                proof_of_work: options.check_pow,
            };
            let checked = crate::mock::check::check(&self.chain.lock(), &block, options);
            let (reason, debug, result) = objects::verdict(checked);
            Ok(schema::mining::MiningCheckBlockResult {
                reason,
                debug,
                result,
            })
        }
    };
}
pub(super) use mining_methods;

/// The methods of `BlockTemplate` that are the same in all versions.
macro_rules! template_methods {
    () => {
        fn get_block_header(&self) -> Result<Vec<u8>, Error> {
            Ok(bitcoin::consensus::serialize(&self.content().block.header))
        }

        fn get_block(&self) -> Result<Vec<u8>, Error> {
            Ok(bitcoin::consensus::serialize(&self.content().block))
        }

        fn get_tx_fees(&self) -> Result<Vec<i64>, Error> {
            Ok(self
                .content()
                .fees
                .iter()
                .map(|fee| crate::client::satoshis(*fee))
                .collect())
        }

        fn get_tx_sigops(&self) -> Result<Vec<i64>, Error> {
            Ok(vec![0; self.content().fees.len()])
        }

        fn get_coinbase_merkle_path(&self) -> Result<Vec<Vec<u8>>, Error> {
            Ok(self
                .content()
                .merkle_path()
                .iter()
                .map(bitcoin::consensus::serialize)
                .collect())
        }

        fn wait_next(
            &self,
            options: &schema::mining::BlockWaitOptions,
        ) -> Result<Option<std::sync::Arc<dyn schema::mining::BlockTemplate>>, Error> {
            Ok(
                objects::Template::wait_next(self, options.timeout, options.fee_threshold)
                    .map(shared),
            )
        }

        fn interrupt_wait(&self) -> Result<(), Error> {
            objects::Template::interrupt_wait(self);
            Ok(())
        }
    };
}
pub(super) use template_methods;

/// What the coinbase transaction is made from, as versions from 31 on say it.
macro_rules! coinbase_method {
    () => {
        fn get_coinbase_tx(&self) -> Result<schema::mining::CoinbaseTx, Error> {
            let coinbase = self.content().coinbase.clone();
            Ok(schema::mining::CoinbaseTx {
                version: coinbase.version.0.cast_unsigned(),
                sequence: coinbase.sequence.0,
                script_sig_prefix: coinbase.script_sig_prefix.into_bytes(),
                witness: coinbase.witness.unwrap_or_default(),
                block_reward_remaining: crate::client::satoshis(coinbase.reward),
                required_outputs: coinbase
                    .required_outputs
                    .iter()
                    .map(bitcoin::consensus::serialize)
                    .collect(),
                lock_time: coinbase.lock_time.to_consensus_u32(),
            })
        }
    };
}
pub(super) use coinbase_method;
