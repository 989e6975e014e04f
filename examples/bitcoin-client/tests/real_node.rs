//! A real node: these tests run when `MP_BITCOIN_NODE` names the program `bitcoin-node`, and say so when they do not.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod util;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};

use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::hashes::Hash;
use bitcoin::{
    Amount, Block, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness,
    absolute, transaction,
};
use bitcoin_client::{CheckOptions, Error, Mining, Node, Verdict, Version};
use futures::FutureExt;
use futures::future::join_all;
use patience::within_deadline;
use serde_json::{Value, json};
use tempfile::TempDir;

use self::util::{
    assert_ends_with_its_node, example, first_lines, interrupt, no_cooldown, solve, solve_with,
};

/// A node on a new chain for tests.
struct RealNode {
    child: Child,
    data: TempDir,
}

impl RealNode {
    /// Starts a node, and waits until it answers. None without the program.
    fn start(options: &[&str]) -> Option<Self> {
        let Some(program) = std::env::var_os("MP_BITCOIN_NODE") else {
            // Not through `eprintln`, which tests capture: this is to be seen.
            let skipped =
                b"SKIPPED: set MP_BITCOIN_NODE to a bitcoin-node, to run tests/real_node\n";
            std::io::stderr().write_all(skipped).unwrap();
            return None;
        };
        let data = tempfile::tempdir().unwrap();
        let child = Command::new(program)
            .arg(format!("-datadir={}", data.path().display()))
            .args([
                "-regtest",
                "-ipcbind=unix",
                "-listen=0",
                "-acceptnonstdtxn=1",
            ])
            .arg(format!("-rpcport={}", free_port()))
            .args(options)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut node = Self { child, data };
        while !node.run(&["rpc", "getblockcount"]).status.success() {
            let ended = node.child.try_wait().unwrap();
            assert!(ended.is_none(), "the node did not start: {ended:?}");
        }
        Some(node)
    }

    /// The command `bitcoin-client`, which finds the node by its chain and data directory.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = util::command("unix", &["--chain=regtest", "--datadir"]);
        command.arg(self.data.path()).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn stdout(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn address(&self) -> String {
        format!("unix:{}/regtest/node.sock", self.data.path().display())
    }

    async fn connect(&self) -> (Node, Mining) {
        let node = Node::connect(&self.address()).await.unwrap();
        assert_eq!(node.version(), Version::V32);
        let mining = node.mining().await.unwrap();
        (node, mining)
    }

    /// Has the node make blocks that anybody may spend.
    fn generate(&self, count: u32) {
        self.stdout(&["rpc", "generatetodescriptor", &count.to_string(), "raw(51)"]);
    }

    /// Spends the coins of a block, with that fee.
    fn spend(&self, height: u32, fee: u64) -> Transaction {
        let hash = self.stdout(&["rpc", "getblockhash", &height.to_string()]);
        let block: Block =
            deserialize_hex(self.stdout(&["rpc", "getblock", hash.trim(), "0"]).trim()).unwrap();
        let coins = &block.txdata[0];
        let transaction = Transaction {
            version: transaction::Version::TWO,
            lock_time: absolute::LockTime::ZERO,
            input: vec![TxIn {
                previous_output: OutPoint::new(coins.compute_txid(), 0),
                script_sig: ScriptBuf::new(),
                sequence: Sequence::MAX,
                witness: Witness::new(),
            }],
            output: vec![TxOut {
                value: coins.output[0].value - Amount::from_sat(fee),
                // A node refuses transactions that are shorter than this makes it.
                script_pubkey: ScriptBuf::from_bytes(vec![0x51; 10]),
            }],
        };
        let id = self.stdout(&["rpc", "sendrawtransaction", &serialize_hex(&transaction)]);
        assert_eq!(id.trim(), transaction.compute_txid().to_string());
        transaction
    }

    /// Nothing that a client did is an error to the node.
    fn assert_no_errors(&self) {
        let log = std::fs::read_to_string(self.data.path().join("regtest/debug.log")).unwrap();
        let errors: Vec<_> = log
            .lines()
            .filter(|line| line.contains("[error]"))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

impl Drop for RealNode {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A port for the node's HTTP server, which nobody uses here, but which it needs to run JSON-RPC methods.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn every_command_works() {
    within_deadline(|| {
        let Some(node) = RealNode::start(&[]) else {
            return;
        };
        assert_eq!(node.stdout(&["echo", "hallo"]), "hallo\n");
        assert!(node.stdout(&["tip"]).starts_with("block 0 0f9188f1"));
        node.generate(101);
        assert!(node.stdout(&["tip"]).starts_with("block 101 "));
        let transaction = node.spend(1, 2_500);
        let id = transaction.compute_txid().to_string();
        let found: Value = serde_json::from_str(&node.stdout(&["--json", "tx", &id])).unwrap();
        assert_eq!(
            found,
            json!({ "txid": id, "hex": serialize_hex(&transaction) })
        );
        assert!(node.stdout(&["template"]).contains("fees 0.00002500 BTC"));
        let template: Value = serde_json::from_str(&node.stdout(&["--json", "template"])).unwrap();
        assert_eq!(template["merkle_path"], json!([id]));
        let hex = smol::block_on(async {
            let (_node, mining) = node.connect().await;
            let template = mining.template(&no_cooldown()).await.unwrap();
            serialize_hex(&solve(&template, &[]).await.1)
        });
        assert_eq!(node.stdout(&["check-block", &hex]), "accepted\n");
        assert_eq!(node.stdout(&["submit-block", &hex]), "accepted\n");
        assert_eq!(node.stdout(&["rpc", "getblockcount"]), "102\n");
        let again = node.run(&["--json", "submit-block", &hex]);
        assert_eq!(again.status.code(), Some(1));
        let verdict: Value = serde_json::from_slice(&again.stdout).unwrap();
        assert_eq!(verdict["reason"], "duplicate");
        node.assert_no_errors();
    });
}

#[test]
fn watch_leaves_a_node_that_can_stop() {
    within_deadline(|| {
        let Some(mut node) = RealNode::start(&[]) else {
            return;
        };
        let mut watch = node.command(&["watch"]).spawn().unwrap();
        let (first, mut lines) = first_lines(&mut watch, 2);
        assert!(
            first.iter().any(|line| line.starts_with("block 0 ")),
            "{first:?}"
        );
        for height in 1..4 {
            node.generate(1);
            let both = [
                lines.next().unwrap().unwrap(),
                lines.next().unwrap().unwrap(),
            ];
            let tip = format!("block {height} ");
            assert!(both.iter().any(|line| line.starts_with(&tip)), "{both:?}");
        }
        interrupt(&watch);
        assert!(watch.wait().unwrap().success());
        node.stdout(&["rpc", "stop"]);
        assert!(node.child.wait().unwrap().success());
        node.assert_no_errors();
    });
}

#[test]
fn calls_that_wait_end_with_the_node() {
    within_deadline(|| {
        for orderly in [true, false] {
            let Some(mut node) = RealNode::start(&[]) else {
                return;
            };
            smol::block_on(async {
                let (connection, mining) = node.connect().await;
                let tip = mining.tip().await.unwrap().unwrap();
                let template = mining.template(&no_cooldown()).await.unwrap();
                let tips = (0..20).map(|_| mining.wait_tip_changed(tip.hash, None));
                let mut waits: Vec<_> = tips
                    .map(|wait| wait.map(|end| end.map(drop)).boxed())
                    .collect();
                let next = template.next(Default::default());
                waits.push(next.map(|end| end.map(drop)).boxed());
                assert_eq!(
                    connection.echo().await.unwrap().echo("x").await.unwrap(),
                    "x"
                );
                if orderly {
                    node.stdout(&["rpc", "stop"]);
                } else {
                    node.child.kill().unwrap();
                }
                let stopped = smol::unblock(move || node.child.wait().unwrap());
                let (_, ends) = futures::join!(stopped, join_all(waits));
                for end in ends {
                    // A node that stops in good order ends some waits before it closes the connection.
                    let is_right = matches!(end, Err(Error::NodeStopped)) || orderly && end.is_ok();
                    assert!(is_right, "{end:?}");
                }
                let after = mining.tip().await;
                assert!(matches!(after, Err(Error::NodeStopped)), "{after:?}");
            });
        }
    });
}

#[test]
fn solutions_make_blocks_and_others_are_rejected_with_a_reason() {
    within_deadline(|| {
        let Some(node) = RealNode::start(&[]) else {
            return;
        };
        smol::block_on(async {
            let (_node, mining) = node.connect().await;
            for height in 1..=17 {
                let template = mining.template(&no_cooldown()).await.unwrap();
                let extra: &[u8] = if height <= 16 { &[0] } else { &[] };
                let (solution, block) = solve(&template, extra).await;
                let checked = mining.check_block(&block, CheckOptions::default()).await;
                assert_eq!(checked.unwrap(), Verdict::Accepted);
                assert_eq!(template.submit(&solution).await.unwrap(), Verdict::Accepted);
                let tip = mining.tip().await.unwrap().unwrap();
                assert_eq!((tip.height, tip.hash), (height, block.block_hash()));
            }
            let template = mining.template(&no_cooldown()).await.unwrap();
            let (solution, _) = solve_with(&template, &[], |solution| {
                solution.coinbase.input[0].witness.clear();
            })
            .await;
            assert_eq!(
                template.submit(&solution).await.unwrap(),
                rejected(
                    "bad-witness-nonce-size",
                    "CheckWitnessMalleation : invalid witness reserved value size"
                )
            );
            let (_, late) = solve_with(&template, &[], |solution| {
                solution.coinbase.lock_time = absolute::LockTime::from_consensus(100);
                solution.coinbase.input[0].sequence = Sequence::ZERO;
            })
            .await;
            let verdict = mining.submit_block(&late).await.unwrap();
            assert_eq!(
                verdict,
                rejected("bad-txns-nonfinal", "non-final transaction")
            );
        });
    });
}

fn rejected(reason: &str, debug: &str) -> Verdict {
    Verdict::Rejected {
        reason: reason.to_owned(),
        debug: debug.to_owned(),
    }
}

#[test]
fn templates_keep_to_the_nodes_policy_and_the_clients_options() {
    within_deadline(|| {
        let options = ["-blockreservedweight=4000000", "-blockmintxfee=0.00020000"];
        let Some(node) = RealNode::start(&options) else {
            return;
        };
        node.generate(103);
        smol::block_on(async {
            let (_node, mining) = node.connect().await;
            let template = mining.template(&no_cooldown()).await.unwrap();
            let low = node.spend(1, 500);
            let next = template.next(bitcoin_client::WaitOptions {
                timeout: None,
                fee_rise: Some(Amount::from_sat(1_000)),
            });
            let high = node.spend(2, 50_000);
            let next = next.await.unwrap().unwrap();
            let transactions = next.block().await.unwrap().txdata;
            assert_eq!(&transactions[1..], std::slice::from_ref(&high));
            assert_eq!(next.fees().await.unwrap(), [Amount::from_sat(50_000)]);
            assert_eq!(next.sigops().await.unwrap().len(), 1);
            let (low_id, high_id) = (low.compute_txid(), high.compute_wtxid());
            let found = mining
                .transactions(&[low_id, Txid::all_zeros()])
                .await
                .unwrap();
            assert_eq!(found, [Some(low), None]);
            let found = mining.transactions_by_witness_id(&[high_id]).await.unwrap();
            assert_eq!(found, [Some(high)]);
        });
    });
}

#[test]
fn the_ideal_program_follows_a_real_node() {
    within_deadline(|| {
        for name in ["templates_tokio", "templates_smol"] {
            let Some(node) = RealNode::start(&[]) else {
                return;
            };
            // The programs wait for a node that has caught up: one whose last block is new.
            node.generate(1);
            let mut program = Command::new(example(name))
                .arg(node.address())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
            for _ in 0..3 {
                assert!(lines.next().unwrap().unwrap().contains("50 BTC"));
                node.generate(1);
            }
            node.stdout(&["rpc", "stop"]);
            assert_ends_with_its_node(program);
        }
    });
}
