//! The methods that several versions of the schema have, each written once.
//!
//! Their text is the same in each version, but their types are those of the version. So they are macros, expanded in the `impl`
//! blocks of `v30.rs`, `v31.rs` and `v32.rs`, where `schema` is the version's module.

/// `Init`: a connection's first object.
macro_rules! init_methods {
    (since 30) => {
        fn make_echo(&self) -> Result<Arc<dyn schema::echo::Echo>, Error> {
            Ok(Arc::new(objects::Echo))
        }

        fn make_mining(&self) -> Result<Arc<dyn schema::mining::Mining>, Error> {
            Ok(Arc::new(objects::Mining::new(&self.chain)))
        }
    };
    (since 31) => {
        fn make_mining_old2(&self) -> Result<(), Error> {
            Err(objects::no_more("mining interface (@2)"))
        }
    };
}
pub(super) use init_methods;

/// `Echo`.
macro_rules! echo_methods {
    (since 30) => {
        fn echo(&self, echo: &str) -> Result<String, Error> {
            Ok(echo.to_owned())
        }
    };
}
pub(super) use echo_methods;

/// `Mining`: the tip, templates, and blocks to check.
macro_rules! mining_methods {
    (since 30) => {
        fn is_test_chain(&self) -> Result<bool, Error> {
            Ok(true)
        }

        fn is_initial_block_download(&self) -> Result<bool, Error> {
            Ok(false)
        }

        fn get_tip(&self) -> Result<Option<schema::common::BlockRef>, Error> {
            let (hash, height) = objects::block_ref(self.chain.tip());
            Ok(Some(schema::common::BlockRef { hash, height }))
        }

        fn wait_tip_changed(
            &self,
            current: &[u8],
            timeout: f64,
        ) -> Result<Option<schema::common::BlockRef>, Error> {
            let tip = objects::Mining::wait_tip_changed(self, current, timeout);
            Ok(tip
                .map(objects::block_ref)
                .map(|(hash, height)| schema::common::BlockRef { hash, height }))
        }

        fn check_block(
            &self,
            block: &[u8],
            options: &schema::mining::BlockCheckOptions,
        ) -> Result<schema::mining::MiningCheckBlockResult, Error> {
            let options = crate::CheckOptions {
                merkle_root: options.check_merkle_root,
                proof_of_work: options.check_pow,
            };
            let (reason, debug, result) = self.check(block, options)?;
            Ok(schema::mining::MiningCheckBlockResult {
                reason,
                debug,
                result,
            })
        }
    };
    // It runs on the event loop's thread, so it does not wait.
    (until 30) => {
        fn create_new_block(
            &self,
            options: &schema::mining::BlockCreateOptions,
        ) -> Result<Option<Arc<dyn schema::mining::BlockTemplate>>, Error> {
            let options = create_options!(options).clamp();
            Ok(self.create(options, false).map(|new| Arc::new(new) as _))
        }
    };
    (since 31) => {
        fn create_new_block(
            &self,
            options: &schema::mining::BlockCreateOptions,
            cooldown: bool,
        ) -> Result<Option<Arc<dyn schema::mining::BlockTemplate>>, Error> {
            let options = create_options!(options).check()?;
            Ok(self.create(options, cooldown).map(|new| Arc::new(new) as _))
        }

        fn interrupt(&self) -> Result<(), Error> {
            self.interrupt_waits();
            Ok(())
        }
    };
}
pub(super) use mining_methods;

/// `BlockTemplate`.
macro_rules! template_methods {
    (since 30) => {
        fn get_block_header(&self) -> Result<Vec<u8>, Error> {
            Ok(serialize(&self.content().block.header))
        }

        fn get_block(&self) -> Result<Vec<u8>, Error> {
            Ok(serialize(&self.content().block))
        }

        fn get_tx_fees(&self) -> Result<Vec<i64>, Error> {
            let fees = self.content().fees.clone();
            Ok(fees.into_iter().map(crate::client::satoshis).collect())
        }

        fn get_tx_sigops(&self) -> Result<Vec<i64>, Error> {
            Ok(vec![0; self.content().fees.len()])
        }

        fn get_coinbase_merkle_path(&self) -> Result<Vec<Vec<u8>>, Error> {
            let path = self.content().merkle_path();
            Ok(path.iter().map(serialize).collect())
        }

        fn wait_next(
            &self,
            options: &schema::mining::BlockWaitOptions,
        ) -> Result<Option<Arc<dyn schema::mining::BlockTemplate>>, Error> {
            let next = objects::Template::wait_next(self, options.timeout, options.fee_threshold);
            Ok(next.map(|next| Arc::new(next) as _))
        }

        fn interrupt_wait(&self) -> Result<(), Error> {
            objects::Template::interrupt_wait(self);
            Ok(())
        }
    };
    (until 31) => {
        fn submit_solution(
            &self,
            version: u32,
            timestamp: u32,
            nonce: u32,
            coinbase: &[u8],
        ) -> Result<bool, Error> {
            let (_, _, accepted) = self.submit((version, timestamp, nonce), coinbase)?;
            Ok(accepted)
        }
    };
    (since 31) => {
        fn get_coinbase_tx(&self) -> Result<schema::mining::CoinbaseTx, Error> {
            let coinbase = self.content().coinbase.clone();
            Ok(schema::mining::CoinbaseTx {
                version: coinbase.version.0.cast_unsigned(),
                sequence: coinbase.sequence.0,
                script_sig_prefix: coinbase.script_sig_prefix.into_bytes(),
                witness: coinbase.witness.unwrap_or_default(),
                block_reward_remaining: crate::client::satoshis(coinbase.reward),
                required_outputs: coinbase.required_outputs.iter().map(serialize).collect(),
                lock_time: coinbase.lock_time.to_consensus_u32(),
            })
        }
    };
}
pub(super) use template_methods;

/// What goes into a template, from the struct of the version.
macro_rules! create_options {
    ($options:expr) => {
        objects::CreateOptions {
            use_mempool: $options.use_mempool,
            reserved_weight: $options.block_reserved_weight,
            sigops: $options.coinbase_output_max_additional_sigops,
        }
    };
}
pub(super) use create_options;
