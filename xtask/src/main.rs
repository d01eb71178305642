//! What maintainers run: `cargo xtask test`, `check`, `soak` and `bench`.

mod bench;
mod check;
mod chromium;
mod daemon;
mod interrupts;
mod mariadb;
mod moto;
mod packages;
mod postgres;
mod python;
mod shell_tools;
mod soak;
mod suite;
mod taps;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::interrupts::{Interrupted, Interrupts};

/// Tasks of the Selvedge repository.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
#[command(
    after_help = "Start with `cargo xtask test`: it needs a Rust toolchain and nothing else."
)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run the tests, with servers of their own.
    Test(suite::TestArguments),
    /// Check formatting and lints, and list the files that have grown long.
    Check,
    /// Repeat the randomised and kill tests with far more seeds than `test` does.
    Soak(soak::SoakArguments),
    /// Measure against what the databases do by themselves.
    Bench(bench::BenchArguments),
    /// Run a program and write down what it used. For `bench`, which cannot tell its children apart otherwise.
    #[command(hide = true)]
    Measure(bench::MeasureArguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.task) {
        Ok(code) => code,
        Err(error) => match error.downcast_ref::<Interrupted>() {
            Some(interrupted) => interrupted.exit_code(),
            None => {
                eprintln!("error: {error:#}");
                ExitCode::FAILURE
            }
        },
    }
}

fn run(task: Task) -> anyhow::Result<ExitCode> {
    if let Task::Measure(arguments) = task {
        return bench::measure(&arguments);
    }
    let interrupts = Interrupts::listen()?;
    match task {
        Task::Test(arguments) => suite::run(&arguments, &interrupts),
        Task::Check => check::run(&interrupts),
        Task::Soak(arguments) => soak::run(&arguments, &interrupts),
        Task::Bench(arguments) => bench::run(&arguments, &interrupts),
        Task::Measure(arguments) => bench::measure(&arguments),
    }
}
