//! How far the configuration of a source has come.

use selvedge_catalog::{ConnectionType, SetupFacts, StepType};
use selvedge_store::ReadTx;
use selvedge_store::sources::SourceRecord;
use selvedge_types::AccountScope;

use crate::{ControlError, streams};

/// The facts the setup depends on besides the properties.
pub(crate) async fn facts(
    tx: &mut ReadTx,
    scope: AccountScope,
    connection_type: &ConnectionType,
    record: &SourceRecord,
) -> Result<SetupFacts, ControlError> {
    let discovered = record.discovered_at.is_some();
    Ok(SetupFacts {
        discovered,
        selection_complete: discovered
            && connection_type.has_step(StepType::FieldSelection)
            && streams::any_replicates(tx, scope, record.id).await?,
    })
}
