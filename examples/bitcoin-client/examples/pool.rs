//! What a mining pool does with a node of version 32 or later, once each, and then until the node stops. It works off the
//! tasks of the table in README.md: below each comment are all the lines that the task takes, and a test counts them.

#![expect(clippy::print_stdout, reason = "it is what the program is for")]

use std::time::Duration;

use bitcoin::block::Header;
use bitcoin::{ScriptBuf, Transaction, TxMerkleNode, Txid};
use bitcoin_client::{
    CheckOptions, Coinbase, Node, Result, Solution, TemplateOptions, WaitOptions,
};
use futures::{TryStreamExt, try_join};
use tokio::time::timeout;

#[tokio::main]
async fn main() -> Result<()> {
    let address = std::env::args().nth(1).unwrap_or_default();
    let options = TemplateOptions {
        cooldown: false,
        ..TemplateOptions::default()
    };

    // connect, first object, thread map, mining object
    let node = Node::connect(&address).await?;
    let mining = node.mining().await?;

    // the same for a second protocol
    let declaration = node.mining().await?;

    // create a template, or give up
    let created = timeout(PATIENCE, mining.template(&options)).await;

    let Ok(created) = created else { return Ok(()) };
    let t = created?;

    // header, coinbase and merkle path of a template
    let (header, coinbase, path) = try_join!(t.header(), t.coinbase(), t.merkle_path())?;

    let solution = solve(&header, &coinbase, &path);
    let mut block = t.block().await?;
    let ids: Vec<Txid> = block.txdata[1..]
        .iter()
        .map(Transaction::compute_txid)
        .collect();
    block.txdata[0] = solution.coinbase.clone();
    block.header = solution.header(&header, &path);

    // look up transactions
    let found = declaration.transactions(&ids).await?;

    println!(
        "{} transactions: {}",
        ids.len(),
        found.iter().all(Option::is_some)
    );
    let all = CheckOptions::default();

    // check a block
    let verdict = declaration.check_block(&block, all).await?;

    println!("checked: {verdict:?}");

    // submit a solution
    let verdict = t.submit(&solution).await?;

    println!("submitted: {verdict:?}");

    // wait for the next template
    let next = t.next(WaitOptions::default()).await?;

    println!("there is a next one: {}", next.is_some());

    // follow templates
    let mut templates = mining.templates(options);
    while let Some(t) = templates.try_next().await? {
        println!("on {}", t.header().await?.prev_blockhash);
    }

    println!("the node stops");
    Ok(())
}

/// The miner's work, which is none on a chain for tests.
fn solve(template: &Header, coinbase: &Coinbase, path: &[TxMerkleNode]) -> Solution {
    let mut solution = Solution {
        version: template.version,
        time: template.time,
        nonce: 0,
        coinbase: coinbase.transaction(b"pool", ScriptBuf::new()),
    };
    let target = template.target();
    while solution
        .header(template, path)
        .validate_pow(target)
        .is_err()
    {
        solution.nonce += 1;
    }
    solution
}

/// How long a template may take.
const PATIENCE: Duration = Duration::from_secs(60);
