//! The measured server, with what it is asked about: an account with fifty configured sources.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::bench::client::Client;
use crate::bench::process::Process;
use crate::bench::psql::Psql;
use crate::interrupts::Interrupts;
use crate::postgres::{Programs, Server};

/// Sources in the account that is read.
pub(super) const SOURCES: usize = 50;

/// Any 32 bytes.
const MASTER_KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

/// Where the control plane is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Store {
    Sqlite,
    Postgres,
}

impl Store {
    pub(super) const ALL: [Store; 2] = [Store::Sqlite, Store::Postgres];

    pub(super) fn name(self) -> &'static str {
        match self {
            Store::Sqlite => "sqlite",
            Store::Postgres => "postgres",
        }
    }
}

/// The programs, and a PostgreSQL server for sources and, where it is asked for, the control plane.
pub(super) struct Means<'a> {
    pub(super) selvedge: &'a Path,
    pub(super) load: &'a Path,
    pub(super) programs: &'a Programs,
    pub(super) postgres: &'a Server,
    pub(super) interrupts: &'a Interrupts,
}

/// A running server and its tenants.
pub(super) struct Stage {
    pub(super) server: Process,
    /// File with the token of the account that is read.
    pub(super) reader: PathBuf,
    /// File with the token of the account that sources are created in.
    pub(super) writer: PathBuf,
    /// One of the sources that are read.
    pub(super) source: i64,
}

impl Stage {
    /// Starts a server with its data in `folder`, creates the accounts and configures the sources, and waits until
    /// nothing is left to do but answer.
    pub(super) fn set(means: &Means<'_>, store: Store, folder: &Path) -> Result<Self> {
        let admin = Psql {
            programs: means.programs,
            interrupts: means.interrupts,
            url: &means.postgres.url("postgres"),
        };
        admin.query("create table if not exists shop (id int primary key, name text)")?;
        admin.query("insert into shop values (1, 'one') on conflict do nothing")?;
        let data = folder.join("data");
        let selvedge = || {
            let mut command = Command::new(means.selvedge);
            command.env("SELVEDGE_DATA_DIR", &data);
            if store == Store::Postgres {
                command
                    .env("SELVEDGE_DATABASE_URL", means.postgres.url("control"))
                    .env("SELVEDGE_MASTER_KEY", MASTER_KEY);
            }
            command
        };
        if store == Store::Postgres {
            admin.query("create database control")?;
        }
        // One token makes more requests here than any client should.
        let config = folder.join("selvedge.toml");
        std::fs::write(&config, "[api]\nrequests_per_minute = 0\n")?;
        let mut serve = selvedge();
        serve
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "warn"])
            .arg("--config")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let server = Process::start(&mut serve, |child| {
            child.stderr.take().map(|pipe| Box::new(pipe) as _)
        })?;
        let partner = means
            .interrupts
            .output(selvedge().args(["partner", "create", "--name", "Bench", "--json"]))?;
        let partner: Value = serde_json::from_str(&partner)?;

        let client = |token: Option<&Path>| Client {
            load: means.load,
            interrupts: means.interrupts,
            base: server.url.clone(),
            token: token.map(Path::to_owned),
        };
        let account = |name: &str| -> Result<(i64, PathBuf)> {
            let path = folder.join(name);
            let id = client(None).create_account(&partner, name, &path)?;
            Ok((id, path))
        };
        let (account_id, reader) = account("reader")?;
        let (_, writer) = account("writer")?;
        let source = configure(&client(Some(&reader)), means.postgres, account_id)?;
        Ok(Self {
            server,
            reader,
            writer,
            source,
        })
    }
}

/// Makes the sources, selects their table and waits until each has run once: then nothing is due for a day.
fn configure(client: &Client<'_>, postgres: &Server, account: i64) -> Result<i64> {
    let destination = json!({"type": "sqlite", "properties": {}});
    client.send("POST", "/v4/destinations", &destination)?;
    let mut sources = Vec::new();
    for number in 1..=SOURCES {
        let created = client.send(
            "POST",
            "/v4/sources",
            &json!({
                "type": "platform.postgres", "display_name": format!("Shop {number}"),
                "properties": {
                    "host": "127.0.0.1", "port": postgres.port(), "user": "postgres", "password": "unused",
                    "dbname": "postgres", "frequency_in_minutes": "1440",
                },
            }),
        )?;
        sources.push(created["id"].as_i64().context("no source id")?);
    }
    for source in &sources {
        let path = format!("/v4/sources/{source}");
        client.until(&path, |source| {
            source["report_card"]["current_step_type"] == "field_selection"
        })?;
        let streams = client.get(&format!("{path}/streams"))?;
        let stream = streams[0]["tap_stream_id"].as_str().context("no stream")?;
        client.send(
            "PUT",
            &format!("{path}/streams/metadata"),
            &json!({"streams": [{"tap_stream_id": stream, "metadata": [
                {"breadcrumb": [], "metadata": {"selected": true, "replication-method": "FULL_TABLE"}},
            ]}]}),
        )?;
    }
    client.until(&format!("/v4/{account}/extractions"), |page| {
        page["total"] == SOURCES
    })?;
    let first = *sources.first().context("no source")?;
    let configured = client.get(&format!("/v4/sources/{first}"))?;
    ensure!(
        configured["schedule"].is_object(),
        "the source is not scheduled: {configured}"
    );
    Ok(first)
}
