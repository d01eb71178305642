//! The one binary: it reads the command line and hands over. Rules live in the crates below.

mod account;
mod cli;
mod clock;
mod config;
mod data_dir;
mod http;
mod intake;
mod memory;
mod partner;
mod quickstart;
mod reference;
mod serve;
mod state;
mod sync;
mod table;
mod tap_launch;
mod taps;
mod telemetry;
mod tls;
mod webhook;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let command = match cli::Cli::parse().command {
        // While there is one thread: what it takes away from itself has to hold for the whole process.
        cli::Command::TapLaunch(arguments) => return tap_launch::run(arguments),
        command => command,
    };
    selvedge_net::tls::install_provider();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime could not be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(Box::pin(run(command))) {
        Ok(code) => code,
        Err(error) => {
            // The chain reads from what was being done to why it failed.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: cli::Command) -> anyhow::Result<ExitCode> {
    match command {
        cli::Command::Serve(arguments) => {
            if !arguments.dumpable {
                memory::close()?;
            }
            serve::run(arguments).await
        }
        cli::Command::Quickstart(arguments) => quickstart::run(arguments).await,
        cli::Command::Sync(arguments) => sync::run(arguments).await,
        cli::Command::Partner(arguments) => partner::run(arguments).await,
        cli::Command::Account(arguments) => account::run(arguments).await,
        cli::Command::Webhook(arguments) => webhook::run(arguments).await,
        cli::Command::Taps(arguments) => taps::run(arguments).await,
        cli::Command::Reference(arguments) => reference::run(&arguments),
        cli::Command::TapLaunch(arguments) => Ok(tap_launch::run(arguments)),
    }
}
