//! `cargo xtask bench import`: how much the Import API accepts, and how fast, next to what accepting cannot do without.

mod report;
mod stage;
mod workload;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use serde_json::Value;

use crate::bench::binaries::{Binaries, BinaryArguments};
use crate::bench::import::report::{Contestant, Report, Sample, processors};
use crate::bench::import::stage::Stage;
use crate::bench::import::workload::{NUMBER, Workload};
use crate::bench::process::Process;
use crate::interrupts::Interrupts;
use crate::workspace;

#[derive(Args)]
#[command(after_help = "\
`selvedge serve` is sent bodies over kept-alive connections, in turn with what accepting them cannot do without; who goes
first changes with each round. A body counts when it is answered with 201, that is, when it is checked, compressed,
encrypted and synced.
  batches    20,000 records with a JSON Schema, about 4 MB each, against the slower of
               parsing alone  the same bytes by sonic-rs, a thread per processor
               writing alone  the same bytes to one file per client, synced after each body
  pushes     one record, about 300 bytes, against
               writing alone  the same bytes from as many threads to one file, synced once for all that wait
For information, both are also sent to a bare axum handler that reads them and answers 201 without keeping them.
Everything runs on the same processors, the load generator included. To use two processors of a larger machine:
  taskset -c 0,1 cargo xtask bench import
A ratio is our rate divided by that of what it is held against; the target is 0.5 or more (of pushes: with 64 clients).

What is accepted stays in the log, so that loading does not disturb; --with-loading adds an embedded destination and
loads meanwhile. Leave some gigabytes free in --folder, which must be on a disk: in memory, syncing costs nothing.")]
pub(crate) struct ImportArguments {
    /// How often each is measured.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long, each time.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Only with these numbers of clients.
    #[arg(long, value_delimiter = ',', default_value = "1,8,64", value_parser = clap::value_parser!(u64).range(1..))]
    clients: Vec<u64>,
    /// Only bodies whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Load what is accepted into an embedded destination meanwhile.
    #[arg(long)]
    with_loading: bool,
    /// Where the server's data and the plain files are, for as long as it is measured [default: target/bench]
    #[arg(long)]
    folder: Option<PathBuf>,
    #[command(flatten)]
    binaries: BinaryArguments,
}

/// Everything that a measurement runs with.
struct Means<'a> {
    arguments: &'a ImportArguments,
    binaries: &'a Binaries,
    interrupts: &'a Interrupts,
    /// For files, on the file system that is measured.
    folder: &'a Path,
}

/// Builds, measures, prints, and writes `target/bench/import-<time>.json`.
pub(crate) fn run(arguments: &ImportArguments, interrupts: &Interrupts) -> Result<ExitCode> {
    ensure!(arguments.rounds > 0, "--rounds must be at least 1");
    let binaries = arguments.binaries.find(interrupts)?;
    let results = workspace::root().join("target/bench");
    std::fs::create_dir_all(&results)?;
    let parent = arguments.folder.as_ref().unwrap_or(&results);
    let started_at = interrupts.output(Command::new("date").args(["-u", "+%Y%m%dT%H%M%SZ"]))?;
    let mut report = Report::new(started_at.trim().to_owned(), arguments.with_loading);
    for workload in Workload::ALL {
        if !workload.name().contains(&arguments.only) {
            continue;
        }
        for clients in &arguments.clients {
            // A log of its own for each: what was accepted before is neither in the way nor on the disk.
            let folder = tempfile::tempdir_in(parent)?;
            let means = Means {
                arguments,
                binaries: &binaries,
                interrupts,
                folder: folder.path(),
            };
            hold(&means, workload, *clients, &mut report)?;
        }
    }
    print!("{report}");
    println!("written to {}", report.write(&results)?.display());
    Ok(ExitCode::SUCCESS)
}

fn hold(means: &Means<'_>, workload: Workload, clients: u64, report: &mut Report) -> Result<()> {
    eprintln!("{}, {clients} clients: setting the stage", workload.name());
    let stage = Stage::set(means)?;
    let body = means.folder.join("body");
    let template = workload.body(stage.account);
    std::fs::write(&body, template.replace(NUMBER, "1000000"))?;
    let answer = means.folder.join("answer");
    std::fs::write(&answer, r#"{"status":"OK","message":"Batch Accepted!"}"#)?;
    let mut bare = Command::new(&means.binaries.load);
    bare.args(["bare", "--status", "201", "--body"]);
    bare.arg(&answer).stdout(Stdio::piped());
    let bare = Process::start(&mut bare, |child| {
        child.stdout.take().map(|pipe| Box::new(pipe) as _)
    })?;

    let contestants = workload.contestants();
    let contest = Contest {
        means,
        workload,
        clients,
        body,
        template,
        stage,
        bare,
    };
    let mut next_number = 1;
    for round in 0..means.arguments.rounds {
        let mut order = contestants.to_vec();
        order.rotate_left(round % contestants.len());
        for contestant in order {
            let sample = contest.measure(contestant, &mut next_number)?;
            eprintln!(
                "{}, {clients} clients, {}: {}",
                workload.name(),
                contestant.name(),
                workload.rate(sample.requests_per_second, sample.body_bytes)
            );
            report.add(sample);
        }
    }
    Ok(())
}

/// One kind of body and one number of clients.
struct Contest<'a> {
    means: &'a Means<'a>,
    workload: Workload,
    clients: u64,
    /// File with one body.
    body: PathBuf,
    template: String,
    stage: Stage,
    bare: Process,
}

impl Contest<'_> {
    fn measure(&self, contestant: Contestant, next_number: &mut u64) -> Result<Sample> {
        let process = match contestant {
            Contestant::Selvedge => Some(&self.stage.server),
            Contestant::Bare => Some(&self.bare),
            Contestant::Parsing | Contestant::Writing => None,
        };
        let mut command = Command::new(&self.means.binaries.load);
        match (process, contestant) {
            (Some(process), _) => self.send(&mut command, &process.url, *next_number),
            (None, Contestant::Parsing) => {
                command.args(["parse", "--threads", &processors().to_string()]);
                command.arg("--body-file").arg(&self.body);
            }
            (None, _) => {
                command.args(["write", "--writers", &self.clients.to_string()]);
                command.arg("--folder").arg(self.means.folder);
                command.arg("--body-file").arg(&self.body);
                if self.workload == Workload::Pushes {
                    command.arg("--grouped");
                }
            }
        }
        command.args(["--seconds", &self.means.arguments.seconds.to_string()]);

        let before = process.map(Process::used).transpose()?;
        let printed = self.means.interrupts.output(&mut command)?;
        let after = process.map(Process::used).transpose()?;
        let figures: Value = serde_json::from_str(&printed)?;
        let number = |name: &str| {
            let number = figures[name].as_f64();
            number.with_context(|| format!("{name} is missing"))
        };
        if let Some(number) = figures["next_number"].as_u64() {
            *next_number = number;
        }
        let cpu_micros = match before.zip(after) {
            Some((before, after)) => {
                let cpu_seconds = after.cpu_seconds - before.cpu_seconds;
                Some(cpu_seconds * 1e6 / number("all_requests")?)
            }
            None => None,
        };
        Ok(Sample {
            workload: self.workload,
            clients: self.clients,
            contestant,
            body_bytes: std::fs::metadata(&self.body)?.len(),
            requests_per_second: number("requests_per_second")?,
            p50_micros: number("p50_micros")?,
            p99_micros: number("p99_micros")?,
            cpu_micros,
            peak_bytes: after.map(|after| after.peak_bytes),
        })
    }

    /// Sends the body again and again to `url`.
    fn send(&self, command: &mut Command, url: &str, first_number: u64) {
        command.args(["generate", "--method", "POST", "--url"]);
        command.arg(format!("{url}{}", self.workload.path()));
        command.arg("--token").arg(&self.stage.token);
        command.args(["--connections", &self.clients.to_string()]);
        command.args(["--first-number", &first_number.to_string()]);
        match self.template.contains(NUMBER) {
            true => command.args(["--body", &self.template]),
            false => command.arg("--body-file").arg(&self.body),
        };
    }
}
