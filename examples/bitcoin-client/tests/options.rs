//! What goes into templates: by the client's options, their defaults, and the node's own policy.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod util;

use bitcoin::{Amount, FeeRate, Weight};
use bitcoin_client::mock::Policy;
use bitcoin_client::{BlockTemplate, Error, TemplateOptions, Version, WaitOptions};

use self::util::{VERSIONS, no_cooldown, with_each_node, with_node, with_node_of};

#[test]
fn the_reserved_weight_is_kept_free() {
    with_each_node(|f| async move {
        f.mock.add_transaction(Amount::from_sat(1_000));
        let count = async |weight| {
            let options = TemplateOptions {
                reserved_weight: Weight::from_wu(weight),
                ..no_cooldown()
            };
            let template = f.mining.template(&options).await?;
            Ok::<_, Error>(template.block().await?.txdata.len())
        };
        assert_eq!(count(8_000).await.unwrap(), 2);
        assert_eq!(count(4_000_000).await.unwrap(), 1);
        let empty = TemplateOptions {
            use_mempool: false,
            ..no_cooldown()
        };
        let empty = f.mining.template(&empty).await.unwrap();
        assert_eq!(empty.block().await.unwrap().txdata.len(), 1);
    });
}

#[test]
fn options_beyond_their_bounds_are_refused() {
    with_node(Version::V32, |f| async move {
        let refused = async |options: &TemplateOptions| match f.mining.template(options).await {
            Err(error) => error.to_string(),
            Ok(_) => "not refused".to_owned(),
        };
        let mut options = TemplateOptions {
            reserved_weight: Weight::ZERO,
            ..no_cooldown()
        };
        assert_eq!(
            refused(&options).await,
            "remote exception: std::exception: block_reserved_weight (0) is lower than minimum safety value of (2000)"
        );
        options.reserved_weight = Weight::from_wu(4_000_001);
        assert!(
            refused(&options)
                .await
                .contains("exceeds consensus maximum block weight (4000000)")
        );
        options = TemplateOptions {
            coinbase_sigops: 80_001,
            ..no_cooldown()
        };
        assert!(
            refused(&options)
                .await
                .contains("exceeds consensus maximum block sigops cost (80000)")
        );
        assert!(f.mining.template(&no_cooldown()).await.is_ok());
    });
}

#[test]
fn a_node_keeps_to_its_policy_in_every_template() {
    // Two transactions fit beside what is reserved, and what pays about 300 satoshis is too cheap.
    let policy = Policy {
        max_weight: Weight::from_wu(8_600),
        min_fee_rate: FeeRate::from_sat_per_vb_u32(10),
    };
    for version in VERSIONS {
        with_node_of(version, policy, |f| async move {
            for fee in [300, 1_000, 1_001, 1_002] {
                f.mock.add_transaction(Amount::from_sat(fee));
            }
            let first = f.template().await;
            assert_eq!(fees(&first).await, [1_002, 1_001]);
            let wait = first.next(WaitOptions {
                timeout: None,
                fee_rise: Some(Amount::ONE_SAT),
            });
            f.wait_for_waiting(1).await;
            f.mock.add_transaction(Amount::from_sat(301));
            f.mock.add_transaction(Amount::from_sat(5_000));
            let next = wait.await.unwrap().unwrap();
            assert_eq!(fees(&next).await, [5_000, 1_002]);
            f.mock.mine(2);
            let last = f.template().await;
            assert!(fees(&last).await.is_empty(), "nobody mines the cheap ones");
        });
    }
}

async fn fees(template: &BlockTemplate) -> Vec<u64> {
    let fees = template.fees().await.unwrap();
    fees.into_iter().map(Amount::to_sat).collect()
}

#[test]
fn options_that_are_left_out_have_the_defaults_of_their_version() {
    use bitcoin_client::schema::{v30, v31, v32};
    let old = v30::mining::BlockCreateOptions::default();
    assert_eq!((old.use_mempool, old.block_reserved_weight), (false, 0));
    let create = v32::mining::BlockCreateOptions::default();
    assert_eq!(
        (
            create.use_mempool,
            create.block_reserved_weight,
            create.coinbase_output_max_additional_sigops
        ),
        (true, 8_000, 400)
    );
    let wait = v31::mining::BlockWaitOptions::default();
    assert_eq!(
        (wait.timeout, wait.fee_threshold),
        (f64::MAX, 2_100_000_000_000_000)
    );
    let check = v31::mining::BlockCheckOptions::default();
    assert_eq!((check.check_merkle_root, check.check_pow), (true, true));
}
