//! What is wrong with what a tap says, and what this engine makes of it.

use std::collections::{BTreeMap, HashMap};

use selvedge_connector::{
    ConnectorError, Nesting, Tap, TapCatalog, TapContext, TapEvent, TapRead, TapRecords, TapSchema,
    TapSelection, tap_channel,
};
use selvedge_shape::json::JsonShaper;
use serde_json::Value;
use serde_json::value::RawValue;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// A job with this tap fails.
    Fault,
    /// Against the contract, or not loadable as it is; a job goes on and makes something of it.
    Repaired,
    /// Allowed, but worth knowing.
    Advice,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    /// The stream that it is about; none for the tap as a whole.
    pub stream: Option<String>,
    /// What was found, and what becomes of it. Without values of records.
    pub text: String,
    /// How often.
    pub count: u64,
}

/// What a run of a tap came to.
#[derive(Clone, Debug, Default)]
pub struct LintReport {
    /// The worst first.
    pub findings: Vec<Finding>,
    /// Records by stream.
    pub records: BTreeMap<String, u64>,
    pub state_count: u64,
}

/// Lets a tap read, and looks at everything that it says. Nothing is loaded.
///
/// # Errors
/// The tap could not be started, or was stopped. What it does wrong is in the report.
pub async fn lint(
    tap: std::sync::Arc<dyn Tap>,
    context: TapContext,
    catalog: &TapCatalog,
    selected: Vec<TapSelection>,
    state: Option<Value>,
) -> Result<LintReport, ConnectorError> {
    let mut lint = Lint::new(catalog, &selected);
    let read = TapRead {
        document: catalog.document.clone(),
        selected,
        state,
    };
    let (sender, mut events) = tap_channel(4);
    let reader = tokio::spawn(async move { tap.read(context, read, sender).await });
    while let Some(event) = events.recv().await {
        lint.see(&event);
    }
    let ended = reader
        .await
        .map_err(|error| ConnectorError::internal(format!("the tap's reader crashed: {error}")))?;
    Ok(lint.finish(ended.err()))
}

/// Findings of one kind, by stream and text.
type Counts = BTreeMap<(Severity, Option<String>, String), u64>;

struct Lint {
    /// Keys by the name in messages; none for streams that the catalogue does not have.
    offered: HashMap<String, Option<Vec<String>>>,
    selected: Vec<String>,
    streams: Vec<Stream>,
    counts: Counts,
    records: BTreeMap<String, u64>,
    state_count: u64,
    records_since_state: u64,
}

struct Stream {
    schema: TapSchema,
    shaper: JsonShaper,
    /// Versions that came and were not activated.
    open_versions: Vec<i64>,
}

impl Lint {
    fn new(catalog: &TapCatalog, selected: &[TapSelection]) -> Self {
        let mut lint = Self {
            offered: HashMap::new(),
            selected: Vec::new(),
            streams: Vec::new(),
            counts: Counts::new(),
            records: BTreeMap::new(),
            state_count: 0,
            records_since_state: 0,
        };
        for stream in &catalog.streams {
            let level = stream
                .metadata
                .iter()
                .find(|entry| entry.breadcrumb.is_empty());
            let key = level.and_then(|entry| entry.metadata.get("table-key-properties"));
            let key = key.and_then(|key| serde_json::from_value(key.clone()).ok());
            if key.is_none() {
                lint.note(
                    Severity::Advice,
                    Some(&stream.stream_name),
                    "the catalogue names no key (table-key-properties)",
                );
            }
            if selected
                .iter()
                .any(|it| it.tap_stream_id == stream.tap_stream_id)
            {
                lint.selected.push(stream.stream_name.clone());
            }
            lint.offered.insert(stream.stream_name.clone(), key);
        }
        lint
    }

    fn note(&mut self, severity: Severity, stream: Option<&str>, text: impl Into<String>) {
        let key = (severity, stream.map(str::to_owned), text.into());
        *self.counts.entry(key).or_default() += 1;
    }

    fn see(&mut self, event: &TapEvent) {
        match event {
            TapEvent::Schema(schema) => self.see_schema(schema),
            TapEvent::Records(records) => self.see_records(records),
            TapEvent::ActivateVersion { stream, version } => {
                let known = self
                    .streams
                    .iter_mut()
                    .find(|it| it.schema.stream == *stream);
                match known {
                    Some(known) => known.open_versions.retain(|open| open > version),
                    None => self.note(
                        Severity::Repaired,
                        Some(stream),
                        "ACTIVATE_VERSION before SCHEMA: it is ignored",
                    ),
                }
            }
            TapEvent::State(state) => self.see_state(state),
            TapEvent::Fault(error) => self.note(Severity::Fault, None, error.to_string()),
        }
    }

    fn see_schema(&mut self, schema: &TapSchema) {
        let name = schema.stream.to_string();
        match self.offered.get(&name) {
            None => self.note(
                Severity::Repaired,
                Some(&name),
                "not in the catalogue: it is loaded without having been selected",
            ),
            Some(Some(key)) if *key != schema.key_properties => self.note(
                Severity::Repaired,
                Some(&name),
                format!(
                    "SCHEMA has the key {:?}, the catalogue {key:?}: that of SCHEMA counts",
                    schema.key_properties
                ),
            ),
            Some(_) => {}
        }
        if self.offered.contains_key(&name) && !self.selected.contains(&name) {
            let text = "not selected, but read: it is loaded nevertheless";
            self.note(Severity::Repaired, Some(&name), text);
        }
        let properties = schema.schema.get("properties").and_then(Value::as_object);
        if properties.is_none_or(serde_json::Map::is_empty) {
            let text = "SCHEMA declares no properties: columns are typed by their values";
            self.note(Severity::Advice, Some(&name), text);
        }
        let shaper = JsonShaper::with_schema(
            Nesting::Subtables,
            "the destination",
            &schema.key_properties,
            &schema.schema,
        );
        let described = Stream {
            schema: schema.clone(),
            shaper,
            open_versions: Vec::new(),
        };
        match self
            .streams
            .iter_mut()
            .find(|it| it.schema.stream == schema.stream)
        {
            Some(known) => {
                *known = described;
                let text = "SCHEMA changes while the tap runs: what waits is written first";
                self.note(Severity::Advice, Some(&name), text);
            }
            None => self.streams.push(described),
        }
    }

    fn see_records(&mut self, records: &TapRecords) {
        for (record, text) in records.iter() {
            self.records_since_state += 1;
            let Some(stream) = self.streams.get_mut(record.stream as usize) else {
                continue;
            };
            let name = stream.schema.stream.to_string();
            *self.records.entry(name.clone()).or_default() += 1;
            if let Some(version) = record.version
                && !stream.open_versions.contains(&version)
            {
                stream.open_versions.push(version);
            }
            let mut found = Vec::new();
            match stream.shaper.push(text) {
                Ok(true) => {}
                Ok(false) => found.push((
                    Severity::Repaired,
                    "records that cannot be loaded: they go to _sdc_rejected".to_owned(),
                )),
                Err(malformed) => found.push((Severity::Fault, malformed.to_string())),
            }
            for _ in 0..stream.shaper.take_not_finite() {
                let text = "NaN or Infinity, which JSON does not know: NULL".to_owned();
                found.push((Severity::Repaired, text));
            }
            found.extend(members(&stream.schema, text));
            if stream.shaper.is_full() || stream.shaper.size_bytes() > 1 << 20 {
                stream.shaper = JsonShaper::with_schema(
                    Nesting::Subtables,
                    "the destination",
                    &stream.schema.key_properties,
                    &stream.schema.schema,
                );
            }
            if record.extracted_at.is_none() {
                let text = "no time_extracted that is an instant: _sdc_extracted_at is NULL";
                found.push((Severity::Advice, text.to_owned()));
            }
            for (severity, text) in found {
                self.note(severity, Some(&name), text);
            }
        }
    }

    fn see_state(&mut self, state: &RawValue) {
        self.state_count += 1;
        self.records_since_state = 0;
        let value: Option<Value> = serde_json::from_str(state.get()).ok();
        let bookmarks = value.as_ref().and_then(|value| value.get("bookmarks"));
        if !bookmarks.is_some_and(Value::is_object) {
            let text =
                "STATE without bookmarks by stream: while one stream is held up, none advances";
            self.note(Severity::Advice, None, text);
        }
    }

    fn finish(mut self, error: Option<ConnectorError>) -> LintReport {
        if let Some(error) = error {
            self.note(Severity::Fault, None, error.to_string());
        }
        for stream in std::mem::take(&mut self.streams) {
            let name = stream.schema.stream.to_string();
            for version in stream.open_versions {
                let text = format!(
                    "version {version} was not activated: if it is not the table's first one, its rows are not seen"
                );
                self.note(Severity::Advice, Some(&name), text);
            }
        }
        let records: u64 = self.records.values().sum();
        if self.state_count == 0 && records > 0 {
            let text = "no STATE: every job reads everything";
            self.note(Severity::Advice, None, text);
        } else if self.records_since_state > 0 {
            let text = format!(
                "{} records behind the last STATE: the next job reads them again",
                self.records_since_state
            );
            self.note(Severity::Advice, None, text);
        }
        let finding = |((severity, stream, text), count)| Finding {
            severity,
            stream,
            text,
            count,
        };
        LintReport {
            findings: self.counts.into_iter().map(finding).collect(),
            records: self.records,
            state_count: self.state_count,
        }
    }
}

/// What there is to say of a record's members: its key, and what the schema does not declare.
fn members(schema: &TapSchema, text: &str) -> Vec<(Severity, String)> {
    // A record that only our own scanner reads (NaN) was spoken of already.
    let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(text) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for key in &schema.key_properties {
        if members.get(key).is_none_or(|value| value.get() == "null") {
            let text = format!("records without a value for the key {key}: they are not loaded");
            found.push((Severity::Repaired, text));
        }
    }
    let declared = schema.schema.get("properties").and_then(Value::as_object);
    if let Some(declared) = declared.filter(|declared| !declared.is_empty()) {
        for name in members.keys().filter(|name| !declared.contains_key(*name)) {
            let text = format!("{name} is not in the schema: its column is typed by its values");
            found.push((Severity::Advice, text));
        }
    }
    found
}
