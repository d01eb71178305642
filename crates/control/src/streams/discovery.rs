//! What discovery found is stored; what the user chose stays.

use selvedge_store::jobs::ClaimedJob;
use selvedge_store::streams::DiscoveredRow;
use selvedge_store::{Connection, jobs, sources as stored_sources, streams};
use serde_json::{Map, Value};

use crate::{Control, ControlError, sources};

/// A stream as discovery lists it.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamListing {
    /// Unique in the source and stable over time.
    pub tap_stream_id: String,
    pub stream_name: String,
    /// JSON Schema of the records.
    pub schema: Value,
    /// Stream-level metadata.
    pub metadata: Map<String, Value>,
    /// Metadata below the stream, by breadcrumb.
    pub fields: Vec<(Vec<String>, Map<String, Value>)>,
}

/// Makes `listings` the streams of the source that the job runs on. `false` when the job has lost its lease or the source is
/// gone: nothing is stored then.
pub async fn apply_discovery(
    control: &Control,
    job: &ClaimedJob,
    listings: Vec<StreamListing>,
) -> Result<bool, ControlError> {
    let Connection::Source(source) = job.connection else {
        return Ok(false);
    };
    let rows: Vec<DiscoveredRow> = listings.into_iter().map(row).collect();
    let mut tx = control.store().begin().await?;
    // The source before its jobs and streams, as everybody locks them.
    stored_sources::find_for_update(&mut tx, job.scope, source).await?;
    if !jobs::hold_lease(&mut tx, &job.name, job.fence).await?
        || !streams::replace_discovered(&mut tx, job.scope, source, &rows, control.now()).await?
    {
        return Ok(false);
    }
    sources::refresh(control, &mut tx, job.scope, source).await?;
    tx.commit().await?;
    Ok(true)
}

fn row(listing: StreamListing) -> DiscoveredRow {
    let entry = |(breadcrumb, metadata): (Vec<String>, Map<String, Value>)| {
        Value::Object(Map::from_iter([
            ("breadcrumb".to_owned(), breadcrumb.into()),
            ("metadata".to_owned(), metadata.into()),
        ]))
    };
    DiscoveredRow {
        tap_stream_id: listing.tap_stream_id,
        stream_name: listing.stream_name,
        schema: listing.schema,
        metadata: listing.metadata,
        field_metadata: listing.fields.into_iter().map(entry).collect(),
    }
}
