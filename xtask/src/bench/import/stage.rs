//! The measured server: an account with one source that is pushed to.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::bench::client::Client;
use crate::bench::import::Means;
use crate::bench::process::Process;

/// Loads happen while it is measured.
const LOADING: &str = "[intake]\nload_after_seconds = 1\n";
/// Nothing is due in the meantime.
const KEEPING: &str =
    "[intake]\nload_after_seconds = 86400\nload_records = 1000000000000\nload_mib = 1000000\n";

pub(super) struct Stage {
    pub(super) server: Process,
    pub(super) account: i64,
    /// File with the source's token.
    pub(super) token: PathBuf,
}

impl Stage {
    /// Starts a server with a fresh log, and with a destination where loading is asked for.
    pub(super) fn set(means: &Means<'_>) -> Result<Self> {
        let selvedge = || {
            let mut command = Command::new(&means.binaries.selvedge);
            command.env("SELVEDGE_DATA_DIR", means.folder.join("data"));
            command
        };
        let config = means.folder.join("selvedge.toml");
        let settings = match means.arguments.with_loading {
            true => LOADING,
            false => KEEPING,
        };
        std::fs::write(&config, settings)?;
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
        let mut client = Client {
            load: &means.binaries.load,
            interrupts: means.interrupts,
            base: server.url.clone(),
            token: None,
        };
        let administrator = means.folder.join("administrator");
        let account = client.create_account(&partner, "pusher", &administrator)?;
        client.token = Some(administrator);
        if means.arguments.with_loading {
            let destination = json!({"type": "sqlite", "properties": {}});
            client.send("POST", "/v4/destinations", &destination)?;
        }
        let source = json!({"type": "import_api", "display_name": "Pushed", "properties": {}});
        let source = client.send("POST", "/v4/sources", &source)?;
        let tokens = format!("/v4/sources/{}/tokens", source["id"]);
        let created = client.send("POST", &tokens, &Value::Null)?;
        let token = means.folder.join("token");
        let secret = created["access_token"].as_str().context("no token")?;
        std::fs::write(&token, secret)?;
        Ok(Self {
            server,
            account,
            token,
        })
    }
}
