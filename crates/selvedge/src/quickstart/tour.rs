//! The way a platform goes through the API, step by step.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::Client;
use super::ends::{destination_body, replica, replica_table, selection, source_body};
use super::heading;
use super::shop::{Database, TABLES};
use crate::cli::QuickstartArguments;
use crate::serve::Server;
use crate::table::{grouped, render};

/// How long a check or a sync of the tour may take before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(300);
const POLL_EVERY: Duration = Duration::from_millis(100);

/// The way a platform goes through the API.
pub(super) struct Tour {
    client: Client,
    account: i64,
    source_id: i64,
    /// What the last job's log says of each stream.
    moved: HashMap<String, Moved>,
}

/// One stream's numbers in a job.
#[derive(Default)]
struct Moved {
    extracted: u64,
    loaded: u64,
    seconds: f64,
}

impl Tour {
    /// A tour that has not begun.
    pub(super) fn of(server: &Server) -> Self {
        Self {
            client: Client::new(server.url()),
            account: 0,
            source_id: 0,
            moved: HashMap::new(),
        }
    }

    /// The account that was created on the way.
    pub(super) fn account(&self) -> i64 {
        self.account
    }

    /// Goes the whole way: account, destination, source, selection, two syncs with changes in between, and comparisons.
    pub(super) async fn walk(
        &mut self,
        arguments: &QuickstartArguments,
        directory: &Path,
        source: &Database,
        (partner_id, partner_secret): (&str, &str),
    ) -> anyhow::Result<()> {
        heading("An account for a customer");
        let body = json!({
            "partner_id": partner_id, "partner_secret": partner_secret, "first_name": "Ada", "last_name": "Quick",
            "company": "Quickstart Shop", "email": "ada@shop.example", "region": "us-east-1",
        });
        let account = self
            .client
            .call(Method::POST, "/v3/accounts", Some(body), |answer| {
                format!("account {}, access token ac_…", answer["stitch_account_id"])
            })
            .await?;
        self.account = account["stitch_account_id"]
            .as_i64()
            .context("the answer has no account id")?;
        let token = account["access_token"]
            .as_str()
            .context("the answer has no access token")?;
        self.client.authenticate(token.to_owned());

        heading("A destination");
        let body = destination_body(arguments)?;
        let destination = self
            .client
            .call(Method::POST, "/v4/destinations", Some(body), |answer| {
                format!("destination {} of type {}", answer["id"], answer["type"])
            })
            .await?;
        self.await_check(&format!("/v4/destinations/{}", destination["id"]))
            .await?;

        heading("A source");
        let body = source_body(arguments, directory)?;
        let created = self
            .client
            .call(Method::POST, "/v4/sources", Some(body), |answer| {
                format!(
                    "source {}, now at step {}",
                    answer["id"], answer["report_card"]["current_step_type"]
                )
            })
            .await?;
        self.source_id = created["id"]
            .as_i64()
            .context("the answer has no source id")?;
        self.await_check(&format!("/v4/sources/{}", self.source_id))
            .await?;

        heading("Streams and fields");
        let path = format!("/v4/sources/{}/streams", self.source_id);
        let streams = self
            .client
            .call(Method::GET, &path, None, |answer| {
                names(answer, "stream_name")
            })
            .await?;
        let selection = selection(&streams, source)?;
        self.client
            .call(
                Method::PUT,
                &format!("{path}/metadata"),
                Some(selection),
                Value::to_string,
            )
            .await?;

        heading("The first sync");
        self.sync().await?;
        self.compare(arguments, directory, source).await?;

        heading("Some business, and the second sync");
        source.change().await?;
        println!("changed customers and orders, added orders, deleted items");
        self.sync().await?;
        self.compare(arguments, directory, source).await?;

        let replica = replica(arguments, directory).await?;
        let orders = replica_table(arguments, "orders");
        let returned = replica.returned_orders(&orders).await?;
        println!("\n  select count(*) from {orders} where status = 'returned';  →  {returned}");
        if returned == 0 {
            bail!("the changed orders did not arrive");
        }
        Ok(())
    }

    /// Waits until the connection's newest check has ended well.
    async fn await_check(&self, connection: &str) -> anyhow::Result<()> {
        let path = format!("{connection}/last-connection-check");
        println!("\n→ GET {path}  (until it has ended)");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let check = self.client.quietly(Method::GET, &path, None).await?;
            match check["status"].as_str() {
                Some("succeeded") => {
                    println!("← 200 status succeeded");
                    return Ok(());
                }
                Some("failed") => bail!(
                    "the connection check failed: {}",
                    check["discovery_error_message"]
                ),
                _ if Instant::now() > deadline => bail!("the connection check did not end"),
                _ => tokio::time::sleep(POLL_EVERY).await,
            }
        }
    }

    async fn sync(&mut self) -> anyhow::Result<()> {
        let path = format!("/v4/sources/{}/sync", self.source_id);
        let started = self.start_job(&path).await?;
        let job_name = started["job_name"]
            .as_str()
            .context("the answer has no job name")?
            .to_owned();
        let bar = progress_bar();
        let clock = Instant::now();
        loop {
            let progress = self.client.quietly(Method::GET, &path, None).await?;
            if progress.is_null() || progress["job_name"] != job_name.as_str() {
                break;
            }
            bar.set_position(progress["row_count"].as_u64().unwrap_or(0));
            if clock.elapsed() > PATIENCE {
                bail!("the job {job_name} did not end");
            }
            tokio::time::sleep(POLL_EVERY).await;
        }
        bar.finish_and_clear();
        let path = format!("/v4/{}/extractions", self.account);
        let essence = |answer: &Value| {
            let job = &answer["data"][0];
            format!(
                "discovery {}, tap {}, target {}",
                job["discovery_exit_status"], job["tap_exit_status"], job["target_exit_status"]
            )
        };
        let extractions = self.client.call(Method::GET, &path, None, essence).await?;
        let job = &extractions["data"][0];
        for phase in ["discovery", "tap", "target"] {
            if job[format!("{phase}_exit_status")] != json!(0) {
                bail!(
                    "the {phase} phase of {job_name} failed: {}",
                    job[format!("{phase}_description")]
                );
            }
        }
        let path = format!("/v4/{}/loads", self.account);
        self.client
            .call(Method::GET, &path, None, |answer| {
                names(&answer["data"], "stream_name")
            })
            .await?;
        let path = format!("/v4/{}/extractions/{job_name}", self.account);
        println!("\n→ GET {path}");
        let log = self.client.text(&path).await?;
        println!(
            "← 302, and behind it a log of {} lines",
            log.lines().count()
        );
        self.moved = moved(&log);
        Ok(())
    }

    /// Starts a job, or follows the one that the schedule has started in the meantime.
    async fn start_job(&self, path: &str) -> anyhow::Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        println!("\n→ POST {path}");
        loop {
            let answer = self.client.quietly(Method::POST, path, None).await?;
            if answer.get("job_name").is_some() {
                println!("← 200 {answer}");
                return Ok(answer);
            }
            if Instant::now() > deadline {
                bail!("no job could be started: {answer}");
            }
            // A scheduled run is under way; this one comes after it.
            tokio::time::sleep(POLL_EVERY).await;
        }
    }

    /// Holds every table of the replica against the source.
    async fn compare(
        &self,
        arguments: &QuickstartArguments,
        directory: &Path,
        source: &Database,
    ) -> anyhow::Result<()> {
        let replica = replica(arguments, directory).await?;
        let mut rows = Vec::new();
        let mut wrong = Vec::new();
        for (table, _) in TABLES {
            let expected = source
                .fingerprint(&format!("{}{table}", source.prefix()), table)
                .await?;
            let found = replica
                .fingerprint(&replica_table(arguments, table), table)
                .await?;
            let verdict = if expected == found {
                "the same"
            } else {
                "DIFFERENT"
            };
            if expected != found {
                wrong.push(table);
            }
            let count = |rows: i64| grouped(u64::try_from(rows).unwrap_or(0));
            let moved = self.moved.get(table);
            let moved = moved.with_context(|| format!("the log says nothing of {table}"))?;
            rows.push(vec![
                table.to_owned(),
                grouped(moved.extracted),
                grouped(moved.loaded),
                format!("{:.2}", moved.seconds),
                count(expected.row_count),
                count(found.row_count),
                verdict.to_owned(),
            ]);
        }
        let headings = [
            "stream",
            "extracted",
            "loaded",
            "seconds",
            "in the source",
            "in the destination",
            "content",
        ];
        println!("\n{}", render(&headings, &rows));
        if !wrong.is_empty() {
            bail!(
                "the destination differs from the source in {}",
                wrong.join(", ")
            );
        }
        Ok(())
    }
}

/// Reads the metric lines of a job's log.
fn moved(log: &str) -> HashMap<String, Moved> {
    let mut streams: HashMap<String, Moved> = HashMap::new();
    let metrics = log.lines().filter_map(|line| line.split_once("METRIC: "));
    for metric in metrics.filter_map(|(_, text)| serde_json::from_str::<Value>(text).ok()) {
        let Some(stream) = metric["tags"]["endpoint"].as_str() else {
            continue;
        };
        let moved = streams.entry(stream.to_owned()).or_default();
        match metric["metric"].as_str() {
            Some("record_count") => moved.extracted = metric["value"].as_u64().unwrap_or(0),
            Some("rows_written") => moved.loaded = metric["value"].as_u64().unwrap_or(0),
            Some("stream_duration") => moved.seconds = metric["value"].as_f64().unwrap_or(0.0),
            _ => {}
        }
    }
    streams
}

fn names(list: &Value, key: &str) -> String {
    let names: Vec<&str> = list
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|item| item[key].as_str())
        .collect();
    format!("{} entries: {}", names.len(), names.join(", "))
}

fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("  {spinner} {human_pos} rows  {per_sec}  {elapsed}");
    bar.set_style(style.expect("the template is a constant"));
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}
