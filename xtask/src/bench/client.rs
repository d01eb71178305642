//! Requests that set the stage of a benchmark, by the load program, one at a time.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::interrupts::Interrupts;

/// How long everything may take that happens before the first measurement.
const PATIENCE: Duration = Duration::from_secs(180);
const POLL: Duration = Duration::from_millis(100);

pub(crate) struct Client<'a> {
    /// The `selvedge-load` program.
    pub(crate) load: &'a Path,
    pub(crate) interrupts: &'a Interrupts,
    /// `http://ADDRESS:PORT`.
    pub(crate) base: String,
    /// File with an access token.
    pub(crate) token: Option<PathBuf>,
}

impl Client<'_> {
    /// Makes an account and gives its id; its access token is in the file `token` then. `partner` is what
    /// `selvedge partner create --json` printed.
    pub(crate) fn create_account(&self, partner: &Value, name: &str, token: &Path) -> Result<i64> {
        let created = self.send(
            "POST",
            "/v3/accounts",
            &json!({
                "partner_id": partner["partner_id"], "partner_secret": partner["partner_secret"],
                "first_name": "Ada", "last_name": "Byron", "company": "Acme",
                "email": format!("{name}@example.com"), "region": "us-east-1",
            }),
        )?;
        let secret = created["access_token"].as_str().context("no token")?;
        std::fs::write(token, secret)?;
        created["stitch_account_id"].as_i64().context("no account")
    }

    pub(crate) fn get(&self, path: &str) -> Result<Value> {
        self.ask("GET", path, None)
    }

    pub(crate) fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        self.ask(method, path, Some(body))
    }

    pub(crate) fn until(&self, path: &str, holds: impl Fn(&Value) -> bool) -> Result<()> {
        let started = Instant::now();
        loop {
            let found = self.get(path)?;
            if holds(&found) {
                return Ok(());
            }
            ensure!(started.elapsed() < PATIENCE, "{path} stays {found}");
            self.interrupts.pause(POLL)?;
        }
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let mut command = Command::new(self.load);
        command
            .args(["ask", "--method", method, "--url"])
            .arg(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            command.arg("--token").arg(token);
        }
        if let Some(body) = body {
            command.arg("--body").arg(body.to_string());
        }
        let text = self
            .interrupts
            .output(&mut command)
            .with_context(|| format!("{method} {path}"))?;
        Ok(serde_json::from_str(&text)?)
    }
}
