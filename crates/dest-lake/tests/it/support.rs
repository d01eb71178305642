//! Destinations to load into, rows to load, and what is in the objects afterwards.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use selvedge_connector::{
    Checkpoint, CommitReport, ConnectionConfig, Destination, Field, Instants, LoadContext,
    LoadMode, LogicalType, Sequences, ShapedBatch, StreamIdentity, StreamSchema, SystemValues,
    TableTarget,
};
use selvedge_dest_lake::LakeDestination;
use selvedge_net::{Dialer, NetworkPolicy};
use selvedge_testkit::clock::FakeClock;
use selvedge_types::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// When everything happens: 1927857906789 in keys.
pub(crate) const NOW: &str = "2031-02-03T04:05:06.789Z";

/// A directory and a destination that writes there.
pub(crate) struct Lake {
    directory: TempDir,
    pub(crate) destination: LakeDestination,
}

pub(crate) fn config(properties: &Value) -> ConnectionConfig {
    let properties = properties.as_object().expect("an object").clone();
    ConnectionConfig::new(properties)
}

impl Lake {
    /// `local_files` with these properties.
    pub(crate) fn new(properties: &Value) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("account");
        Self {
            destination: LakeDestination::local_files(&config(properties), root).unwrap(),
            directory,
        }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.directory.path().join("account")
    }

    /// Keys of all objects, without the commit marks.
    pub(crate) fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        walk(&self.root(), "", &mut keys);
        keys.retain(|key| !key.contains("_sdc_selvedge_commits"));
        keys.sort();
        keys
    }

    pub(crate) fn text(&self, key: &str) -> String {
        std::fs::read_to_string(self.root().join(key)).unwrap()
    }
}

fn walk(directory: &Path, prefix: &str, keys: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return;
    };
    for entry in entries {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let key = format!("{prefix}{name}");
        match entry.file_type().unwrap().is_dir() {
            true => walk(&entry.path(), &format!("{key}/"), keys),
            false => keys.push(key),
        }
    }
}

/// One run: all batches, then the end.
pub(crate) async fn load(
    destination: &LakeDestination,
    target: TableTarget,
    batches: Vec<ShapedBatch>,
) -> CommitReport {
    let mut writer = destination.open(context(1), target).await.unwrap();
    for batch in batches {
        writer.write(batch).await.unwrap();
    }
    writer.finish(checkpoint(1)).await.unwrap()
}

pub(crate) fn dialer(private: bool) -> Dialer {
    let policy = NetworkPolicy {
        private,
        ..NetworkPolicy::default()
    };
    Dialer::new(policy, Duration::from_secs(5))
}

pub(crate) fn context(fence: i64) -> LoadContext {
    LoadContext {
        dialer: dialer(true),
        clock: Arc::new(FakeClock::at(NOW)),
        stop: CancellationToken::new(),
        fence,
        run_seed: 42,
    }
}

pub(crate) fn checkpoint(number: i64) -> Checkpoint {
    Checkpoint {
        number,
        position: Some(format!("position {number}")),
    }
}

/// A merge into `shop.<table>`.
pub(crate) fn merge(table: &str, key: &[&str]) -> TableTarget {
    TableTarget {
        identity: StreamIdentity {
            source_id: 100_001,
            tap_stream_id: format!("db-public-{table}"),
            epoch: 1,
        },
        schema_name: "shop".to_owned(),
        table_name: table.to_owned(),
        schema: StreamSchema::new(Vec::new()),
        key: key.iter().map(|name| (*name).to_owned()).collect(),
        mode: LoadMode::Merge,
        table_version: 0,
    }
}

pub(crate) fn replace(table: &str, key: &[&str], version: i64) -> TableTarget {
    TableTarget {
        mode: LoadMode::Replace,
        table_version: version,
        ..merge(table, key)
    }
}

/// System values of a native source: everything at [`NOW`], sequences from `first`.
pub(crate) fn system(first: i64, table_version: i64) -> SystemValues {
    let now = Timestamp::parse(NOW).unwrap();
    SystemValues {
        extracted_at: Instants::Same(Some(now)),
        received_at: Instants::Same(Some(now)),
        batched_at: now,
        sequences: Sequences::From(first),
        table_version,
    }
}

/// A field by name, with `.` between the names on the way, and its values.
pub(crate) type Cells<'a> = (&'a str, Vec<Value>);

/// Fields whose type follows from the first value that is one: texts that are instants are text here.
pub(crate) fn columns(fields: &[Cells<'_>]) -> (Arc<StreamSchema>, RecordBatch) {
    let mut schema = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for (name, values) in fields {
        let sample = values.iter().find(|value| !value.is_null());
        let (logical_type, array): (LogicalType, ArrayRef) = match sample {
            Some(Value::Bool(_)) => (
                LogicalType::Boolean,
                Arc::new(values.iter().map(Value::as_bool).collect::<BooleanArray>()),
            ),
            Some(Value::Number(number)) if number.is_f64() => (
                LogicalType::Float64,
                Arc::new(values.iter().map(Value::as_f64).collect::<Float64Array>()),
            ),
            Some(Value::Number(_)) => (
                LogicalType::Int64,
                Arc::new(values.iter().map(Value::as_i64).collect::<Int64Array>()),
            ),
            Some(Value::Object(_) | Value::Array(_)) => {
                let texts = values
                    .iter()
                    .map(|value| (!value.is_null()).then(|| value.to_string()));
                (LogicalType::Json, Arc::new(texts.collect::<StringArray>()))
            }
            _ => (
                LogicalType::Text,
                Arc::new(values.iter().map(Value::as_str).collect::<StringArray>()),
            ),
        };
        let mut names = name.split('.').map(str::to_owned);
        let mut field = Field::new(names.next().unwrap(), logical_type);
        field.inside = names.collect();
        schema.push(field);
        arrays.push(array);
    }
    let schema = StreamSchema::new(schema);
    let records = RecordBatch::try_new(schema.arrow_schema(), arrays).unwrap();
    (schema, records)
}

pub(crate) fn batch(first_sequence: i64, fields: &[Cells<'_>]) -> ShapedBatch {
    let (schema, records) = columns(fields);
    ShapedBatch::of_columns(schema, records, system(first_sequence, 0))
}

/// The system members of a line taken away, after a look at them.
pub(crate) fn without_system(line: &str) -> Value {
    let mut object: Value = serde_json::from_str(line).unwrap();
    let members = object.as_object_mut().unwrap();
    for name in ["_sdc_extracted_at", "_sdc_received_at", "_sdc_batched_at"] {
        assert_eq!(
            members.shift_remove(name),
            Some(json!("2031-02-03T04:05:06.789000Z"))
        );
    }
    object
}

/// One column of every logical type, with a value, an extreme and a NULL in it, and how the two are printed.
pub(crate) fn every_type() -> Vec<(&'static str, LogicalType, ArrayRef, [&'static str; 2])> {
    use arrow_array::{
        BinaryArray, Date32Array, Decimal128Array, Decimal256Array, FixedSizeBinaryArray,
        Float32Array, Int16Array, Int32Array,
    };
    use arrow_buffer::i256;
    let uuid: [u8; 16] = [
        0xa0, 0xee, 0xbc, 0x99, 0x9c, 0x0b, 0x4e, 0xf8, 0xbb, 0x6d, 0x6b, 0xb9, 0xbd, 0x38, 0x0a,
        0x11,
    ];
    let texts = |a: &'static str, b: &'static str| -> ArrayRef {
        Arc::new(StringArray::from(vec![Some(a), Some(b), None]))
    };
    let decimal = |precision, scale| LogicalType::Decimal { precision, scale };
    let instants = || {
        TimestampMicrosecondArray::from(vec![
            Some(1_927_857_906_789_012),
            Some(-62_135_596_800_000_000),
            None,
        ])
    };
    let wide =
        i256::from_string("1234567890123456789012345678901234567890123456789012345678901234567890")
            .unwrap();
    vec![
        (
            "boolean",
            LogicalType::Boolean,
            Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])),
            ["true", "false"],
        ),
        (
            "int16",
            LogicalType::Int16,
            Arc::new(Int16Array::from(vec![Some(7), Some(i16::MIN), None])),
            ["7", "-32768"],
        ),
        (
            "int32",
            LogicalType::Int32,
            Arc::new(Int32Array::from(vec![Some(7), Some(i32::MIN), None])),
            ["7", "-2147483648"],
        ),
        (
            "int64",
            LogicalType::Int64,
            Arc::new(Int64Array::from(vec![Some(7), Some(i64::MIN), None])),
            ["7", "-9223372036854775808"],
        ),
        (
            "float32",
            LogicalType::Float32,
            Arc::new(Float32Array::from(vec![Some(0.1), Some(f32::MIN), None])),
            ["0.1", "-3.4028235e+38"],
        ),
        (
            "float64",
            LogicalType::Float64,
            Arc::new(Float64Array::from(vec![Some(1.0), Some(1e-300), None])),
            ["1.0", "1e-300"],
        ),
        (
            "decimal",
            decimal(20, 4),
            Arc::new(
                Decimal128Array::from(vec![Some(125_000), Some(-1), None])
                    .with_precision_and_scale(20, 4)
                    .unwrap(),
            ),
            ["12.5000", "-0.0001"],
        ),
        (
            "wide",
            decimal(76, 10),
            Arc::new(
                Decimal256Array::from(vec![Some(wide), Some(i256::ZERO), None])
                    .with_precision_and_scale(76, 10)
                    .unwrap(),
            ),
            [
                "123456789012345678901234567890123456789012345678901234567890.1234567890",
                "0.0000000000",
            ],
        ),
        (
            "digits",
            LogicalType::DecimalText,
            texts("-123456789012345678901234567890.50", "0"),
            ["-123456789012345678901234567890.50", "0"],
        ),
        (
            "text",
            LogicalType::Text,
            texts("plain", "größe 🧵"),
            ["plain", "größe 🧵"],
        ),
        (
            "at",
            LogicalType::Timestamp,
            Arc::new(instants()),
            ["2031-02-03T04:05:06.789012Z", "0001-01-01T00:00:00.000000Z"],
        ),
        (
            "day",
            LogicalType::Date,
            Arc::new(Date32Array::from(vec![Some(-1), Some(0), None])),
            ["1969-12-31", "1970-01-01"],
        ),
        (
            "zone",
            LogicalType::TimestampTz,
            Arc::new(instants().with_timezone("UTC")),
            ["2031-02-03T04:05:06.789012Z", "0001-01-01T00:00:00.000000Z"],
        ),
        (
            "uuid",
            LogicalType::Uuid,
            Arc::new(
                FixedSizeBinaryArray::try_from_sparse_iter_with_size(
                    [Some(uuid), Some([0; 16]), None].into_iter(),
                    16,
                )
                .unwrap(),
            ),
            [
                "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
                "00000000-0000-0000-0000-000000000000",
            ],
        ),
        (
            "bytes",
            LogicalType::Bytes,
            Arc::new(BinaryArray::from(vec![
                Some(&b"\x00\xff"[..]),
                Some(b""),
                None,
            ])),
            ["00ff", ""],
        ),
        (
            "json",
            LogicalType::Json,
            texts("{ \"a\" : [1.50, null] }", "\"x\""),
            ["{\"a\":[1.50,null]}", "\"x\""],
        ),
        (
            "items",
            LogicalType::JsonArray {
                item: Box::new(LogicalType::Int32),
            },
            texts("[1, 2]", "[]"),
            ["[1,2]", "[]"],
        ),
        (
            "array",
            LogicalType::Array {
                item: Box::new(LogicalType::Text),
            },
            texts("{a,NULL}", "{}"),
            ["{a,NULL}", "{}"],
        ),
    ]
}

/// All of them as one batch of three rows.
pub(crate) fn batch_of_every_type() -> ShapedBatch {
    let columns = every_type();
    let schema = StreamSchema::new(
        columns
            .iter()
            .map(|(name, logical_type, ..)| Field::new(*name, logical_type.clone()))
            .collect(),
    );
    let arrays = columns.into_iter().map(|(_, _, array, _)| array).collect();
    let records = RecordBatch::try_new(schema.arrow_schema(), arrays).unwrap();
    ShapedBatch::of_columns(schema, records, system(100, 0))
}
