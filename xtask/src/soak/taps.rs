//! `cargo xtask soak --taps`: popular types of the catalogue, installed and asked for their streams; written as `docs/taps.md`.
//!
//! There are no accounts to read from, so an honest answer without credentials is all that can be shown for most: the tap starts, takes
//! the configuration that Selvedge makes of a connection's properties, and says in words what is wrong with its credentials.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value, json};

use crate::interrupts::Interrupts;
use crate::python;
use crate::workspace;

const REPORT: &str = "docs/taps.md";
const HEAD: &str = include_str!("taps_head.md");
const SOURCE_TYPES: &str = "crates/catalog/data/source-types.json";
/// Seconds in which a tap must have answered.
const PATIENCE: &str = "90";

/// Types that many people ask for.
const TYPES: [&str; 22] = [
    "platform.asana",
    "platform.chargebee",
    "platform.facebook",
    "platform.freshdesk",
    "platform.github",
    "platform.gitlab",
    "platform.google-analytics",
    "platform.hubspot",
    "platform.intercom",
    "platform.jira",
    "platform.klaviyo",
    "platform.mailchimp",
    "platform.pipedrive",
    "platform.salesforce",
    "platform.shopify",
    "platform.slack",
    "platform.square",
    "platform.stripe",
    "platform.trello",
    "platform.typeform",
    "platform.xero",
    "platform.zendesk",
];

pub(super) fn run(interrupts: &Interrupts) -> Result<ExitCode> {
    let root = workspace::root().canonicalize()?;
    let mut build = workspace::cargo();
    build.args(["build", "--package", "selvedge"]);
    ensure!(interrupts.run(&mut build)?.success(), "it does not build");

    let survey = Survey {
        folder: root.join("target/taps-survey"),
        binary: workspace::debug_binary("selvedge"),
        catalogue: serde_json::from_str(&fs::read_to_string(root.join(SOURCE_TYPES))?)?,
    };
    fs::create_dir_all(&survey.folder)?;
    let python = python::base(interrupts)?.display().to_string();
    let settings = format!("[taps]\npython = {}\n", json!(python));
    fs::write(survey.folder.join("selvedge.toml"), settings)?;

    let mut report = HEAD.to_owned();
    for type_name in TYPES {
        eprintln!("{type_name}");
        let row = survey.row(type_name, interrupts)?;
        report.push_str(&row);
        // Each at once: it takes long, and what is known is known.
        fs::write(root.join(REPORT), &report)?;
    }
    eprintln!("{REPORT} is written");
    Ok(ExitCode::SUCCESS)
}

struct Survey {
    folder: PathBuf,
    binary: PathBuf,
    catalogue: Vec<Value>,
}

impl Survey {
    /// A line of the report's last table.
    fn row(&self, type_name: &str, interrupts: &Interrupts) -> Result<String> {
        let out = self.folder.join("installed.json");
        let mut install = Command::new(&self.binary);
        install
            .args(["taps", "install", type_name, "--json", "--data-dir"])
            .arg(&self.folder)
            .arg("--config")
            .arg(self.folder.join("selvedge.toml"))
            .stdout(File::create(&out)?);
        interrupts.run(&mut install)?;
        let installed: Value = serde_json::from_str(&fs::read_to_string(&out)?)
            .with_context(|| format!("{type_name} was not installed, and not refused"))?;
        let text = |key: &str| installed[key].as_str().unwrap_or_default().to_owned();
        let (package, version) = (text("package"), text("version"));
        let (installs, discovers) = match installed["installed"] == true {
            false => (cell(&text("error")), String::new()),
            true => {
                let environment = self
                    .folder
                    .join(format!("taps/environments/{package}-{version}"));
                (
                    "yes".to_owned(),
                    self.discover(type_name, &environment, interrupts)?,
                )
            }
        };
        let mut row = String::new();
        writeln!(
            row,
            "| `{type_name}` | {package} {version} | {installs} | {discovers} |"
        )?;
        Ok(row)
    }

    /// What a tap says when it is asked for its streams with credentials that nobody has.
    fn discover(
        &self,
        type_name: &str,
        environment: &Path,
        interrupts: &Interrupts,
    ) -> Result<String> {
        let marker = fs::read_to_string(environment.join("selvedge.json"))?;
        let marker: Value = serde_json::from_str(&marker)?;
        let script = marker["script"].as_str().context("a script")?;
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("config.json");
        fs::write(
            &config,
            Value::Object(self.properties(type_name)?).to_string(),
        )?;
        let (out, err) = (folder.path().join("out"), folder.path().join("err"));
        let mut discover = Command::new("timeout");
        discover
            .arg(PATIENCE)
            .arg(environment.join("bin/python"))
            .arg(environment.join("bin").join(script))
            .arg("--config")
            .arg(&config)
            .arg("--discover")
            .current_dir(folder.path())
            // Made-up credentials are nobody's business: no request leaves this machine.
            .env("HTTPS_PROXY", "http://127.0.0.1:9")
            .env("HTTP_PROXY", "http://127.0.0.1:9")
            .stdin(Stdio::null())
            .stdout(File::create(&out)?)
            .stderr(File::create(&err)?);
        let status = interrupts.run(&mut discover)?;
        let said = fs::read(&err)?;
        let said = String::from_utf8_lossy(&said);
        let catalogue: Option<Value> = serde_json::from_slice(&fs::read(&out)?).ok();
        let streams = catalogue
            .as_ref()
            .and_then(|found| found["streams"].as_array());
        Ok(match (streams, status.code()) {
            (Some(streams), Some(0)) => format!("{} streams, without asking", streams.len()),
            (_, Some(124)) => format!("no answer within {PATIENCE} seconds"),
            _ => last_words(&said),
        })
    }

    /// Every property of the form, with a value that has its shape.
    fn properties(&self, type_name: &str) -> Result<Map<String, Value>> {
        let named = |found: &&Value| found["type"] == type_name;
        let found = self.catalogue.iter().find(named).context("a type")?;
        let steps = found["steps"].as_array().into_iter().flatten();
        let properties = steps
            .filter_map(|step| step["properties"].as_array())
            .flatten();
        let named = properties.filter_map(|property| property["name"].as_str());
        let mut properties: Map<String, Value> = named
            .map(|name| (name.to_owned(), placeholder(name)))
            .collect();
        properties.insert("user_agent".to_owned(), "Selvedge".into());
        Ok(properties)
    }
}

fn placeholder(name: &str) -> Value {
    let text = match name {
        "start_date" => "2024-01-01T00:00:00Z",
        "repository" => "acme/shop",
        _ if name.contains("url") => "https://shop.example.com",
        _ if name.contains("email") => "ada@example.com",
        _ if name.starts_with("is_") || name.contains("include_") => "false",
        _ if name.ends_with("_days") || name.contains("window") => "28",
        _ => "none",
    };
    text.into()
}

/// The line in which a tap says why it ends.
fn last_words(said: &str) -> String {
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
    let critical = lines().rev().find(|line| line.starts_with("CRITICAL"));
    let clean = critical.and_then(|line| line.strip_prefix("CRITICAL"));
    match (clean, lines().next_back()) {
        (Some(clean), _) => format!("says: {}", cell(clean)),
        (None, Some(last)) => format!("crashes: {}", cell(last)),
        (None, None) => "ends without a word".to_owned(),
    }
}

/// Text for a cell of a table: one line, not too long.
fn cell(text: &str) -> String {
    const LONGEST: usize = 220;
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ").replace('|', "\\|").replace('<', "&lt;");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_end_and_a_crash_are_told_apart() {
        let clean = "INFO start\nCRITICAL 401 | bad token\nTraceback:\nValueError: x";
        assert_eq!(last_words(clean), "says: 401 \\| bad token");
        assert_eq!(
            last_words("Traceback:\nKeyError: 'x'\n"),
            "crashes: KeyError: 'x'"
        );
        assert_eq!(last_words(""), "ends without a word");
        assert!(cell(&"ü".repeat(500)).ends_with(" …"));
    }
}
