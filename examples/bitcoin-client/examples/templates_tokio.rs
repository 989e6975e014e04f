//! Prints a node's block templates as they come, on tokio.
use bitcoin_client::{Node, TemplateOptions};
use futures::{TryStreamExt, try_join};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "it is what the program is for")]
async fn main() -> bitcoin_client::Result<()> {
    let node = Node::connect(&std::env::args().nth(1).unwrap_or_default()).await?;
    let mut templates = node.mining().await?.templates(TemplateOptions::default());
    while let Some(t) = templates.try_next().await? {
        let (header, coinbase, path) = try_join!(t.header(), t.coinbase(), t.merkle_path())?;
        println!("{} {} {path:?}", header.prev_blockhash, coinbase.reward);
    }
    Ok(())
}
