//! The node in version 31: structs with defaults, and waits that can be interrupted.

use std::sync::Arc;

use multiprocess::Error;

use super::objects::{self, Echo, Init, Mining, Template};
use super::objects::{
    CreateOptions, coinbase_method, echo_methods, mining_methods, template_methods,
};
use crate::schema::v31 as schema;

impl schema::init::Init for Init {
    fn make_echo(&self) -> Result<Arc<dyn schema::echo::Echo>, Error> {
        Ok(Arc::new(Echo))
    }

    fn make_mining(&self) -> Result<Arc<dyn schema::mining::Mining>, Error> {
        Ok(Arc::new(Mining::new(&self.chain)))
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
