//! `cargo xtask bench singer`: what a tap writes, loaded into PostgreSQL by us and by public Singer targets.

mod dataset;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Result, ensure};
use clap::Args;

use crate::bench::measure::{Usage, measured};
use crate::bench::psql::Psql;
use crate::interrupts::Interrupts;
use crate::postgres::{self, Programs, Server};
use crate::python::Environment;
use crate::workspace;
use dataset::Dataset;

/// Durable, as a customer's server is; no background worker comes in between.
const SETTINGS: [&str; 7] = [
    "shared_buffers=256MB",
    "maintenance_work_mem=256MB",
    "fsync=on",
    "synchronous_commit=on",
    "max_wal_size=8GB",
    "autovacuum=off",
    "jit=off",
];

/// The destination database; made anew for every load.
const DATABASE: &str = "loaded";

const PEERS: [Peer; 2] = [
    Peer {
        name: "meltanolabs-target-postgres",
        environment: Environment {
            folder: "target/python-meltanolabs-target-postgres",
            requirements: "xtask/peers/meltanolabs-target-postgres.txt",
        },
        settings: &[("default_target_schema", "loaded")],
        database_key: "database",
    },
    Peer {
        name: "pipelinewise-target-postgres",
        environment: Environment {
            folder: "target/python-pipelinewise-target-postgres",
            requirements: "xtask/peers/pipelinewise-target-postgres.txt",
        },
        settings: &[("default_target_schema", "loaded")],
        database_key: "dbname",
    },
];

/// A public Singer target.
struct Peer {
    name: &'static str,
    environment: Environment,
    /// Beside the database's address.
    settings: &'static [(&'static str, &'static str)],
    database_key: &'static str,
}

#[derive(Args)]
#[command(after_help = "\
A tap that does nothing but print a file of messages is loaded into PostgreSQL:
  selvedge   `selvedge sync --source tap:…`, the release build, from start to exit, discovery included
  targets    `cat messages | target-postgres`, from start to exit, each in its own environment
After each load the number of rows and sums over columns are compared. CPU seconds are those of both sides of the pipe,
without the server. Peers take long; --peer-records gives them a shorter file.")]
pub(crate) struct SingerArguments {
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    /// Records for the peers. [default: as many]
    #[arg(long)]
    peer_records: Option<u64>,
    #[arg(long, default_value_t = 3)]
    repeat: usize,
    /// This `selvedge` instead of a release build made now.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Only ours.
    #[arg(long)]
    without_peers: bool,
}

/// Builds, measures, prints.
pub(crate) fn run(arguments: &SingerArguments, interrupts: &Interrupts) -> Result<ExitCode> {
    ensure!(arguments.repeat > 0, "--repeat must be at least 1");
    let binary = match &arguments.binary {
        Some(binary) => std::path::absolute(binary)?,
        None => {
            let mut build = workspace::cargo();
            build.args(["build", "--release", "--package", "selvedge"]);
            workspace::announce(&build);
            ensure!(
                interrupts.run(&mut build)?.success(),
                "selvedge does not build"
            );
            workspace::release_binary("selvedge")
        }
    };
    let programs = postgres::programs(interrupts)?;
    let server = Server::start(&programs, &SETTINGS, interrupts)?;
    let folder = tempfile::tempdir()?;
    let arena = Arena {
        programs: &programs,
        server: &server,
        folder: folder.path(),
        interrupts,
    };
    let own = Dataset::write(&folder.path().join("own"), arguments.records)?;
    println!(
        "{} records, {:.0} bytes each",
        arguments.records,
        own.bytes as f64 / arguments.records as f64
    );
    let mut rate = 0.0_f64;
    for _ in 0..arguments.repeat {
        let usage = arena.load(&own, &arena.ours(&binary, &own)?)?;
        rate = rate.max(print("selvedge", &own, &usage));
    }
    if arguments.without_peers {
        return Ok(ExitCode::SUCCESS);
    }
    let records = arguments.peer_records.unwrap_or(arguments.records);
    let given = Dataset::write(&folder.path().join("peers"), records)?;
    for peer in &PEERS {
        let python = peer.environment.interpreter(interrupts)?;
        let usage = arena.load(&given, &arena.peer(peer, &python, &given)?)?;
        let peers = print(peer.name, &given, &usage);
        println!("  ratio: {:.1}", rate / peers);
    }
    Ok(ExitCode::SUCCESS)
}

/// Records per second.
fn print(name: &str, dataset: &Dataset, usage: &Usage) -> f64 {
    let rate = dataset.records as f64 / usage.wall_seconds;
    println!(
        "{name}: {} records in {:.2} s, {rate:.0} records/s, {:.1} MB/s, {:.2} CPU s ({:.1} us a record), peak {:.0} MB",
        dataset.records,
        usage.wall_seconds,
        dataset.bytes as f64 / usage.wall_seconds / 1e6,
        usage.cpu_seconds,
        usage.cpu_seconds * 1e6 / dataset.records as f64,
        usage.peak_bytes as f64 / 1e6,
    );
    rate
}

struct Arena<'a> {
    programs: &'a Programs,
    server: &'a Server,
    folder: &'a Path,
    interrupts: &'a Interrupts,
}

impl Arena<'_> {
    /// One measured load into an empty database, and the check that it is right.
    fn load(&self, dataset: &Dataset, command: &Command) -> Result<Usage> {
        let admin = self.server.url("postgres");
        let admin = self.psql(&admin);
        admin.query(&format!("drop database if exists {DATABASE} with (force)"))?;
        admin.query(&format!("create database {DATABASE}"))?;
        admin.query("checkpoint")?;
        let usage = measured(command, self.folder, self.interrupts)?;
        let url = self.server.url(DATABASE);
        let target = self.psql(&url);
        let table = target.value(&format!(
            "select format('%I.%I', schemaname, tablename) from pg_tables where tablename = '{}'",
            dataset::STREAM
        ))?;
        ensure!(!table.is_empty(), "nothing was loaded");
        let found = target.value(&dataset::checksum(&table))?;
        ensure!(
            found == dataset.checksum,
            "rows and sums are {found} instead of {}",
            dataset.checksum
        );
        Ok(usage)
    }

    fn ours(&self, binary: &Path, dataset: &Dataset) -> Result<Command> {
        let tap = dataset.tap()?;
        let mut command = Command::new(binary);
        command
            .arg("sync")
            .args(["--source", &format!("tap:{}", tap.display())])
            .args(["--destination", &self.server.url(DATABASE)])
            .args(["--schema", "loaded"]);
        Ok(command)
    }

    fn peer(&self, peer: &Peer, python: &Path, dataset: &Dataset) -> Result<Command> {
        let mut config = serde_json::json!({
            "host": "127.0.0.1",
            "port": self.server.port(),
            "user": "postgres",
            // The server asks for none, but the targets do.
            "password": "none",
            peer.database_key: DATABASE,
        });
        for (name, value) in peer.settings {
            config[*name] = (*value).into();
        }
        let file = self.folder.join(format!("{}.json", peer.name));
        std::fs::write(&file, config.to_string())?;
        let program = python.with_file_name("target-postgres");
        let mut command = Command::new("bash");
        command.args([
            "-c",
            r#"set -o pipefail; cat "$0" | "$1" --config "$2" >/dev/null 2>"$2.log" || { tail -n 20 "$2.log" >&2; exit 1; }"#,
        ]);
        command.arg(&dataset.messages).arg(program).arg(file);
        Ok(command)
    }

    fn psql<'b>(&'b self, url: &'b str) -> Psql<'b> {
        Psql {
            programs: self.programs,
            interrupts: self.interrupts,
            url,
        }
    }
}
