//! One stream with its schema and fields.

use selvedge_store::{sources, streams};
use selvedge_types::{AccountScope, SourceId, StreamId};
use serde_json::Value;

use super::metadata::MetadataEntry;
use super::stored;
use crate::{Control, ControlError};

/// A stream's schema and metadata.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamSchema {
    /// JSON Schema of the records.
    pub schema: Value,
    /// The stream first, then by breadcrumb.
    pub metadata: Vec<MetadataEntry>,
}

/// The schema of a stream that discovery sees. [`ControlError::StreamNotFound`] also when the source is unknown or deleted.
pub async fn find(
    control: &Control,
    scope: AccountScope,
    source: SourceId,
    stream: StreamId,
) -> Result<StreamSchema, ControlError> {
    let mut tx = control.store().read().await?;
    sources::find(&mut tx, scope, source)
        .await?
        .filter(|source| source.deleted_at.is_none())
        .ok_or(ControlError::StreamNotFound(stream))?;
    let record = streams::find(&mut tx, scope, source, stream)
        .await?
        .ok_or(ControlError::StreamNotFound(stream))?;
    Ok(StreamSchema {
        metadata: stored::metadata(&record)?.entries(),
        schema: record.schema,
    })
}
