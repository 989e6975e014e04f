//! The tip of the chain, block templates, and blocks to check and to submit.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::hashes::Hash;
use bitcoin::{Block, BlockHash, Transaction, Txid, Wtxid, consensus};

use super::answer::{Answer, Wait, answer, known};
use super::node::Link;
use super::raw::{self, each};
use super::streams::{self, Stream};
use super::types::{block_ref, decode};
use super::{BlockRef, BlockTemplate, CheckOptions, TemplateOptions, Verdict};
use crate::schema::v32;
use crate::{Error, Result};

/// What a miner, and whoever follows the chain, needs of a node.
///
/// Every wait has an object of its own at the node, so that giving one up interrupts no other.
#[derive(Clone)]
pub struct Mining {
    link: Arc<Link>,
    raw: raw::Mining,
}

impl Mining {
    pub(crate) fn new(link: Arc<Link>, raw: raw::Mining) -> Self {
        Self { link, raw }
    }

    /// Whether the chain's coins are worth nothing.
    #[must_use]
    pub fn is_test_chain(&self) -> Answer<bool> {
        each!(&self.raw, mining, schema => answer(mining.is_test_chain_async(), Ok))
    }

    /// Whether the node is still catching up with the network.
    #[must_use]
    pub fn is_initial_block_download(&self) -> Answer<bool> {
        each!(&self.raw, mining, schema => answer(mining.is_initial_block_download_async(), Ok))
    }

    /// The last block of the best chain. `None` before the node has loaded it.
    #[must_use]
    pub fn tip(&self) -> Answer<Option<BlockRef>> {
        each!(&self.raw, mining, schema => answer(mining.get_tip_async(), |tip| {
            tip.map(|tip| block_ref(&tip.hash, tip.height)).transpose()
        }))
    }

    /// Waits until the tip is another block than this one, at most as long as the timeout says, and gives the tip: the same
    /// block after the timeout. `None` when the node stops, or was interrupted.
    #[must_use]
    pub fn wait_tip_changed(
        &self,
        current: BlockHash,
        timeout: Option<Duration>,
    ) -> Answer<Option<BlockRef>> {
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        let first = self.wait_tip(current, deadline);
        let this = self.clone();
        Box::pin(async move {
            let mut wait = first;
            loop {
                let tip = wait.await?;
                let again = tip.is_some_and(|tip| tip.hash == current)
                    && deadline.is_none_or(|deadline| Instant::now() < deadline);
                if !again {
                    return Ok(tip);
                }
                wait = this.wait_tip(current, deadline);
            }
        })
    }

    /// The tip now, and again whenever it changes. Ends when the node stops. Dropping the stream ends its wait at the node.
    #[must_use]
    pub fn tips(&self) -> Stream<BlockRef> {
        streams::tips(self.clone())
    }

    /// A block template on top of the tip.
    #[must_use]
    pub fn template(&self, options: &TemplateOptions) -> Answer<BlockTemplate> {
        let made = self.create(options);
        Box::pin(async move { made.await?.ok_or(Error::Interrupted) })
    }

    /// A block template, and a new one whenever there is a new tip, or fees have risen as the options say. Ends when the
    /// node stops. Dropping the stream ends its wait at the node; templates live on.
    #[must_use]
    pub fn templates(&self, options: TemplateOptions) -> Stream<BlockTemplate> {
        streams::templates(self.clone(), options)
    }

    /// Whether the block would be valid as the next one.
    #[must_use]
    pub fn check_block(&self, block: &Block, options: CheckOptions) -> Answer<Verdict> {
        let block = consensus::serialize(block);
        each!(&self.raw, mining, schema => {
            let options = schema::mining::BlockCheckOptions {
                check_merkle_root: options.merkle_root,
                check_pow: options.proof_of_work,
            };
            answer(mining.check_block_async(&block, &options), |verdict| {
                Ok(Verdict::new(verdict.result, verdict.reason, verdict.debug))
            })
        })
    }

    /// Adds a complete block to the chain. An [`Error::WrongVersion`] before version 32.
    #[must_use]
    pub fn submit_block(&self, block: &Block) -> Answer<Verdict> {
        self.newest("submitting a block", |mining| {
            answer(
                mining.submit_block_async(&consensus::serialize(block)),
                |verdict| Ok(Verdict::new(verdict.result, verdict.reason, verdict.debug)),
            )
        })
    }

    /// The transactions of the node's memory pool with these ids, in the same order. An [`Error::WrongVersion`] before
    /// version 32.
    #[must_use]
    pub fn transactions(&self, ids: &[Txid]) -> Answer<Vec<Option<Transaction>>> {
        let ids: Vec<Vec<u8>> = ids.iter().map(|id| id.to_byte_array().to_vec()).collect();
        self.newest("looking up transactions", |mining| {
            answer(mining.get_transactions_by_tx_id_async(&ids), |list| {
                transactions(&list)
            })
        })
    }

    /// The same by ids that cover the witnesses.
    #[must_use]
    pub fn transactions_by_witness_id(&self, ids: &[Wtxid]) -> Answer<Vec<Option<Transaction>>> {
        let ids: Vec<Vec<u8>> = ids.iter().map(|id| id.to_byte_array().to_vec()).collect();
        self.newest("looking up transactions", |mining| {
            answer(mining.get_transactions_by_witness_id_async(&ids), |list| {
                transactions(&list)
            })
        })
    }

    /// A template, or `None` when the node stops.
    pub(crate) fn create(&self, options: &TemplateOptions) -> Answer<Option<BlockTemplate>> {
        let link = Arc::clone(&self.link);
        let made = move |raw: Option<raw::Template>| raw.map(|raw| BlockTemplate::new(link, raw));
        macro_rules! raw_options {
            ($schema:ident) => {
                $crate::schema::$schema::mining::BlockCreateOptions {
                    use_mempool: options.use_mempool,
                    block_reserved_weight: options.reserved_weight.to_wu(),
                    coinbase_output_max_additional_sigops: options.coinbase_sigops,
                }
            };
        }
        let own = match self.own() {
            Ok(own) => own,
            Err(error) => return known(Err(error)),
        };
        macro_rules! wait {
            ($call:expr) => {{
                let wait = Wait::new($call, &self.link.waits, interrupt(&own));
                Box::pin(async move { Ok(made(wait.wait().await?.map(Into::into))) })
            }};
        }
        match &own {
            raw::Raw::V30(mining) => {
                wait!(mining.create_new_block_async(&raw_options!(v30)))
            }
            raw::Raw::V31(mining) => {
                wait!(mining.create_new_block_async(&raw_options!(v31), options.cooldown))
            }
            raw::Raw::V32(mining) => {
                wait!(mining.create_new_block_async(&raw_options!(v32), options.cooldown))
            }
        }
    }

    /// One wait at the node. One of version 30 cannot be interrupted, and is asked again and again.
    fn wait_tip(&self, current: BlockHash, deadline: Option<Instant>) -> Answer<Option<BlockRef>> {
        let own = match self.own() {
            Ok(own) => own,
            Err(error) => return known(Err(error)),
        };
        let timeout = self.link.milliseconds(deadline);
        each!(&own, mining, schema => {
            let call = mining.wait_tip_changed_async(current.as_byte_array(), timeout);
            let wait = Wait::new(call, &self.link.waits, interrupt(&own));
            Box::pin(async move {
                let tip = wait.wait().await?.filter(|tip| !tip.hash.is_empty());
                tip.map(|tip| block_ref(&tip.hash, tip.height)).transpose()
            })
        })
    }

    /// An object at the node that nobody else waits with. It can be called before the node has made it.
    fn own(&self) -> Result<raw::Mining> {
        each!(&self.link.init, init, schema => {
            Ok(init.make_mining_async().pipelined()?.into())
        })
    }

    fn newest<T: Send + 'static>(
        &self,
        what: &'static str,
        call: impl FnOnce(&v32::mining::MiningClient) -> Answer<T>,
    ) -> Answer<T> {
        match &self.raw {
            raw::Raw::V32(mining) => call(mining),
            _ => known(Err(self.link.too_old(what))),
        }
    }
}

impl fmt::Debug for Mining {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mining")
            .field("version", &self.link.version)
            .finish_non_exhaustive()
    }
}

/// What ends the wait of an object. A node of version 30 has nothing for that.
fn interrupt(own: &raw::Mining) -> Box<dyn FnOnce() + Send> {
    match own.clone() {
        raw::Raw::V30(_) => Box::new(|| {}),
        raw::Raw::V31(own) => Box::new(move || own.interrupt_async().detach(())),
        raw::Raw::V32(own) => Box::new(move || own.interrupt_async().detach(())),
    }
}

fn transactions(list: &[Vec<u8>]) -> Result<Vec<Option<Transaction>>> {
    let found = |bytes: &Vec<u8>| match bytes.is_empty() {
        true => Ok(None),
        false => decode(bytes, "transaction").map(Some),
    };
    list.iter().map(found).collect()
}
