//! The file's tables and views as a catalogue. Reads SQLite's own tables only.

use std::path::Path;

use rusqlite::Connection;
use selvedge_connector::{
    Catalog, ConnectorError, DiscoveredField, DiscoveredStream, LogicalType, MAX_STREAMS,
    StreamLocation, TypeFidelity,
};
use selvedge_types::stream::{Inclusion, ReplicationMethod};
use serde_json::Map;

use crate::declared::{declared_scale, json_schema, logical_type};
use crate::error::explain;
use crate::structure::{self, Table, TableColumn};

/// SQLite's name for the schema of the file that was opened.
const SCHEMA: &str = "main";

/// Lists everything in the file. `path` is the configured one: its stem is the database's name in stream ids, and these
/// stay the same when a symbolic link is pointed at another file.
pub(crate) fn discover(
    connection: &Connection,
    path: &Path,
    fidelity: TypeFidelity,
) -> Result<Catalog, ConnectorError> {
    let database = path
        .file_stem()
        .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let tables = structure::tables(connection).map_err(|error| explain(&error))?;
    if tables.len() > MAX_STREAMS {
        return Err(ConnectorError::configuration(format!(
            "the SQLite file has {} tables and views, more than the {MAX_STREAMS} that one source may have",
            tables.len()
        )));
    }
    let mut streams = Vec::with_capacity(tables.len());
    for table in tables {
        match structure::columns(connection, &table.name) {
            Ok(columns) => {
                let row_count = if table.is_view {
                    None
                } else {
                    structure::row_count(connection, &table.name)
                        .map_err(|error| explain(&error))?
                };
                streams.push(stream(&database, table, &columns, row_count, fidelity));
            }
            // A view on something that is gone cannot be described, and nobody can read it.
            Err(error) if table.is_view => {
                tracing::info!(view = %table.name, %error, "left out a view that cannot be read");
            }
            Err(error) => return Err(explain(&error)),
        }
    }
    Ok(Catalog { streams })
}

fn stream(
    database: &str,
    table: Table,
    columns: &[TableColumn],
    row_count: Option<u64>,
    fidelity: TypeFidelity,
) -> DiscoveredStream {
    let mut key: Vec<&TableColumn> = columns
        .iter()
        .filter(|column| column.key_place > 0)
        .collect();
    key.sort_by_key(|column| column.key_place);
    // A key column that cannot be replicated, or that may hold anything, identifies no row elsewhere.
    let usable = |column: &&TableColumn| {
        !column.declared.trim().is_empty() && logical_type(&column.declared, fidelity).is_some()
    };
    if !key.iter().all(usable) {
        key.clear();
    }
    let key_properties: Vec<String> = key.iter().map(|column| column.name.clone()).collect();
    let fields: Vec<DiscoveredField> = columns
        .iter()
        .map(|column| field(column, key_properties.contains(&column.name), fidelity))
        .collect();
    let replication_keys = fields
        .iter()
        .filter(|field| {
            matches!(
                field.logical_type,
                Some(
                    LogicalType::Int64
                        | LogicalType::Timestamp
                        | LogicalType::TimestampTz
                        | LogicalType::Date
                )
            )
        })
        .map(|field| field.name.clone())
        .collect();
    DiscoveredStream {
        tap_stream_id: format!("{database}-{SCHEMA}-{}", table.name),
        stream_name: table.name.clone(),
        location: StreamLocation {
            database: database.to_owned(),
            schema: SCHEMA.to_owned(),
            table: table.name,
        },
        is_view: table.is_view,
        row_count,
        key_properties,
        replication_keys,
        methods: vec![ReplicationMethod::FullTable, ReplicationMethod::Incremental],
        fields,
        extra_metadata: Map::new(),
    }
}

fn field(column: &TableColumn, in_key: bool, fidelity: TypeFidelity) -> DiscoveredField {
    let logical_type = logical_type(&column.declared, fidelity);
    let inclusion = match &logical_type {
        None => Inclusion::Unsupported,
        Some(_) if in_key => Inclusion::Automatic,
        Some(_) => Inclusion::Available,
    };
    DiscoveredField {
        name: column.name.clone(),
        sql_datatype: column.declared.clone(),
        inclusion,
        json_schema: json_schema(logical_type.as_ref(), declared_scale(&column.declared)),
        selected_by_default: logical_type.is_some(),
        logical_type,
    }
}
