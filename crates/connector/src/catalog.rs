//! What discovery finds in a source.

use selvedge_types::stream::{Inclusion, ReplicationMethod};
use serde_json::{Map, Value};

use crate::{LogicalType, StreamLocation};

/// Most streams one source may have; more is an error that names the limit.
pub const MAX_STREAMS: usize = 10_000;

/// Everything a source offers, in the source's own order.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    pub streams: Vec<DiscoveredStream>,
}

/// One table, view or collection.
#[derive(Clone, Debug)]
pub struct DiscoveredStream {
    /// Unique in the source and stable over time, for example `shop-public-orders`.
    pub tap_stream_id: String,
    /// The table's own name; not unique over schemas.
    pub stream_name: String,
    pub location: StreamLocation,
    pub is_view: bool,
    /// An estimate; `None` where the source has none.
    pub row_count: Option<u64>,
    /// Primary key fields in key order; empty for views and keyless tables.
    pub key_properties: Vec<String>,
    /// Fields that may serve as replication key.
    pub replication_keys: Vec<String>,
    /// Methods this stream can be read with.
    pub methods: Vec<ReplicationMethod>,
    pub fields: Vec<DiscoveredField>,
    /// Further stream-level metadata, passed through untouched.
    pub extra_metadata: Map<String, Value>,
}

/// One column.
#[derive(Clone, Debug)]
pub struct DiscoveredField {
    pub name: String,
    /// The source's name for the type, for example `numeric(12,2)`.
    pub sql_datatype: String,
    pub inclusion: Inclusion,
    /// `None` exactly when the field is unsupported.
    pub logical_type: Option<LogicalType>,
    /// JSON Schema of the field as taps write it, for example `{"type":["null","integer"],"minimum":…}`.
    pub json_schema: Value,
    pub selected_by_default: bool,
}

/// What a connector can do, as data: the engine and the conformance suite ask it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    pub full_table: bool,
    pub incremental: bool,
    pub log_based: bool,
    pub views: bool,
}
