//! The node in version 32: reasons for what is rejected, submission of blocks, transactions, and JSON-RPC.

use std::sync::Arc;

use multiprocess::Error;

use super::chain::PoolEntry;
use super::objects::{self, Echo, Init, Mining, Template};
use super::objects::{
    CreateOptions, coinbase_method, echo_methods, mining_methods, template_methods,
};
use super::rpc::Rpc;
use crate::schema::v32 as schema;

impl schema::init::Init for Init {
    fn make_echo(&self) -> Result<Arc<dyn schema::echo::Echo>, Error> {
        Ok(Arc::new(Echo))
    }

    fn make_mining(&self) -> Result<Arc<dyn schema::mining::Mining>, Error> {
        Ok(Arc::new(Mining::new(&self.chain)))
    }

    fn make_rpc(&self) -> Result<Arc<dyn schema::rpc::Rpc>, Error> {
        Ok(Arc::new(Rpc::new(&self.chain)))
    }

    fn make_mining_old2(&self) -> Result<(), Error> {
        Err(Error::failed(
            "Old mining interface (@2) not supported. Please update your client!",
        ))
    }
}

impl schema::echo::Echo for Echo {
    echo_methods!();
}

impl schema::rpc::Rpc for Rpc {
    fn execute_rpc(&self, request: &str, _uri: &str, _user: &str) -> Result<String, Error> {
        Ok(self.execute(request))
    }
}

impl schema::mining::Mining for Mining {
    mining_methods!();

    fn create_new_block(
        &self,
        options: &schema::mining::BlockCreateOptions,
        cooldown: bool,
    ) -> Result<Option<Arc<dyn schema::mining::BlockTemplate>>, Error> {
        let options = CreateOptions {
            use_mempool: options.use_mempool,
            reserved_weight: options.block_reserved_weight,
            sigops: options.coinbase_output_max_additional_sigops,
        };
        Ok(self.create(options.check()?, cooldown).map(shared))
    }

    fn interrupt(&self) -> Result<(), Error> {
        self.interrupt_waits();
        Ok(())
    }

    fn submit_block(&self, block: &[u8]) -> Result<schema::mining::MiningSubmitBlockResult, Error> {
        let block = objects::block(block)?;
        let (reason, debug, result) = objects::verdict(self.chain.submit(&block));
        Ok(schema::mining::MiningSubmitBlockResult {
            reason,
            debug,
            result,
        })
    }

    fn get_transactions_by_tx_id(&self, ids: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Error> {
        Ok(self.transactions(ids, |entry, id| AsRef::<[u8]>::as_ref(&entry.id) == id))
    }

    fn get_transactions_by_witness_id(&self, ids: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Error> {
        Ok(self.transactions(ids, |entry, id| {
            AsRef::<[u8]>::as_ref(&entry.transaction.compute_wtxid()) == id
        }))
    }
}

impl Mining {
    /// The transactions of the memory pool that match, and empty data for those that are not there.
    fn transactions(
        &self,
        ids: &[Vec<u8>],
        matches: impl Fn(&PoolEntry, &[u8]) -> bool,
    ) -> Vec<Vec<u8>> {
        let state = self.chain.lock();
        let found = ids
            .iter()
            .map(|id| state.mempool.iter().find(|entry| matches(entry, id)));
        found
            .map(|entry| {
                entry
                    .map(|entry| bitcoin::consensus::serialize(&entry.transaction))
                    .unwrap_or_default()
            })
            .collect()
    }
}

impl schema::mining::BlockTemplate for Template {
    template_methods!();
    coinbase_method!();

    fn submit_solution(
        &self,
        version: u32,
        timestamp: u32,
        nonce: u32,
        coinbase: &[u8],
    ) -> Result<schema::mining::BlockTemplateSubmitSolutionResult, Error> {
        let (reason, debug, result) =
            objects::verdict(self.submit((version, timestamp, nonce), coinbase)?);
        Ok(schema::mining::BlockTemplateSubmitSolutionResult {
            reason,
            debug,
            result,
        })
    }

    fn submit_solution_old7(
        &self,
        _version: u32,
        _timestamp: u32,
        _nonce: u32,
        _coinbase: &[u8],
    ) -> Result<bool, Error> {
        Err(Error::failed(
            "Old submitSolution (@7) not supported. Please update your client!",
        ))
    }
}

fn block_ref(block: crate::BlockRef) -> schema::common::BlockRef {
    let hash = AsRef::<[u8]>::as_ref(&block.hash).to_vec();
    schema::common::BlockRef {
        hash,
        height: block.height.cast_signed(),
    }
}

fn shared(template: Template) -> Arc<dyn schema::mining::BlockTemplate> {
    Arc::new(template)
}
