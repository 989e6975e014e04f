//! Blocks to check and to submit, and transactions to look up.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod util;

use bitcoin::block::Version as BlockVersion;
use bitcoin::hashes::Hash;
use bitcoin::{Amount, Block, Sequence, Txid, Wtxid, absolute};
use bitcoin_client::schema::v32::init::{Init, InitClient};
use bitcoin_client::schema::v32::mining::BlockCheckOptions;
use bitcoin_client::{CheckOptions, Error, Solution, Verdict, Version};
use multiprocess::{EventLoop, Stream};

use self::util::{Fixture, remine, solve, solve_with, with_each_node, with_node};

/// Why a block is not accepted: in the words of BIP 22, and for people.
fn why(verdict: &Verdict) -> (&str, &str) {
    match verdict {
        Verdict::Rejected { reason, debug } => (reason, debug),
        _ => ("accepted", ""),
    }
}

fn reason(verdict: &Verdict) -> &str {
    why(verdict).0
}

#[test]
fn solutions_make_blocks_at_low_and_high_heights() {
    with_each_node(|f| async move {
        for height in 1..=17 {
            f.mock.add_transaction(Amount::from_sat(1_000));
            let template = f.template().await;
            // The heights of the first 16 blocks are one byte long: another one is needed.
            let extra: &[u8] = if height <= 16 { &[0] } else { &[] };
            let (solution, block) = solve(&template, extra).await;
            assert!(template.submit(&solution).await.unwrap().is_accepted());
            assert_eq!(f.mock.tip().hash, block.block_hash());
            assert_eq!(f.mock.tip().height, height);
        }
    });
}

#[test]
fn a_solution_without_work_is_rejected() {
    with_each_node(|f| async move {
        let template = f.template().await;
        let (mut solution, block) = solve(&template, &[1]).await;
        let mut header = block.header;
        while header.validate_pow(header.target()).is_ok() {
            header.nonce += 1;
        }
        solution.nonce = header.nonce;
        let verdict = template.submit(&solution).await.unwrap();
        let expected = if f.node.version() < Version::V32 {
            ""
        } else {
            "high-hash"
        };
        assert_eq!(reason(&verdict), expected);
        assert_eq!(f.mock.tip().height, 0);
        assert_eq!(
            template.block().await.unwrap().header.nonce,
            solution.nonce,
            "the template keeps the attempt"
        );
    });
}

#[test]
fn blocks_without_work_are_rejected() {
    with_node(Version::V32, |f| async move {
        let (_, mut block) = solve(&f.template().await, &[1]).await;
        while block.header.validate_pow(block.header.target()).is_ok() {
            block.header.nonce += 1;
        }
        for _ in 0..2 {
            let verdict = f.mining.submit_block(&block).await.unwrap();
            assert_eq!(why(&verdict), ("high-hash", "proof of work failed"));
        }
    });
}

#[test]
fn blocks_are_checked() {
    with_each_node(|f| async move {
        let (_, block) = solve(&f.template().await, &[1]).await;
        let check =
            async |block: &Block, options| f.mining.check_block(block, options).await.unwrap();
        let all = CheckOptions::default();
        assert_eq!(check(&block, all).await, Verdict::Accepted);

        let old = remine(block.clone(), |block| {
            block.header.version = BlockVersion::from_consensus(0);
        });
        let verdict = check(&old, all).await;
        let version = "bad-version(0x00000000)";
        assert_eq!(
            why(&verdict),
            (version, "rejected nVersion=0x00000000 block")
        );

        let mut unrooted = block.clone();
        unrooted.header.merkle_root = bitcoin::TxMerkleNode::all_zeros();
        let no_work = CheckOptions {
            proof_of_work: false,
            ..all
        };
        assert_eq!(reason(&check(&unrooted, no_work).await), "bad-txnmrklroot");
        let form_only = CheckOptions {
            merkle_root: false,
            proof_of_work: false,
        };
        assert_eq!(check(&unrooted, form_only).await, Verdict::Accepted);

        f.mock.mine(1);
        let verdict = check(&block, all).await;
        assert_eq!(why(&verdict), ("inconclusive-not-best-prevblk", ""));
    });
}

/// What is wrong with a block is said in the same words whichever way it is submitted.
async fn assert_rejected(
    f: &Fixture,
    change: impl Fn(&mut Solution),
    (reason, debug): (&str, &str),
) -> Block {
    let template = f.template().await;
    let (solution, block) = solve_with(&template, &[1], &change).await;
    let checked = f.mining.check_block(&block, CheckOptions::default()).await;
    assert_eq!(why(&checked.unwrap()), (reason, debug));
    let verdict = template.submit(&solution).await.unwrap();
    assert_eq!(why(&verdict), (reason, debug));
    // Another block: some are remembered.
    let (_, other) = solve_with(&template, &[2], &change).await;
    let verdict = f.mining.submit_block(&other).await.unwrap();
    assert_eq!(why(&verdict), (reason, debug));
    block
}

#[test]
fn rejected_blocks_come_with_a_reason() {
    with_node(Version::V32, |f| async move {
        f.mock.mine(1);
        let old = |solution: &mut Solution| solution.version = BlockVersion::from_consensus(0);
        let version = "bad-version(0x00000000)";
        assert_rejected(&f, old, (version, "rejected nVersion=0x00000000 block")).await;
        let bare = |solution: &mut Solution| solution.coinbase.input[0].witness.clear();
        let witness = "CheckWitnessMalleation : invalid witness reserved value size";
        assert_rejected(&f, bare, ("bad-witness-nonce-size", witness)).await;
        let late = |solution: &mut Solution| {
            solution.coinbase.lock_time = absolute::LockTime::from_consensus(100);
            solution.coinbase.input[0].sequence = Sequence::ZERO;
        };
        let final_is = ("bad-txns-nonfinal", "non-final transaction");
        let late = assert_rejected(&f, late, final_is).await;
        let again = f.mining.submit_block(&late).await.unwrap();
        let debug = format!("block {} was previously marked invalid", late.block_hash());
        assert_eq!(why(&again), ("duplicate-invalid", &*debug));
        let greedy = |solution: &mut Solution| solution.coinbase.output[0].value += Amount::ONE_SAT;
        let amount = "coinbase pays too much (actual=5000000001 vs limit=5000000000)";
        assert_rejected(&f, greedy, ("bad-cb-amount", amount)).await;
        assert_eq!(f.mock.tip().height, 1);
    });
}

#[test]
fn blocks_are_submitted_once() {
    with_node(Version::V32, |f| async move {
        let submit = async |block: &Block| f.mining.submit_block(block).await.unwrap();
        let template = f.template().await;
        let (solution, block) = solve(&template, &[1]).await;
        assert_eq!(submit(&block).await, Verdict::Accepted);
        assert_eq!(why(&submit(&block).await), ("duplicate", ""));
        let verdict = template.submit(&solution).await.unwrap();
        assert_eq!(why(&verdict), ("duplicate", ""));
    });
}

#[test]
fn blocks_beside_the_chain_are_inconclusive() {
    with_node(Version::V32, |f| async move {
        let template = f.template().await;
        let (solution, _) = solve(&template, &[1]).await;
        let (_, block) = solve(&template, &[2]).await;
        f.mock.mine(1);
        let verdict = template.submit(&solution).await.unwrap();
        assert_eq!(why(&verdict), ("inconclusive", ""));
        let verdict = f.mining.submit_block(&block).await.unwrap();
        assert_eq!(why(&verdict), ("inconclusive", ""));
    });
}

#[test]
fn older_nodes_cannot_take_blocks_or_give_transactions() {
    for version in [Version::V30, Version::V31] {
        with_node(version, |f| async move {
            let (_, block) = solve(&f.template().await, &[1]).await;
            let submitted = f.mining.submit_block(&block).await.map(drop);
            let found = f.mining.transactions(&[Txid::all_zeros()]).await.map(drop);
            for result in [submitted, found] {
                assert!(
                    matches!(result, Err(Error::WrongVersion { .. })),
                    "{result:?}"
                );
            }
        });
    }
}

#[test]
fn transactions_are_looked_up_by_both_ids() {
    with_node(Version::V32, |f| async move {
        let transaction = f.mock.add_transaction(Amount::from_sat(1_000));
        let (id, witness_id) = (transaction.compute_txid(), transaction.compute_wtxid());
        let expected = [Some(transaction.clone()), None];
        let found = f
            .mining
            .transactions(&[id, Txid::all_zeros()])
            .await
            .unwrap();
        assert_eq!(found, expected);
        let found = f
            .mining
            .transactions_by_witness_id(&[witness_id, Wtxid::all_zeros()])
            .await
            .unwrap();
        assert_eq!(found, expected);
        assert_eq!(f.mining.transactions(&[]).await.unwrap(), []);
        f.mock.mine(1);
        assert_eq!(f.mining.transactions(&[id]).await.unwrap(), [None]);
    });
}

#[test]
fn bytes_that_are_no_block_are_an_error_and_nothing_more() {
    with_node(Version::V32, |f| async move {
        let init = raw_init(&f);
        let mining = init.make_mining().unwrap();
        let template = f.template().await;
        let options = BlockCheckOptions::default();
        for bytes in [&[][..], &[0], &[0xff; 100]] {
            let checked = mining.check_block(bytes, &options).map(drop);
            let submitted = mining.submit_block(bytes).map(drop);
            for error in [checked, submitted].map(Result::unwrap_err) {
                assert!(
                    error
                        .to_string()
                        .starts_with("remote exception: std::exception: "),
                    "{error}"
                );
            }
        }
        assert!(template.header().await.is_ok(), "the node lives on");
    });
}

#[test]
fn bytes_that_are_no_coinbase_are_an_error_and_nothing_more() {
    with_node(Version::V32, |f| async move {
        let mining = raw_init(&f).make_mining().unwrap();
        let template = mining
            .create_new_block(&Default::default(), false)
            .unwrap()
            .unwrap();
        assert!(!template.submit_solution(0, 0, 0, &[]).unwrap().result);
        let error = template
            .submit_solution(0, 0, 0, &[0])
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("remote exception: std::exception: SpanReader::read(): end of data:"),
            "{error}"
        );
        let error = template
            .submit_solution_old7(0, 0, 0, &[])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("Old submitSolution (@7) not supported."),
            "{error}"
        );
        assert!(template.get_block_header().is_ok(), "the template lives on");
    });
}

#[test]
fn the_method_of_version_30_is_refused_later() {
    with_node(Version::V32, |f| async move {
        let error = raw_init(&f).make_mining_old2().unwrap_err();
        assert_eq!(
            error.to_string(),
            "remote exception: std::exception: Old mining interface (@2) not supported. Please update your client!"
        );
    });
}

/// The generated client, for what the library does not let through. It blocks the thread, which nobody else needs here.
fn raw_init(f: &Fixture) -> InitClient {
    let event_loop = EventLoop::new("raw").unwrap();
    let stream = Stream::unix(f.mock.address().strip_prefix("unix:").unwrap()).unwrap();
    multiprocess::connect::<dyn Init>(&event_loop, stream).unwrap()
}
