//! The streams of a source.

use selvedge_store::{sources, streams};
use selvedge_types::{AccountScope, SourceId, StreamId};
use serde_json::{Map, Value};

use super::stored::stream_metadata;
use crate::{Control, ControlError};

/// A stream as it stands in lists.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    pub id: StreamId,
    pub tap_stream_id: String,
    pub stream_name: String,
    /// `None` until the user has selected or de-selected it.
    pub selected: Option<bool>,
    /// Stream-level metadata, sorted, `selected` among it.
    pub metadata: Map<String, Value>,
}

/// What discovery found, by name and id; empty before the first discovery. [`ControlError::NotFound`] for a source that is
/// unknown or deleted.
pub async fn list(
    control: &Control,
    scope: AccountScope,
    source: SourceId,
) -> Result<Vec<Stream>, ControlError> {
    let mut tx = control.store().read().await?;
    sources::find(&mut tx, scope, source)
        .await?
        .filter(|source| source.deleted_at.is_none())
        .ok_or(ControlError::NotFound)?;
    let summaries = streams::list(&mut tx, scope, source).await?;
    drop(tx);
    let mut found = summaries
        .into_iter()
        .map(|summary| {
            let metadata = stream_metadata(&summary)?;
            Ok(Stream {
                id: summary.id,
                tap_stream_id: summary.tap_stream_id,
                stream_name: summary.stream_name,
                selected: metadata.selected(),
                metadata: metadata.stream_level(),
            })
        })
        .collect::<Result<Vec<_>, ControlError>>()?;
    found.sort_by(|left, right| (&left.stream_name, left.id).cmp(&(&right.stream_name, right.id)));
    Ok(found)
}
