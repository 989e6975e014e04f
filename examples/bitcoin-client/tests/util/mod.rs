//! What the tests share: nodes in this process and in others, and what to do with them.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    dead_code,
    reason = "helpers of tests, of which each test uses a part"
)]

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::{Block, ScriptBuf};
use bitcoin_client::mock::{MockNode, Policy};
use bitcoin_client::{BlockTemplate, Mining, Node, Solution, TemplateOptions, Version};
use futures::future::{Either, select};
use patience::within_deadline;
use tempfile::TempDir;

/// All versions of the schema.
pub(crate) const VERSIONS: [Version; 3] = [Version::V30, Version::V31, Version::V32];

/// The same as words of the command line.
pub(crate) const SCHEMAS: [&str; 3] = ["v30", "v31", "v32"];

/// Longer than any test may take: a wait that ends does not end because of this.
pub(crate) const FOR_EVER: Duration = Duration::from_secs(24 * 3600);

/// Runs an asynchronous test with a node of one version in this process.
pub(crate) fn with_node<F: Future<Output = ()>>(
    version: Version,
    test: impl FnOnce(Arc<Fixture>) -> F + Send + 'static,
) {
    with_node_of(version, Policy::default(), test);
}

/// The same with a node that has a policy.
pub(crate) fn with_node_of<F: Future<Output = ()>>(
    version: Version,
    policy: Policy,
    test: impl FnOnce(Arc<Fixture>) -> F + Send + 'static,
) {
    within_deadline(move || {
        smol::block_on(async { test(Arc::new(Fixture::new(version, policy).await)).await });
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
    async fn new(version: Version, policy: Policy) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("node.sock");
        let mock = MockNode::listen_with(path, version, policy).unwrap();
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
        comes_about(|| self.mock.waiting() == count).await;
    }

    /// The same, while somebody waits for these calls: waits of version 30 are short ones, repeated as long as they are polled.
    pub(crate) async fn wait_for_waiting_of(&self, count: usize, waits: impl Future + Unpin) {
        let waiting = pin!(self.wait_for_waiting(count));
        let is_over = matches!(select(waits, waiting).await, Either::Left(_));
        assert!(!is_over, "a wait ended before there were {count}");
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

/// The command `bitcoin-client`, which asks the node at this address.
pub(crate) fn command(address: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bitcoin-client"));
    command
        .args(["--ipcconnect", address])
        .args(arguments)
        .stderr(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// Runs it to its end.
pub(crate) fn run(address: &str, arguments: &[&str]) -> Output {
    command(address, arguments).output().unwrap()
}

/// What it prints when all is well.
pub(crate) fn stdout(address: &str, arguments: &[&str]) -> String {
    let output = run(address, arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The first lines that a program prints, and the rest, which is to be kept as long as the program is to print.
pub(crate) fn first_lines(
    child: &mut Child,
    count: usize,
) -> (Vec<String>, Lines<BufReader<ChildStdout>>) {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first: Vec<_> = lines.by_ref().take(count).map(Result::unwrap).collect();
    assert_eq!(first.len(), count, "{first:?}");
    (first, lines)
}

/// Presses Ctrl-C.
pub(crate) fn interrupt(child: &Child) {
    signal(child, "-INT");
}

/// Sends a signal, by the option of the command `kill`.
pub(crate) fn signal(child: &Child, option: &str) {
    let killed = Command::new("kill")
        .args([option, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
}

/// Where an example program is. Running all tests builds it; for this one alone it is built here.
pub(crate) fn example(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_BIN_EXE_bitcoin-client"))
        .parent()
        .unwrap();
    let path = directory.join("examples").join(name);
    if !path.exists() {
        let arguments = ["build", "-q", "-p", "bitcoin-client", "--example", name];
        assert!(
            Command::new(env!("CARGO"))
                .args(arguments)
                .status()
                .unwrap()
                .success()
        );
    }
    path
}

/// Templates at once.
pub(crate) fn no_cooldown() -> TemplateOptions {
    TemplateOptions {
        cooldown: false,
        ..TemplateOptions::default()
    }
}

/// What solves a template, and the block that it makes.
pub(crate) async fn solve(template: &BlockTemplate, extra_nonce: &[u8]) -> (Solution, Block) {
    solve_with(template, extra_nonce, |_| {}).await
}

/// The same with a change before the work.
pub(crate) async fn solve_with(
    template: &BlockTemplate,
    extra_nonce: &[u8],
    change: impl FnOnce(&mut Solution),
) -> (Solution, Block) {
    let (header, coinbase, path, mut block) = futures::try_join!(
        template.header(),
        template.coinbase(),
        template.merkle_path(),
        template.block()
    )
    .unwrap();
    let mut solution = Solution {
        version: header.version,
        time: header.time,
        nonce: 0,
        coinbase: coinbase.transaction(extra_nonce, ScriptBuf::new()),
    };
    change(&mut solution);
    block.txdata[0] = solution.coinbase.clone();
    block.header = solution.header(&header, &path);
    while block.header.validate_pow(block.header.target()).is_err() {
        block.header.nonce += 1;
    }
    solution.nonce = block.header.nonce;
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

/// Waits until something that ends on its own has come about.
pub(crate) async fn comes_about(mut holds: impl FnMut() -> bool) {
    while !holds() {
        smol::Timer::after(Duration::from_millis(5)).await;
    }
}

/// Waits for the end of a program whose node was stopped. The node ends the program's wait, and then the connection: the
/// program learns of either first.
pub(crate) fn assert_ends_with_its_node(program: Child) {
    let output = program.wait_with_output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    let end = (output.status.code().unwrap(), errors.as_str());
    assert!(
        [(0, ""), (1, "Error: NodeStopped\n")].contains(&end),
        "{end:?}"
    );
}

/// How long something took: what it does before it is polled, too.
pub(crate) async fn timed<F: Future>(start: impl FnOnce() -> F) -> (F::Output, Duration) {
    let started = Instant::now();
    (start().await, started.elapsed())
}
