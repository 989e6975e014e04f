//! The command `mock-node`.

use std::io::{self, BufRead};
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use async_signal::{Signal, Signals};
use bitcoin::Amount;
use bitcoin_client::mock::MockNode;
use futures::StreamExt;
use multiprocess::Address;
use serde_json::json;

use crate::cli;
use crate::output::Output;
use crate::status::{Outcome, Usage, report};

/// Serves until a client, standard input or Ctrl-C stops it.
pub(crate) fn run(options: &cli::MockNode, output: &Output) -> Outcome {
    let mut signals = Signals::new([Signal::Int, Signal::Term])?;
    let address = Address::parse(&options.address, std::env::current_dir()?, "node");
    let address = address.map_err(Usage::new)?;
    let node = MockNode::listen_with(address.path(), options.schema.into(), options.policy())?;
    let node = Arc::new(node);
    let address = node.address();
    output.print(
        &format!("listening on {address}"),
        &json!({ "listening": address }),
    )?;
    let (commanded, stop_at_eof, printed) = (Arc::clone(&node), options.stop_at_eof, *output);
    thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(move || {
            read_commands(&commanded, printed);
            if stop_at_eof {
                commanded.request_stop();
            }
        })?;
    let interrupted = Arc::clone(&node);
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            smol::block_on(signals.next());
            interrupted.request_stop();
        })?;
    let (ended, end) = mpsc::channel::<()>();
    let miner = options
        .mine_every
        .map(|interval| start_mining(&node, interval, end))
        .transpose()?;
    node.wait_stopped();
    drop(ended);
    if let Some(miner) = miner {
        miner.join().map_err(|_| "the miner panicked")?;
    }
    // The other threads still have the node.
    node.stop();
    Ok(ExitCode::SUCCESS)
}

/// Mines a block after each interval, until the other end of the channel is dropped.
fn start_mining(
    node: &Arc<MockNode>,
    interval: Duration,
    end: mpsc::Receiver<()>,
) -> io::Result<thread::JoinHandle<()>> {
    let node = Arc::clone(node);
    thread::Builder::new()
        .name("miner".to_owned())
        .spawn(move || {
            while end.recv_timeout(interval) == Err(mpsc::RecvTimeoutError::Timeout) {
                node.mine(1);
            }
        })
}

fn read_commands(node: &Arc<MockNode>, output: Output) {
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        let mut words = line.split_whitespace();
        let command = words.next().unwrap_or_default();
        let number = words.next().map(str::parse::<u32>).transpose();
        match (command, number) {
            ("mine", Ok(count)) => node.mine(count.unwrap_or(1)),
            ("tx", Ok(fee)) => {
                drop(node.add_transaction(Amount::from_sat(u64::from(fee.unwrap_or(1_000)))));
            }
            ("header", Ok(seconds)) => {
                node.hear_of_header(Duration::from_secs(u64::from(seconds.unwrap_or(1))));
            }
            ("waiting", Ok(Some(count))) => {
                if let Err(error) = say_when_waiting(node, count, output) {
                    report(error);
                }
            }
            ("stop", Ok(None)) => node.request_stop(),
            ("", _) => {}
            _ => report(format_args!("unknown command: {line}")),
        }
    }
}

/// Prints that so many calls wait, as soon as they do.
fn say_when_waiting(node: &Arc<MockNode>, count: u32, output: Output) -> io::Result<()> {
    let calls = usize::try_from(count).map_err(io::Error::other)?;
    let node = Arc::clone(node);
    let wait = move || {
        while !node.wait_for_waiting(calls, Duration::from_secs(3600)) {}
        let (text, json) = (format!("waiting {count}"), json!({ "waiting": count }));
        // Whoever asked may be gone.
        output.print(&text, &json).unwrap_or_default();
    };
    let name = "waiting".to_owned();
    thread::Builder::new().name(name).spawn(wait).map(drop)
}
