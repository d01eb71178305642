//! The user chooses streams, fields and how they replicate.

use std::collections::{HashMap, HashSet};

use selvedge_catalog::StepType;
use selvedge_store::{jobs, sources as stored_sources, streams, tap_positions};
use selvedge_types::job::JobMode;
use selvedge_types::{AccountScope, SourceId};

use super::reset::stop_running;
use super::stored::{self, stored_choices};
use super::{MetadataUpdate, metadata::StreamMetadata};
use crate::properties::Held;
use crate::{Control, ControlError, sources};

/// Applies an update, all of it or nothing. A stream whose method, replication key or view keys change starts over; a job
/// that runs meanwhile goes on with what it was started with, unless it has to make way for that; the next one is due at
/// once.
///
/// The source is judged before the update, which therefore may be a refusal already.
pub async fn update_metadata(
    control: &Control,
    scope: AccountScope,
    source: SourceId,
    update: Result<MetadataUpdate, ControlError>,
) -> Result<(), ControlError> {
    let mut tx = control.store().begin().await?;
    let record = stored_sources::find_for_update(&mut tx, scope, source)
        .await?
        .filter(|record| record.deleted_at.is_none())
        .ok_or(ControlError::NotFound)?;
    let update = update?;

    // Before its settings are complete and discovered, no stream of a source is known.
    let connection_type = sources::type_of(control, &record)?;
    let held = Held::new(&record.properties, &record.credentials);
    let selectable = connection_type.has_step(StepType::FieldSelection)
        && connection_type.can_be_checked(held.stored())
        && record.discovered_at.is_some();
    let mut known: HashMap<String, StreamMetadata> = HashMap::new();
    // A stream that no job has read yet has nothing to start over.
    let running = jobs::active(&mut tx, scope, source.into(), JobMode::Sync)
        .await?
        .is_some();
    let mut begun: HashSet<String> = HashSet::new();
    if selectable {
        // However many names were sent, only those that there are cost a look-up, and each of them one.
        let listed = streams::list_tap_stream_ids(&mut tx, scope, source).await?;
        let named: HashSet<&str> = update.tap_stream_ids().collect();
        // A tap's position spans its streams.
        let of_tap = tap_positions::find(&mut tx, scope, source).await?;
        let read_by_tap = |id: &str| {
            let streams = of_tap.as_ref().and_then(|position| position.get("streams"));
            streams.is_some_and(|streams| streams.get(id).is_some())
        };
        for id in listed.iter().filter(|id| named.contains(id.as_str())) {
            let found = streams::find_by_tap_stream_id(&mut tx, scope, source, id).await?;
            if let Some(record) = found {
                known.insert(id.clone(), stored::metadata(&record)?);
                if running || record.position.is_some() || read_by_tap(id) {
                    begun.insert(id.clone());
                }
            }
        }
    }

    let before = known.clone();
    let changed = update.apply(&mut known)?;
    let starts_over =
        |id: &String| begun.contains(id) && before[id].replication() != known[id].replication();
    let resets = changed.iter().any(starts_over);
    if resets {
        stop_running(control, &mut tx, scope, source).await?;
    }
    for id in &changed {
        let new = &known[id];
        if before[id].chosen != new.chosen {
            streams::set_choices(&mut tx, scope, source, id, &stored_choices(&new.chosen)).await?;
        }
        if starts_over(id) {
            streams::reset(&mut tx, scope, source, id).await?;
        }
    }
    if resets {
        stored_sources::mark_reset(&mut tx, scope, source, control.now()).await?;
    }
    sources::refresh(control, &mut tx, scope, source).await?;
    tx.commit().await?;
    Ok(())
}
