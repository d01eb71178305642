//! Parsing alone: a fast JSON library, on several threads, over the bytes that a server would have to read.

use std::hint::black_box;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::span::SpanArguments;
use crate::threads;

#[derive(Args)]
pub(crate) struct ParseArguments {
    #[arg(long)]
    body_file: PathBuf,
    #[arg(long)]
    threads: usize,
    #[command(flatten)]
    span: SpanArguments,
}

pub(crate) fn run(arguments: &ParseArguments) -> Result<()> {
    let path = &arguments.body_file;
    let body = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let parse = || {
        let value: sonic_rs::Value = sonic_rs::from_slice(&body)?;
        black_box(value);
        Ok(())
    };
    let workers = vec![parse; arguments.threads];
    let latencies = threads::repeat(workers, arguments.span.begin()?)?;
    println!("{}", arguments.span.summary(latencies)?);
    Ok(())
}
