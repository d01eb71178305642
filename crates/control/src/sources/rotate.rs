//! Settings that a source's own program replaced while it ran: rotated tokens above all.

use selvedge_catalog::{Properties, Property};
use selvedge_store::sources;
use selvedge_types::{AccountScope, SourceId};
use serde_json::{Map, Value};

use super::source::type_of;
use crate::{Control, ControlError};

/// Keeps the new values of properties that the program may replace: those that the catalogue marks as such, and
/// credentials, of which callers name none but those that the program is known to replace. `known` is what it was started with: a value that
/// somebody has changed since stays as it is, because the program's comes from the older one. Answers with the names of the
/// properties that were kept.
///
/// No lease is asked for. The value that a run replaced is worth nothing any more, also to whoever has taken over from it.
pub async fn keep_rotated(
    control: &Control,
    scope: AccountScope,
    id: SourceId,
    known: &Properties,
    changed: &Map<String, Value>,
) -> Result<Vec<String>, ControlError> {
    let mut tx = control.store().begin().await?;
    let found = sources::find_for_update(&mut tx, scope, id).await?;
    let Some(mut record) = found.filter(|record| record.deleted_at.is_none()) else {
        return Ok(Vec::new());
    };
    let connection_type = type_of(control, &record)?;
    let mut kept = Vec::new();
    for (name, value) in changed {
        let property = connection_type.property(name);
        let may = |property: &&Property| property.is_tap_mutable() || property.is_credential();
        let Some(property) = property.filter(may) else {
            continue;
        };
        let is_credential = property.is_credential();
        let stored = match is_credential {
            true => record.credentials.expose(name),
            false => record.properties.get(name),
        };
        if stored != known.get(name) {
            continue;
        }
        match is_credential {
            true => record.credentials.set(name.clone(), value.clone()),
            false => drop(record.properties.insert(name.clone(), value.clone())),
        }
        kept.push(name.clone());
    }
    if !kept.is_empty() {
        sources::update(&mut tx, scope, &record, control.now()).await?;
        tx.commit().await?;
    }
    Ok(kept)
}
