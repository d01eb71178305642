//! The programs beside the server in benchmarks over HTTP: one that asks, and those to compare with: one that answers as fast
//! as the same HTTP library can, one that only parses, one that only writes and syncs.
//!
//! A crate of its own, because all have to be built as the server is: optimised, with the same versions of everything.

mod answer;
mod ask;
mod bare;
mod generate;
mod latencies;
mod parse;
mod span;
mod template;
mod threads;
mod write;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    program: Program,
}

#[derive(Subcommand)]
enum Program {
    /// Answer every request with the content of a file.
    Bare(bare::BareArguments),
    /// Send one request and print the body of the answer.
    Ask(ask::AskArguments),
    /// Send requests over kept-alive connections for a while, and print what came of it as JSON.
    Generate(generate::GenerateArguments),
    /// Parse a body again and again, and print the same figures.
    Parse(parse::ParseArguments),
    /// Write a body again and again, each time durably, and print the same figures.
    Write(write::WriteArguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().program {
        Program::Bare(arguments) => bare::run(arguments).await,
        Program::Ask(arguments) => ask::run(&arguments),
        Program::Generate(arguments) => generate::run(&arguments),
        Program::Parse(arguments) => parse::run(&arguments),
        Program::Write(arguments) => write::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
