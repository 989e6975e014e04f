//! The commands that ask a node.

use std::error::Error;
use std::io::Read;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use async_signal::{Signal, Signals};
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::hex::DisplayHex;
use bitcoin::{Amount, Block, Txid};
use bitcoin_client::{
    BlockRef, BlockTemplate, CheckOptions, Node, TemplateOptions, Verdict, data_directory,
    node_address,
};
use futures::future::{Either, select};
use futures::stream::{self, StreamExt, TryStreamExt};
use futures::{FutureExt, try_join};
use serde_json::{Value, json};

use crate::cli::{Cli, Command};
use crate::output::Output;
use crate::status::{INTERRUPTED, NO, Outcome, Usage};

/// Connects, and runs one command. Ctrl-C ends it, and whatever it waits for at the node.
pub(crate) async fn run(cli: &Cli, command: &Command, output: &Output) -> Outcome {
    let mut signals = Signals::new([Signal::Int, Signal::Term])?;
    let directory = cli.datadir.clone().unwrap_or_else(data_directory);
    let address =
        node_address(&cli.ipcconnect, &directory, cli.chain.into()).map_err(Usage::new)?;
    let Some(node) = unless(&mut signals, Node::connect_to(&address)).await else {
        return Ok(INTERRUPTED.into());
    };
    let node = node?;
    let outcome = unless(&mut signals, ask(&node, command, output)).await;
    // Nothing that was started at the node is left running. The node may hang: then it is not waited for.
    let late = smol::Timer::after(Duration::from_secs(5));
    select(node.settled().boxed(), late).await;
    outcome.unwrap_or_else(|| match command {
        Command::Watch => Ok(ExitCode::SUCCESS),
        _ => Ok(INTERRUPTED.into()),
    })
}

/// The result of the future, which is dropped when there is a signal.
async fn unless<T>(signals: &mut Signals, future: impl Future<Output = T>) -> Option<T> {
    match select(pin!(future), signals.next()).await {
        Either::Left((result, _)) => Some(result),
        Either::Right(_) => None,
    }
}

async fn ask(node: &Node, command: &Command, output: &Output) -> Outcome {
    match command {
        Command::Echo { text } => {
            let said = node.echo().await?.echo(text).await?;
            output.print(&said, &json!(said))?;
        }
        Command::Tip => match node.mining().await?.tip().await? {
            Some(tip) => print_tip(tip, output)?,
            None => output.print("no block yet", &Value::Null)?,
        },
        Command::Watch => watch(node, output).await?,
        Command::Template { cooldown } => template(node, *cooldown, output).await?,
        Command::SubmitBlock { block } => {
            let block = read_block(block)?;
            return verdict(node.mining().await?.submit_block(&block).await?, output);
        }
        Command::CheckBlock {
            block,
            no_proof_of_work,
        } => {
            let block = read_block(block)?;
            let options = CheckOptions {
                proof_of_work: !no_proof_of_work,
                ..CheckOptions::default()
            };
            let mining = node.mining().await?;
            return verdict(mining.check_block(&block, options).await?, output);
        }
        Command::Tx { ids } => return transactions(node, ids, output).await,
        Command::Rpc { method, params } => {
            let params: Vec<Value> = params.iter().map(|text| param(text)).collect();
            let result = node.rpc().await?.call(method, Value::Array(params)).await?;
            let text = result
                .as_str()
                .map_or_else(|| format!("{result:#}"), str::to_owned);
            output.print(&text, &result)?;
        }
        Command::MockNode(_) => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints tips and templates as they come, until the node stops.
async fn watch(node: &Node, output: &Output) -> Result<(), Box<dyn Error>> {
    enum News {
        Tip(BlockRef),
        Template(BlockTemplate, Vec<Amount>),
    }
    let mining = node.mining().await?;
    let options = TemplateOptions {
        cooldown: false,
        fee_rise: Some(Amount::ONE_SAT),
        ..TemplateOptions::default()
    };
    let templates = mining.templates(options).and_then(|template| async move {
        let fees = template.fees().await?;
        Ok(News::Template(template, fees))
    });
    let mut news = stream::select(mining.tips().map_ok(News::Tip).boxed(), templates.boxed());
    while let Some(next) = news.try_next().await? {
        match next {
            News::Tip(tip) => print_tip(tip, output)?,
            News::Template(template, fees) => print_fees(&template, &fees, output).await?,
        }
    }
    Err(bitcoin_client::Error::NodeStopped.into())
}

async fn print_fees(
    template: &BlockTemplate,
    fees: &[Amount],
    output: &Output,
) -> Result<(), Box<dyn Error>> {
    let parent = template.header().await?.prev_blockhash;
    let total: Amount = fees.iter().copied().sum();
    let text = format!(
        "template on {parent}: {} transactions, fees {total}",
        fees.len()
    );
    output.print(&text, &json!({ "template": { "parent": parent.to_string(), "transactions": fees.len(), "fees": total.to_sat() } }))?;
    Ok(())
}

/// All parts are asked for at once, and arrive together.
async fn template(node: &Node, cooldown: bool, output: &Output) -> Result<(), Box<dyn Error>> {
    let options = TemplateOptions {
        cooldown,
        ..TemplateOptions::default()
    };
    let t = node.mining().await?.template(&options).await?;
    let (header, coinbase, path, fees) =
        try_join!(t.header(), t.coinbase(), t.merkle_path(), t.fees())?;
    let fees: Amount = fees.into_iter().sum();
    let path: Vec<String> = path.iter().map(ToString::to_string).collect();
    let outputs: Vec<String> = coinbase
        .required_outputs
        .iter()
        .map(serialize_hex)
        .collect();
    let lines = [
        format!("parent       {}", header.prev_blockhash),
        format!("version      {:08x}", header.version.to_consensus()),
        format!("time         {}", header.time),
        format!("bits         {:08x}", header.bits.to_consensus()),
        format!("reward       {}, fees {fees}", coinbase.reward),
        format!("script       {:x}", coinbase.script_sig_prefix),
        format!("outputs      {}", outputs.join(" ")),
        format!(
            "merkle path  {}",
            if path.is_empty() {
                "empty".to_owned()
            } else {
                path.join("\n             ")
            }
        ),
    ];
    let json = json!({
        "parent": header.prev_blockhash.to_string(),
        "version": header.version.to_consensus(),
        "time": header.time,
        "bits": format!("{:08x}", header.bits.to_consensus()),
        "fees": fees.to_sat(),
        "coinbase": {
            "version": coinbase.version.0,
            "sequence": coinbase.sequence.0,
            "witness": coinbase.witness.map(|witness| witness.to_lower_hex_string()),
            "script_sig_prefix": format!("{:x}", coinbase.script_sig_prefix),
            "reward": coinbase.reward.to_sat(),
            "required_outputs": outputs,
            "lock_time": coinbase.lock_time.to_consensus_u32(),
        },
        "merkle_path": path,
    });
    Ok(output.print(&lines.join("\n"), &json)?)
}

async fn transactions(node: &Node, ids: &[Txid], output: &Output) -> Outcome {
    let found = node.mining().await?.transactions(ids).await?;
    let mut code = ExitCode::SUCCESS;
    for (id, transaction) in ids.iter().zip(&found) {
        let hex = transaction.as_ref().map(serialize_hex);
        let text = hex.as_deref().unwrap_or("not in the memory pool");
        output.print(
            &format!("{id} {text}"),
            &json!({ "txid": id.to_string(), "hex": hex }),
        )?;
        if transaction.is_none() {
            code = NO.into();
        }
    }
    Ok(code)
}

fn print_tip(tip: BlockRef, output: &Output) -> std::io::Result<()> {
    let hash = tip.hash.to_string();
    output.print(
        &format!("block {} {hash}", tip.height),
        &json!({ "tip": { "height": tip.height, "hash": hash } }),
    )
}

fn verdict(verdict: Verdict, output: &Output) -> Outcome {
    if let Verdict::Rejected { reason, debug } = verdict {
        let text = if debug.is_empty() {
            format!("rejected: {reason}")
        } else {
            format!("rejected: {reason} ({debug})")
        };
        output.print(
            &text,
            &json!({ "accepted": false, "reason": reason, "debug": debug }),
        )?;
        return Ok(NO.into());
    }
    output.print("accepted", &json!({ "accepted": true }))?;
    Ok(ExitCode::SUCCESS)
}

fn read_block(argument: &str) -> Result<Block, Box<dyn Error>> {
    let mut input = String::new();
    let hex = match argument {
        "-" => {
            std::io::stdin().lock().read_to_string(&mut input)?;
            input.trim()
        }
        hex => hex,
    };
    deserialize_hex(hex).map_err(|error| {
        Usage::new(format_args!("not a block in hexadecimal digits: {error}")).into()
    })
}

/// JSON if it is any, else a text.
fn param(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}
