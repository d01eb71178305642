//! `cargo xtask soak`: the long proofs.

mod full_disk;
mod fuzz;
mod taps;

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::interrupts::Interrupts;
use crate::suite::{self, Runner};

/// The tests that draw from a seed. They say so in their names.
const LONG: &str = "test(/kill|crash|seed|workload|soak|random|every_step|model|parser_refuses/)";

#[derive(Args)]
#[command(after_help = "\
A test reads how much to do from SELVEDGE_KILLS and SELVEDGE_SEEDS (see `selvedge_testkit::effort`) and prints the seed
it failed with. To replay that one:
  SELVEDGE_SEED=<seed> cargo xtask test <name of the test>")]
pub(crate) struct SoakArguments {
    /// How many kills each kill test makes.
    #[arg(long, default_value_t = 2000)]
    kills: u32,
    /// How many seeds each randomised test goes through.
    #[arg(long, default_value_t = 500)]
    seeds: u32,
    /// Prove, instead, what happens when a disk is full: under a SQLite destination, under a PostgreSQL destination, under the
    /// server itself, and under what is pushed to it.
    /// Mounts small file systems in memory, for which it has to be root.
    #[arg(long)]
    full_disk: bool,
    /// Feed, instead, bodies that a fuzzer makes up to what reads the bodies of others, each target for so many seconds.
    #[arg(long, value_name = "SECONDS", conflicts_with = "full_disk")]
    fuzz: Option<u32>,
    /// Install, instead, the taps of popular types, ask each for its streams, and write docs/taps.md. Takes a quarter of an hour.
    #[arg(long, conflicts_with_all = ["full_disk", "fuzz"])]
    taps: bool,
    /// Passed on to the test runner; a filter of your own takes the place of ours.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Runs the randomised tests with the given effort.
pub(crate) fn run(arguments: &SoakArguments, interrupts: &Interrupts) -> Result<ExitCode> {
    if arguments.full_disk {
        return full_disk::run(&arguments.arguments, interrupts);
    }
    if let Some(seconds) = arguments.fuzz {
        return fuzz::run(seconds, interrupts);
    }
    if arguments.taps {
        return taps::run(interrupts);
    }
    let mut command = suite::runner(Runner::Auto);
    command.arg("--workspace");
    if suite::has_nextest() {
        command.args(["--profile", "soak"]);
        if arguments.arguments.is_empty() {
            command.args(["--filterset", LONG]);
        }
    }
    command
        .args(&arguments.arguments)
        .env("SELVEDGE_KILLS", arguments.kills.to_string())
        .env("SELVEDGE_SEEDS", arguments.seeds.to_string())
        // What tests of pure functions go by, whose cases take far less time.
        .env(
            "PROPTEST_CASES",
            (arguments.seeds.saturating_mul(50)).to_string(),
        );
    suite::give_python(&mut command, interrupts)?;
    suite::run_with_server(&mut command, interrupts)
}
