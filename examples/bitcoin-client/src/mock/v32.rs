//! The node in version 32: reasons for what is rejected, submission of blocks, transactions, and JSON-RPC.

use std::sync::Arc;

use bitcoin::Transaction;
use bitcoin::consensus::serialize;
use bitcoin::hashes::Hash;
use multiprocess::Error;

use super::methods::{
    create_options, echo_methods, init_methods, mining_methods, template_methods,
};
use super::objects;
use super::rpc::Rpc;
use crate::schema::v32 as schema;

impl schema::init::Init for objects::Init {
    init_methods!(since 30);
    init_methods!(since 31);

    fn make_rpc(&self) -> Result<Arc<dyn schema::rpc::Rpc>, Error> {
        Ok(Arc::new(Rpc::new(&self.chain)))
    }
}

impl schema::echo::Echo for objects::Echo {
    echo_methods!(since 30);
}

impl schema::rpc::Rpc for Rpc {
    fn execute_rpc(&self, request: &str, _uri: &str, _user: &str) -> Result<String, Error> {
        Ok(self.execute(request))
    }
}

impl schema::mining::Mining for objects::Mining {
    mining_methods!(since 30);
    mining_methods!(since 31);

    fn submit_block(&self, block: &[u8]) -> Result<schema::mining::MiningSubmitBlockResult, Error> {
        let (reason, debug, result) = self.submit(block)?;
        Ok(schema::mining::MiningSubmitBlockResult {
            reason,
            debug,
            result,
        })
    }

    fn get_transactions_by_tx_id(&self, ids: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Error> {
        Ok(self.transactions(ids, |t| t.compute_txid().to_byte_array()))
    }

    fn get_transactions_by_witness_id(&self, ids: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Error> {
        Ok(self.transactions(ids, |t| t.compute_wtxid().to_byte_array()))
    }
}

impl objects::Mining {
    /// The transactions of the memory pool with these ids, and empty data for those that are not there.
    fn transactions(&self, ids: &[Vec<u8>], id_of: fn(&Transaction) -> [u8; 32]) -> Vec<Vec<u8>> {
        let state = self.chain.lock();
        let find = |id: &Vec<u8>| {
            let mut pool = state.mempool.iter().map(|entry| &entry.transaction);
            pool.find(|transaction| id_of(transaction) == id[..])
                .map(serialize)
        };
        ids.iter().map(|id| find(id).unwrap_or_default()).collect()
    }
}

impl schema::mining::BlockTemplate for objects::Template {
    template_methods!(since 30);
    template_methods!(since 31);

    fn submit_solution(
        &self,
        version: u32,
        timestamp: u32,
        nonce: u32,
        coinbase: &[u8],
    ) -> Result<schema::mining::BlockTemplateSubmitSolutionResult, Error> {
        let (reason, debug, result) = self.submit((version, timestamp, nonce), coinbase)?;
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
        Err(objects::no_more("submitSolution (@7)"))
    }
}
