//! `bitcoin-client`: asks a node over its IPC socket, or is one for tests.

#![forbid(unsafe_code)]

mod cli;
mod commands;
mod mock_node;
mod output;
mod status;

use std::io;
use std::process::ExitCode;

use clap::Parser;
use tracing::level_filters::LevelFilter;

use self::cli::{Cli, Command};
use self::output::Output;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let level = if cli.debug.is_some() {
        LevelFilter::TRACE
    } else {
        LevelFilter::ERROR
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_level(false)
        .without_time()
        .init();
    let output = Output::new(cli.json);
    let result = match &cli.command {
        Command::MockNode(options) => mock_node::run(options, &output),
        command => smol::block_on(commands::run(&cli, command, &output)),
    };
    result.unwrap_or_else(|error| status::fail(&*error))
}
