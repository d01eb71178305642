//! What follows for a source whose account may not use cron expressions any more.

use selvedge_catalog::Catalog;
use selvedge_store::{Tx, sources};
use selvedge_types::{AccountScope, SourceId, Timestamp};
use serde_json::Value;

use crate::ControlError;

/// Takes the source's cron expression away, puts it back to the frequency of its type and pauses it: a schedule that nobody
/// has chosen must not start by itself. The user unpauses it. `false` when there is nothing to take away.
pub(super) async fn take_away(
    tx: &mut Tx,
    scope: AccountScope,
    id: SourceId,
    now: Timestamp,
) -> Result<bool, ControlError> {
    let Some(mut source) = sources::find_for_update(tx, scope, id).await? else {
        return Ok(false);
    };
    if source.deleted_at.is_some() || source.properties.shift_remove("cron_expression").is_none() {
        return Ok(false);
    }
    let default_minutes = Catalog::global()
        .source_type(&source.source_type)
        .and_then(|source_type| source_type.default_scheduling_interval());
    if let Some(minutes) = default_minutes {
        source.properties.insert(
            "frequency_in_minutes".to_owned(),
            Value::String(minutes.to_string()),
        );
    }
    source.system_paused_at.get_or_insert(now);
    source.waits_for_user = true;
    source.ready_at = None;
    sources::update(tx, scope, &source, now).await?;
    tracing::info!(
        source.id = id.0,
        "source lost its cron expression with its account's plan, and is paused"
    );
    Ok(true)
}
