//! What a job needs to know about a destination.

use selvedge_catalog::Properties;
use selvedge_store::destinations;
use selvedge_types::{AccountScope, DestinationId};

use crate::{Control, ControlError, properties};

/// A destination as its connector gets it. There is no `Debug`: the properties hold credentials.
pub struct RunSettings {
    pub type_name: String,
    /// Everything, credentials included: the caller keeps them out of sight.
    pub properties: Properties,
}

/// The settings of a live destination; `None` when there is none.
pub async fn settings_for_run(
    control: &Control,
    scope: AccountScope,
    id: DestinationId,
) -> Result<Option<RunSettings>, ControlError> {
    let mut tx = control.store().read().await?;
    let found = destinations::find(&mut tx, scope, id).await?;
    Ok(found
        .filter(|record| record.deleted_at.is_none())
        .map(|record| RunSettings {
            properties: properties::all(record.properties, &record.credentials),
            type_name: record.destination_type,
        }))
}
