//! The live destinations of an account.

use selvedge_store::destinations;
use selvedge_types::{AccountScope, DestinationId, SourceId};

use super::Destination;
use crate::{Control, ControlError};

/// Which destinations are asked for; every condition counts.
#[derive(Clone, Debug, Default)]
pub struct DestinationFilter {
    /// Mapped from each of these sources, if it is live.
    pub mapped_from: Vec<SourceId>,
    /// Having each of these ids.
    pub ids: Vec<DestinationId>,
}

/// Live destinations that match, in the order of their ids.
pub async fn list(
    control: &Control,
    scope: AccountScope,
    filter: &DestinationFilter,
) -> Result<Vec<Destination>, ControlError> {
    let mut tx = control.store().read().await?;
    let mut records = destinations::list(&mut tx, scope).await?;
    records.retain(|record| filter.ids.iter().all(|id| *id == record.id));
    for source in &filter.mapped_from {
        let mapped_to = destinations::find_for_source(&mut tx, scope, *source).await?;
        let mapped_to = mapped_to.map(|record| record.id);
        records.retain(|record| Some(record.id) == mapped_to);
    }
    drop(tx);
    records
        .into_iter()
        .map(|record| Destination::new(control, record))
        .collect()
}
