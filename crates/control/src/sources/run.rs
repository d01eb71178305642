//! What a job needs to know about a source.

use selvedge_catalog::Properties;
use selvedge_store::sources;
use selvedge_types::{AccountScope, DestinationId, SourceId};

use super::source::type_of;
use crate::{Control, ControlError, properties};

/// A source as its connector gets it. There is no `Debug`: the properties hold credentials.
pub struct RunSettings {
    pub type_name: String,
    /// Schema in the destination.
    pub name: String,
    pub destination_id: Option<DestinationId>,
    /// Everything, credentials included: the caller keeps them out of sight.
    pub properties: Properties,
    /// Whether the type has streams to discover.
    pub discovers: bool,
}

/// The settings of a live source; `None` when there is none.
pub async fn settings_for_run(
    control: &Control,
    scope: AccountScope,
    id: SourceId,
) -> Result<Option<RunSettings>, ControlError> {
    let mut tx = control.store().read().await?;
    let Some(record) = sources::find(&mut tx, scope, id)
        .await?
        .filter(|record| record.deleted_at.is_none())
    else {
        return Ok(None);
    };
    let connection_type = type_of(control, &record)?;
    Ok(Some(RunSettings {
        discovers: connection_type.has_step(selvedge_catalog::StepType::DiscoverSchema),
        name: record.name,
        destination_id: record.destination_id,
        properties: properties::all(record.properties, &record.credentials),
        type_name: record.source_type,
    }))
}
