//! What a job is to replicate.

use selvedge_store::streams::StreamRecord;
use selvedge_store::{ReadTx, streams};
use selvedge_types::{AccountScope, SourceId, StreamId};
use serde_json::Value;

use super::metadata::StreamMetadata;
use super::stored::{self, stream_metadata};
use crate::{Control, ControlError};

/// A stream that the user wants.
#[derive(Clone, Debug, PartialEq)]
pub struct SelectedStream {
    pub id: StreamId,
    pub tap_stream_id: String,
    pub stream_name: String,
    /// JSON Schema of the records, as discovered.
    pub schema: Value,
    pub metadata: StreamMetadata,
    /// How far reading got, in the form the job stored it; `None` to read from the beginning.
    pub position: Option<Value>,
    /// Which life of the stream this is; saving a position names it.
    pub epoch: i64,
}

/// The streams that replicate, in the order in which discovery first saw them.
pub async fn selection(
    control: &Control,
    scope: AccountScope,
    source: SourceId,
) -> Result<Vec<SelectedStream>, ControlError> {
    let mut tx = control.store().read().await?;
    let mut selected = Vec::new();
    for id in selected_ids(&mut tx, scope, source).await? {
        let Some(record) = streams::find(&mut tx, scope, source, id).await? else {
            continue;
        };
        let metadata = stored::metadata(&record)?;
        if metadata.replicates() {
            selected.push(selected_stream(record, metadata));
        }
    }
    Ok(selected)
}

/// Whether a job would replicate anything.
pub(crate) async fn any_replicates(
    tx: &mut ReadTx,
    scope: AccountScope,
    source: SourceId,
) -> Result<bool, ControlError> {
    for id in selected_ids(tx, scope, source).await? {
        if let Some(record) = streams::find(tx, scope, source, id).await?
            && stored::metadata(&record)?.replicates()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Schemas are large, so only those of selected streams are read.
async fn selected_ids(
    tx: &mut ReadTx,
    scope: AccountScope,
    source: SourceId,
) -> Result<Vec<StreamId>, ControlError> {
    let mut ids = Vec::new();
    for summary in streams::list(tx, scope, source).await? {
        if stream_metadata(&summary)?.selected() == Some(true) {
            ids.push(summary.id);
        }
    }
    Ok(ids)
}

fn selected_stream(record: StreamRecord, metadata: StreamMetadata) -> SelectedStream {
    SelectedStream {
        id: record.id,
        tap_stream_id: record.tap_stream_id,
        stream_name: record.stream_name,
        schema: record.schema,
        metadata,
        position: record.position,
        epoch: record.epoch,
    }
}
