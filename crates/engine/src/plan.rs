//! Deciding what a run reads and where it goes: pure, from the catalogue, the user's choices and the positions.

use std::collections::HashMap;
use std::sync::Arc;

use selvedge_connector::{
    Catalog, ConnectorError, DiscoveredField, DiscoveredStream, ErrorKind, Field, LoadMode,
    ReadMethod, StreamIdentity, StreamRead, StreamSchema,
};
use selvedge_types::stream::{ReplicationMethod, field_replicates};

use crate::{StreamPosition, StreamState};

/// What the user chose for a stream.
#[derive(Clone, Debug, Default)]
pub struct StreamChoice {
    pub selected: bool,
    pub method: Option<ReplicationMethod>,
    pub replication_key: Option<String>,
    pub view_key_properties: Vec<String>,
    /// Explicit choices by field name; a field without one follows its default.
    pub fields: HashMap<String, bool>,
}

/// What holds for the source as a whole.
#[derive(Clone, Debug, Default)]
pub struct PlanSettings {
    /// Source id; 0 for a one-off copy.
    pub source_id: i64,
    /// Destination schema.
    pub schema_name: String,
    /// Tables are called `<schema>__<table>`.
    pub include_schema_in_table_name: bool,
    /// Method of selected streams that have none.
    pub default_method: Option<ReplicationMethod>,
}

/// A stream that will be copied.
#[derive(Clone, Debug)]
pub(crate) struct StreamPlan {
    pub(crate) read: StreamRead,
    pub(crate) identity: StreamIdentity,
    pub(crate) table_name: String,
    pub(crate) key: Vec<String>,
    pub(crate) mode: LoadMode,
    pub(crate) method: ReplicationMethod,
    /// The position belongs to another method or key: it is forgotten and a new epoch starts before reading.
    pub(crate) reset_first: bool,
    pub(crate) state: StreamState,
    pub(crate) row_estimate: Option<u64>,
    /// Lines for the log.
    pub(crate) notes: Vec<String>,
}

/// What becomes of a selected stream.
#[derive(Clone, Debug)]
pub(crate) enum Planned {
    Copy(Box<StreamPlan>),
    /// The job had finished the stream before it was interrupted.
    Finished {
        tap_stream_id: String,
        row_count: u64,
        size_bytes: u64,
    },
    /// Selected, but settings are missing: skipped, the rest runs.
    NotConfigured {
        tap_stream_id: String,
        reason: String,
    },
    /// Completely but wrongly configured: fails the job, the rest runs.
    Refused {
        table_name: String,
        error: ConnectorError,
    },
}

/// Plans every selected stream: what the job has finished already, then those without a position, then the others, each in
/// catalog order.
///
/// `job` names the job of the run. `resolve` gives the table's name in the destination, by which streams that would share a table are found.
pub(crate) fn plan(
    settings: &PlanSettings,
    job: &str,
    catalog: &Catalog,
    states: Vec<StreamState>,
    resolve: &dyn Fn(&str) -> String,
) -> Vec<Planned> {
    let mut states: HashMap<String, StreamState> = states
        .into_iter()
        .map(|state| (state.tap_stream_id.clone(), state))
        .collect();
    let mut owners: HashMap<String, String> = HashMap::new();
    let mut planned = Vec::new();
    for stream in &catalog.streams {
        let Some(state) = states
            .remove(&stream.tap_stream_id)
            .filter(|state| state.choice.selected)
        else {
            continue;
        };
        let table_name = if settings.include_schema_in_table_name {
            format!("{}__{}", stream.location.schema, stream.stream_name)
        } else {
            stream.stream_name.clone()
        };
        if let Some(owner) = owners.get(&resolve(&table_name)) {
            let error = ConnectorError::configuration(format!(
                "the streams {owner} and {} would both load into the table {table_name}; set \
                 include_schemas_in_destination_stream_name to \"true\" to keep them apart",
                stream.tap_stream_id
            ));
            planned.push((Turn::Later, Planned::Refused { table_name, error }));
            continue;
        }
        owners.insert(resolve(&table_name), stream.tap_stream_id.clone());
        let turn = match &state.position {
            Some(position) if position.complete || position.replication_key_value.is_some() => {
                Turn::Later
            }
            _ => Turn::Fresh,
        };
        let stream = plan_stream(settings, job, stream, state, table_name);
        let turn = match stream {
            Planned::Finished { .. } => Turn::Over,
            _ => turn,
        };
        planned.push((turn, stream));
    }
    planned.sort_by_key(|(turn, _)| *turn);
    planned.into_iter().map(|(_, planned)| planned).collect()
}

/// When a stream's turn comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Over,
    Fresh,
    Later,
}

fn plan_stream(
    settings: &PlanSettings,
    job: &str,
    stream: &DiscoveredStream,
    state: StreamState,
    table_name: String,
) -> Planned {
    let tap_stream_id = stream.tap_stream_id.clone();
    let Some(method) = state.choice.method.or(settings.default_method) else {
        return Planned::NotConfigured {
            tap_stream_id,
            reason: "no replication-method is set".to_owned(),
        };
    };
    let replication_key = state.choice.replication_key.clone();
    if method == ReplicationMethod::Incremental && replication_key.is_none() {
        return Planned::NotConfigured {
            tap_stream_id,
            reason: "no replication-key is set".to_owned(),
        };
    }
    if let Some(position) = &state.position
        && position.continues(method, replication_key.as_deref())
        && let Some(saved) = position.of_job(job, state.epoch)
        && saved.finished
    {
        return Planned::Finished {
            tap_stream_id,
            row_count: saved.row_count,
            size_bytes: saved.size_bytes,
        };
    }
    match configured(
        settings,
        stream,
        state,
        &table_name,
        method,
        replication_key,
    ) {
        Ok(plan) => Planned::Copy(Box::new(plan)),
        Err(error) => Planned::Refused {
            table_name,
            error: error.within(format!("stream {tap_stream_id}")),
        },
    }
}

fn configured(
    settings: &PlanSettings,
    stream: &DiscoveredStream,
    state: StreamState,
    table_name: &str,
    method: ReplicationMethod,
    replication_key: Option<String>,
) -> Result<StreamPlan, ConnectorError> {
    if method == ReplicationMethod::LogBased && stream.is_view {
        return Err(ConnectorError::configuration("It is a view."));
    }
    if !stream.methods.contains(&method) {
        return Err(ConnectorError::configuration(format!(
            "the replication method {} is not available for this stream in this build",
            method.as_str()
        )));
    }
    let mut notes = Vec::new();
    let key = key_fields(stream, &state.choice, &mut notes)?;
    let read_method = match (method, replication_key.clone()) {
        (ReplicationMethod::Incremental, Some(key)) => {
            check_replication_key(stream, &key)?;
            ReadMethod::Incremental { key, from: None }
        }
        _ => ReadMethod::FullTable,
    };
    let fields = replicated_fields(stream, &state.choice, &key, &read_method);
    let reset_first = state
        .position
        .as_ref()
        .is_some_and(|position| !position.continues(method, replication_key.as_deref()));
    let position = state.position.as_ref().filter(|_| !reset_first);
    let rebuild =
        reset_first || (state.epoch > 1 && !position.is_some_and(|position| position.complete));
    let mode = match method {
        ReplicationMethod::Incremental if !rebuild => LoadMode::Merge,
        _ => LoadMode::Replace,
    };
    let read_method = match read_method {
        // A rebuild that was cut short starts over, so it has no position to go on from.
        ReadMethod::Incremental { key, .. } if mode == LoadMode::Merge => {
            let from = position.and_then(StreamPosition::bound);
            ReadMethod::Incremental { key, from }
        }
        other => other,
    };
    Ok(StreamPlan {
        read: StreamRead {
            tap_stream_id: stream.tap_stream_id.clone(),
            location: stream.location.clone(),
            schema: StreamSchema::new(fields),
            method: read_method,
        },
        identity: StreamIdentity {
            source_id: settings.source_id,
            tap_stream_id: stream.tap_stream_id.clone(),
            epoch: state.epoch,
        },
        table_name: table_name.to_owned(),
        key,
        mode,
        method,
        reset_first,
        row_estimate: stream.row_count,
        state,
        notes,
    })
}

/// Primary key of a table, declared keys of a view. A key that cannot be replicated whole is no key.
fn key_fields(
    stream: &DiscoveredStream,
    choice: &StreamChoice,
    notes: &mut Vec<String>,
) -> Result<Vec<String>, ConnectorError> {
    let declared = if stream.is_view {
        &choice.view_key_properties
    } else {
        &stream.key_properties
    };
    let mut key: Vec<String> = Vec::new();
    for name in declared {
        match find(stream, name) {
            None => {
                return Err(ConnectorError::configuration(format!(
                    "the key field {name} does not exist"
                )));
            }
            Some(field) if field.logical_type.is_none() => {
                notes.push(format!(
                    "the key field {name} of {} has the unsupported type {}: the table is loaded without a key",
                    stream.tap_stream_id, field.sql_datatype
                ));
                return Ok(Vec::new());
            }
            Some(_) if key.contains(name) => {}
            Some(_) => key.push(name.clone()),
        }
    }
    Ok(key)
}

fn check_replication_key(stream: &DiscoveredStream, key: &str) -> Result<(), ConnectorError> {
    if stream.replication_keys.iter().any(|valid| valid == key) {
        return Ok(());
    }
    Err(match find(stream, key) {
        None => ConnectorError::configuration(format!("the replication key {key} does not exist")),
        Some(field) => ConnectorError::configuration(format!(
            "the replication key {key} cannot be used: [{}] is not a supported replication key type",
            field.sql_datatype
        )),
    })
}

/// Selected fields in source order. Keys and the replication key count as selected.
fn replicated_fields(
    stream: &DiscoveredStream,
    choice: &StreamChoice,
    key: &[String],
    method: &ReadMethod,
) -> Vec<Field> {
    let ordering = match method {
        ReadMethod::Incremental { key, .. } => Some(key),
        ReadMethod::FullTable => None,
    };
    let wanted = |field: &DiscoveredField| {
        let selected = choice.fields.get(&field.name).copied();
        key.contains(&field.name)
            || ordering == Some(&field.name)
            || field_replicates(field.inclusion, selected, Some(field.selected_by_default))
    };
    stream
        .fields
        .iter()
        .filter(|field| wanted(field))
        .filter_map(|field| {
            let logical_type = field.logical_type.clone()?;
            Some(Field::new(field.name.clone(), logical_type))
        })
        .collect()
}

fn find<'a>(stream: &'a DiscoveredStream, name: &str) -> Option<&'a DiscoveredField> {
    stream.fields.iter().find(|field| field.name == name)
}

impl StreamPlan {
    /// The schema shared by reader and writer.
    pub(crate) fn schema(&self) -> Arc<StreamSchema> {
        Arc::clone(&self.read.schema)
    }

    /// Reading goes on from a position that is newer than the one it was planned with.
    pub(crate) fn go_on_from(&mut self, position: StreamPosition) {
        if let ReadMethod::Incremental { from, .. } = &mut self.read.method {
            *from = position.bound();
        }
        self.state.position = Some(position);
    }
}

/// Errors that concern the whole connection, not one table.
pub(crate) fn concerns_connection(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Authentication
            | ErrorKind::Unreachable
            | ErrorKind::RateLimit
            | ErrorKind::Stopped
    )
}

#[cfg(test)]
mod tests;
