//! Block templates: what is in them, and waiting for the next one.

mod util;

use std::time::{Duration, Instant};

use bitcoin::Amount;
use bitcoin_client::{BlockTemplate, Error, TemplateOptions, Version, WaitOptions, merkle_root};
use futures::{FutureExt, TryStreamExt, join, try_join};

use self::util::{FOR_EVER, no_cooldown, timed, with_each_node, with_node};

/// Waits that end with any rise of the fees.
const ANY_RISE: WaitOptions = WaitOptions {
    timeout: None,
    fee_rise: Some(Amount::ONE_SAT),
};

#[test]
fn a_template_builds_on_the_tip() {
    with_each_node(|f| async move {
        f.mock.mine(20);
        let t = f.template().await;
        let (header, block, fees, sigops) =
            try_join!(t.header(), t.block(), t.fees(), t.sigops()).unwrap();
        assert_eq!(
            (header, header.prev_blockhash),
            (block.header, f.mock.tip().hash)
        );
        assert_eq!((block.txdata.len(), fees.len(), sigops.len()), (1, 0, 0));
    });
}

#[test]
fn the_parts_of_a_template_fit_together() {
    with_each_node(|f| async move {
        f.mock.mine(40);
        for count in 0..6 {
            let t = f.template().await;
            let (header, coinbase, path, fees, block) = try_join!(
                t.header(),
                t.coinbase(),
                t.merkle_path(),
                t.fees(),
                t.block()
            )
            .unwrap();
            assert_eq!(
                merkle_root(block.txdata[0].compute_txid(), &path),
                header.merkle_root
            );
            assert_eq!(
                coinbase.reward,
                Amount::from_int_btc(50) + fees.iter().copied().sum()
            );
            assert_eq!(coinbase.script_sig_prefix.to_hex_string(), "0129");
            assert_eq!(coinbase.witness.as_deref(), Some([0; 32].as_slice()));
            assert_eq!(coinbase.required_outputs.len(), 1);
            assert_eq!(fees.len(), count);
            f.mock.add_transaction(Amount::from_sat(1_000));
        }
    });
}

#[test]
fn a_wait_ends_with_a_new_tip_or_its_timeout() {
    with_each_node(|f| async move {
        let first = f.template().await;
        let mut wait = first.next(ANY_RISE);
        f.wait_for_waiting_of(1, &mut wait).await;
        f.mock.mine(1);
        let second = wait.await.unwrap().unwrap();
        assert_eq!(
            second.header().await.unwrap().prev_blockhash,
            f.mock.tip().hash
        );
        let timeout = Duration::from_millis(1100);
        let options = WaitOptions {
            timeout: Some(timeout),
            ..ANY_RISE
        };
        let (next, took) = timed(|| second.next(options)).await;
        assert!(next.unwrap().is_none());
        assert!(took >= timeout - ROUNDED, "took {took:?}");
    });
}

#[test]
fn a_wait_ends_when_fees_rise_enough() {
    with_each_node(|f| async move {
        let first = f.template().await;
        let mut wait = first.next(WaitOptions {
            timeout: None,
            fee_rise: Some(Amount::from_sat(1_500)),
        });
        f.wait_for_waiting_of(1, &mut wait).await;
        f.mock.add_transaction(Amount::from_sat(1_000));
        let (second, ()) = join!(wait, async {
            f.mock.add_transaction(Amount::from_sat(500));
        });
        let second = second.unwrap().unwrap();
        assert_eq!(
            second.fees().await.unwrap().iter().copied().sum::<Amount>(),
            Amount::from_sat(1_500)
        );
        let same = second
            .next(WaitOptions {
                timeout: None,
                fee_rise: Some(Amount::ZERO),
            })
            .await
            .unwrap()
            .unwrap();
        assert_eq!(same.block().await.unwrap().txdata.len(), 3);
    });
}

#[test]
fn without_a_fee_only_a_tip_ends_a_wait() {
    with_each_node(|f| async move {
        let first = f.template().await;
        f.mock.add_transaction(Amount::from_sat(1_000_000));
        let timeout = Duration::from_millis(100);
        let next = first.next(WaitOptions {
            timeout: Some(timeout),
            fee_rise: None,
        });
        assert!(next.await.unwrap().is_none());
    });
}

#[test]
fn three_waits_at_once_all_end() {
    with_each_node(|f| async move {
        let first = f.template().await;
        let waits = join!(
            first.next(ANY_RISE),
            first.next(ANY_RISE),
            first.next(ANY_RISE),
            async {
                f.wait_for_waiting(3).await;
                f.mock.mine(1);
            }
        );
        for template in [waits.0, waits.1, waits.2] {
            assert!(template.unwrap().is_some());
        }
    });
}

#[test]
fn an_interruption_ends_a_wait() {
    with_each_node(|f| async move {
        let first = f.template().await;
        let (next, ()) = join!(first.next(ANY_RISE), async {
            f.wait_for_waiting(1).await;
            first.interrupt_wait().await.unwrap();
        });
        assert!(next.unwrap().is_none());
    });
}

#[test]
fn dropping_a_wait_ends_it_and_hurts_no_later_one() {
    with_each_node(|f| async move {
        let first = f.template().await;
        for _ in 0..20 {
            let mut wait = first.next(ANY_RISE);
            assert!((&mut wait).now_or_never().is_none());
            drop(wait);
        }
        f.node.settled().await;
        assert_eq!(f.mock.waiting(), 0);
        let (next, ()) = join!(first.next(ANY_RISE), async {
            f.wait_for_waiting(1).await;
            f.mock.mine(1);
        });
        assert!(
            next.unwrap().is_some(),
            "met the interruption of an earlier wait"
        );
    });
}

#[test]
fn a_stream_of_templates_follows_tip_and_fees() {
    with_each_node(|f| async move {
        let options = TemplateOptions {
            fee_rise: Some(Amount::ONE_SAT),
            ..no_cooldown()
        };
        let mut templates = f.mining.templates(options);
        for step in 0..6 {
            let t = templates.try_next().await.unwrap().unwrap();
            let (header, fees) = try_join!(t.header(), t.fees()).unwrap();
            assert_eq!(
                (header.prev_blockhash, fees.len()),
                (f.mock.tip().hash, step % 2)
            );
            if step % 2 == 0 {
                f.mock.add_transaction(Amount::from_sat(100));
            } else {
                f.mock.mine(1);
            }
        }
        let last = templates.try_next().await.unwrap();
        let mut next = templates.try_next();
        assert!((&mut next).now_or_never().is_none());
        drop((last, templates));
        f.node.settled().await;
        assert_eq!((f.mock.waiting(), f.mock.templates()), (0, 0));
    });
}

#[test]
fn what_a_wait_found_as_it_was_given_up_is_let_go_of() {
    with_each_node(|f| async move {
        for _ in 0..20 {
            let first = f.template().await;
            let mut wait = first.next(ANY_RISE);
            f.wait_for_waiting_of(1, &mut wait).await;
            f.mock.mine(1);
            f.wait_for_waiting(0).await;
            let created = f.mining.template(&no_cooldown());
            drop((wait, created, first));
            f.node.settled().await;
            assert_eq!(f.mock.templates(), 0);
        }
    });
}

#[test]
fn the_node_lets_go_of_templates_that_are_dropped() {
    with_each_node(|f| async move {
        let mut held: Vec<BlockTemplate> = Vec::new();
        for _ in 0..30 {
            held.push(f.template().await);
        }
        assert_eq!(f.mock.templates(), 30);
        let clone = held[0].clone();
        drop(held);
        assert!(clone.header().await.is_ok());
        drop(clone);
        f.node.settled().await;
        assert_eq!(f.mock.templates(), 0);
    });
}

#[test]
fn a_cooldown_waits_for_the_block_of_a_header() {
    for version in [Version::V31, Version::V32] {
        with_node(version, |f| async move {
            let options = TemplateOptions::default();
            let (hold, started) = (Duration::from_secs(1), Instant::now());
            f.mock.hear_of_header(hold);
            f.mining.template(&options).await.unwrap();
            let took = started.elapsed();
            assert!(took >= hold, "took {took:?}");

            f.mock.hear_of_header(FOR_EVER);
            let (template, ()) = join!(f.mining.template(&options), async {
                f.wait_for_waiting(1).await;
                f.mock.mine(1);
            });
            assert_eq!(
                template.unwrap().header().await.unwrap().prev_blockhash,
                f.mock.tip().hash
            );

            f.mock.hear_of_header(FOR_EVER);
            let given_up = f.mining.template(&options);
            f.wait_for_waiting(1).await;
            drop(given_up);
            f.node.settled().await;
            assert_eq!(f.mock.waiting(), 0);

            let (interrupted, ()) = join!(f.mining.template(&options), async {
                f.wait_for_waiting(1).await;
                f.mock.request_stop();
            });
            assert!(
                matches!(interrupted, Err(Error::Interrupted)),
                "{interrupted:?}"
            );
        });
    }
}

/// A timeout goes to the node as a fraction of milliseconds.
const ROUNDED: Duration = Duration::from_millis(1);
