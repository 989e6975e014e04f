//! The node in version 30: no reasons, no interruption, and some methods without a thread.

use std::sync::Arc;

use bitcoin::consensus::serialize;
use multiprocess::Error;

use super::methods::{
    create_options, echo_methods, init_methods, mining_methods, template_methods,
};
use super::objects;
use crate::schema::v30 as schema;

impl schema::init::Init for objects::Init {
    init_methods!(since 30);
}

impl schema::echo::Echo for objects::Echo {
    echo_methods!(since 30);
}

impl schema::mining::Mining for objects::Mining {
    mining_methods!(since 30);
    mining_methods!(until 30);
}

impl schema::mining::BlockTemplate for objects::Template {
    template_methods!(since 30);
    template_methods!(until 31);

    fn get_coinbase_tx(&self) -> Result<Vec<u8>, Error> {
        Ok(serialize(&self.content().block.txdata[0]))
    }

    fn get_coinbase_commitment(&self) -> Result<Vec<u8>, Error> {
        let content = self.content();
        let output = content.block.txdata[0].output.get(content.commitment);
        Ok(output
            .map(|output| output.script_pubkey.to_bytes())
            .unwrap_or_default())
    }

    fn get_witness_commitment_index(&self) -> Result<i32, Error> {
        Ok(i32::try_from(self.content().commitment).unwrap_or(-1))
    }
}
