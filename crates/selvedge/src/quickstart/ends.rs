//! The two ends of the tour: what the API is told about them, and where to look afterwards.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::shop::{Database, TABLES};
use crate::cli::QuickstartArguments;
use crate::sync::Endpoint;

pub(super) fn destination_body(arguments: &QuickstartArguments) -> anyhow::Result<Value> {
    let Some(url) = &arguments.destination else {
        return Ok(json!({ "type": "sqlite", "properties": {} }));
    };
    let endpoint = Endpoint::parse(url).context("--destination")?;
    Ok(json!({ "type": "postgres", "properties": endpoint.destination_properties()? }))
}

pub(super) fn source_body(
    arguments: &QuickstartArguments,
    directory: &Path,
) -> anyhow::Result<Value> {
    let (kind, mut properties) = match &arguments.source {
        None => (
            "platform.sqlite",
            json!({ "path": directory.join("shop.db") }),
        ),
        Some(url) => (
            "platform.hp-postgres",
            Endpoint::parse(url)
                .context("--source")?
                .source_properties()?,
        ),
    };
    properties["frequency_in_minutes"] = json!("1440");
    Ok(json!({ "type": kind, "display_name": "Shop", "properties": properties }))
}

/// Selects the shop's tables: orders by the time of their last change, the others in full.
pub(super) fn selection(streams: &Value, source: &Database) -> anyhow::Result<Value> {
    let schema = if source.prefix().is_empty() {
        "main"
    } else {
        "shop"
    };
    let mut selected = Vec::new();
    for (table, key) in TABLES {
        let stream = streams
            .as_array()
            .into_iter()
            .flatten()
            .find(|stream| {
                stream["stream_name"] == table && stream["metadata"]["schema-name"] == schema
            })
            .with_context(|| format!("the source does not list the table {table}"))?;
        let mut metadata = json!({ "selected": true, "replication-method": "FULL_TABLE" });
        if let Some(key) = key {
            metadata["replication-method"] = json!("INCREMENTAL");
            metadata["replication-key"] = json!(key);
        }
        selected.push(json!({
            "tap_stream_id": stream["tap_stream_id"],
            "metadata": [{ "breadcrumb": [], "metadata": metadata }],
        }));
    }
    Ok(json!({ "streams": selected }))
}

pub(super) async fn replica(
    arguments: &QuickstartArguments,
    directory: &Path,
) -> anyhow::Result<Database> {
    match &arguments.destination {
        Some(url) => Database::postgres(url).await.context("--destination"),
        None => Ok(Database::Sqlite(warehouse(directory)?)),
    }
}

/// The one warehouse file in the data directory.
pub(super) fn warehouse(directory: &Path) -> anyhow::Result<PathBuf> {
    let warehouses = directory.join("selvedge-data").join("warehouses");
    let files = std::fs::read_dir(&warehouses)
        .with_context(|| format!("{} is missing", warehouses.display()))?;
    for file in files {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "db") {
            return Ok(path);
        }
    }
    bail!("there is no warehouse in {}", warehouses.display())
}

pub(super) fn replica_table(arguments: &QuickstartArguments, table: &str) -> String {
    match &arguments.destination {
        Some(_) => format!("shop.{table}"),
        None => format!("shop__{table}"),
    }
}
