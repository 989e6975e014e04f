//! The node in version 30: no reasons, no interruption, and some methods without a thread.

use std::sync::Arc;

use multiprocess::Error;

use super::objects::{self, Echo, Init, Mining, Template};
use super::objects::{CreateOptions, echo_methods, mining_methods, template_methods};
use crate::schema::v30 as schema;

impl schema::init::Init for Init {
    fn make_echo(&self) -> Result<Arc<dyn schema::echo::Echo>, Error> {
        Ok(Arc::new(Echo))
    }

    fn make_mining(&self) -> Result<Arc<dyn schema::mining::Mining>, Error> {
        Ok(Arc::new(Mining::new(&self.chain)))
    }
}

impl schema::echo::Echo for Echo {
    echo_methods!();
}

impl schema::mining::Mining for Mining {
    mining_methods!();

    /// Runs on the event loop's thread, so it does not wait.
    fn create_new_block(
        &self,
        options: &schema::mining::BlockCreateOptions,
    ) -> Result<Option<Arc<dyn schema::mining::BlockTemplate>>, Error> {
        let options = CreateOptions {
            use_mempool: options.use_mempool,
            reserved_weight: options.block_reserved_weight.max(2_000),
            sigops: options.coinbase_output_max_additional_sigops,
        };
        Ok(self.create(options, false).map(shared))
    }
}

impl schema::mining::BlockTemplate for Template {
    template_methods!();

    fn get_coinbase_tx(&self) -> Result<Vec<u8>, Error> {
        Ok(bitcoin::consensus::serialize(
            &self.content().block.txdata[0],
        ))
    }

    fn get_coinbase_commitment(&self) -> Result<Vec<u8>, Error> {
        let content = self.content();
        let outputs = &content.block.txdata[0].output;
        Ok(outputs
            .get(content.commitment)
            .map(|output| output.script_pubkey.to_bytes())
            .unwrap_or_default())
    }

    fn get_witness_commitment_index(&self) -> Result<i32, Error> {
        Ok(i32::try_from(self.content().commitment).unwrap_or(-1))
    }

    fn submit_solution(
        &self,
        version: u32,
        timestamp: u32,
        nonce: u32,
        coinbase: &[u8],
    ) -> Result<bool, Error> {
        Ok(self.submit((version, timestamp, nonce), coinbase)?.is_ok())
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
