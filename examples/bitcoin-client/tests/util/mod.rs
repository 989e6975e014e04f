//! What the tests share: deadlines, and nodes in this process and in others.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    dead_code,
    reason = "helpers of tests, of which each test uses a part"
)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use bitcoin::{Block, Transaction, TxIn, TxOut, Witness};
use bitcoin_client::mock::MockNode;
use bitcoin_client::{BlockTemplate, Coinbase, Mining, Node, Solution, TemplateOptions, Version};
use tempfile::TempDir;

/// All versions of the schema.
pub(crate) const VERSIONS: [Version; 3] = [Version::V30, Version::V31, Version::V32];

/// Longer than any test takes.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Runs a test on a thread of its own, and fails if it takes too long.
pub(crate) fn with_deadline(test: impl FnOnce() + Send + 'static) {
    let (sender, receiver) = mpsc::channel();
    let thread = thread::Builder::new()
        .spawn(move || {
            test();
            sender.send(()).ok();
        })
        .unwrap();
    let result = receiver.recv_timeout(DEADLINE);
    assert_ne!(
        result,
        Err(mpsc::RecvTimeoutError::Timeout),
        "the test hangs"
    );
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Runs an asynchronous test with a node of one version in this process.
pub(crate) fn with_node<F: Future<Output = ()>>(
    version: Version,
    test: impl FnOnce(Arc<Fixture>) -> F + Send + 'static,
) {
    with_deadline(move || {
        smol::block_on(async { test(Arc::new(Fixture::new(version).await)).await });
    });
}

/// The same with a node of each version.
pub(crate) fn with_each_node<F: Future<Output = ()>>(
    test: impl Fn(Arc<Fixture>) -> F + Copy + Send + 'static,
) {
    for version in VERSIONS {
        with_node(version, test);
    }
}

/// A node in this process, and a connection to it.
pub(crate) struct Fixture {
    pub mock: MockNode,
    pub node: Node,
    pub mining: Mining,
    _directory: TempDir,
}

impl Fixture {
    async fn new(version: Version) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mock = MockNode::listen(directory.path().join("node.sock"), version).unwrap();
        let node = Node::connect(&mock.address()).await.unwrap();
        assert_eq!(node.version(), version);
        let mining = node.mining().await.unwrap();
        Self {
            mock,
            node,
            mining,
            _directory: directory,
        }
    }

    /// Waits until that many calls wait at the node, while others are answered.
    pub(crate) async fn wait_for_waiting(&self, count: usize) {
        while self.mock.waiting() != count {
            smol::Timer::after(Duration::from_millis(5)).await;
        }
    }

    /// A template of the node, now.
    pub(crate) async fn template(&self) -> BlockTemplate {
        self.mining.template(&no_cooldown()).await.unwrap()
    }
}

/// A node in another process.
pub(crate) struct MockProcess {
    pub address: String,
    child: Child,
    stdin: ChildStdin,
    _directory: TempDir,
}

impl MockProcess {
    pub(crate) fn start(schema: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let address = format!("unix:{}", directory.path().join("node.sock").display());
        let mut child = Command::new(env!("CARGO_BIN_EXE_bitcoin-client"))
            .args(["mock-node", &address, "--schema", schema, "--stop-at-eof"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line, format!("listening on {address}\n"));
        let stdin = child.stdin.take().unwrap();
        Self {
            address,
            child,
            stdin,
            _directory: directory,
        }
    }

    /// Tells it a line, such as `mine`.
    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").unwrap();
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for MockProcess {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Templates at once.
pub(crate) fn no_cooldown() -> TemplateOptions {
    TemplateOptions {
        cooldown: false,
        ..TemplateOptions::default()
    }
}

/// A coinbase transaction as a pool makes it.
pub(crate) fn coinbase_transaction(coinbase: &Coinbase, extra_nonce: &[u8]) -> Transaction {
    let mut script = coinbase.script_sig_prefix.to_bytes();
    script.extend(extra_nonce);
    let mut output = vec![TxOut {
        value: coinbase.reward,
        script_pubkey: bitcoin::ScriptBuf::new(),
    }];
    output.extend(coinbase.required_outputs.clone());
    Transaction {
        version: coinbase.version,
        lock_time: coinbase.lock_time,
        input: vec![TxIn {
            previous_output: bitcoin::OutPoint::null(),
            script_sig: script.into(),
            sequence: coinbase.sequence,
            witness: coinbase.witness.iter().cloned().collect::<Vec<_>>().into(),
        }],
        output,
    }
}

/// What solves a template, and the block that it makes.
pub(crate) async fn solve(template: &BlockTemplate, extra_nonce: &[u8]) -> (Solution, Block) {
    let (header, coinbase, path) = futures::try_join!(
        template.header(),
        template.coinbase(),
        template.merkle_path()
    )
    .unwrap();
    let mut block = template.block().await.unwrap();
    let mut solution = Solution {
        version: header.version,
        time: header.time,
        nonce: 0,
        coinbase: coinbase_transaction(&coinbase, extra_nonce),
    };
    while solution
        .header(&header, &path)
        .validate_pow(header.target())
        .is_err()
    {
        solution.nonce += 1;
    }
    block.txdata[0] = solution.coinbase.clone();
    block.header = solution.header(&header, &path);
    assert!(block.check_merkle_root(), "the merkle path leads elsewhere");
    (solution, block)
}

/// Changes a block and gives it work again.
pub(crate) fn remine(mut block: Block, change: impl FnOnce(&mut Block)) -> Block {
    change(&mut block);
    block.header.merkle_root = block.compute_merkle_root().unwrap();
    while block.header.validate_pow(block.header.target()).is_err() {
        block.header.nonce += 1;
    }
    block
}

/// No witness, where one is needed.
pub(crate) fn without_witness(block: &mut Block) {
    block.txdata[0].input[0].witness = Witness::new();
}

/// How long something took.
pub(crate) async fn timed<T>(future: impl Future<Output = T>) -> (T, Duration) {
    let started = Instant::now();
    (future.await, started.elapsed())
}
