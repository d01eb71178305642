//! Looking at sources, deleted ones included.

use selvedge_store::sources::{self, NewestSync, SourceRecord};
use selvedge_types::{AccountScope, SourceId};

use super::Source;
use super::schedule::NewestRun;
use super::source::known_facts;
use crate::{Control, ControlError};

/// The source, also when it is paused or deleted.
pub async fn find(
    control: &Control,
    scope: AccountScope,
    id: SourceId,
) -> Result<Option<Source>, ControlError> {
    let mut tx = control.store().look_up().await?;
    let Some(found) = sources::find_with_newest(&mut tx, scope, id).await? else {
        return Ok(None);
    };
    drop(tx);
    if let Some(source) = complete(control, found)? {
        return Ok(Some(source));
    }
    // Its streams have to be looked at as well, at the same instant.
    let mut tx = control.store().read().await?;
    match sources::find(&mut tx, scope, id).await? {
        Some(record) => Source::new(control, &mut tx, scope, record).await.map(Some),
        None => Ok(None),
    }
}

/// All sources of the account, in the order of their ids.
pub async fn list(control: &Control, scope: AccountScope) -> Result<Vec<Source>, ControlError> {
    let mut tx = control.store().look_up().await?;
    let found = sources::list_with_newest(&mut tx, scope).await?;
    drop(tx);
    let complete = found.into_iter().map(|found| complete(control, found));
    if let Some(sources) = complete.collect::<Result<Option<Vec<_>>, _>>()? {
        return Ok(sources);
    }
    let mut tx = control.store().read().await?;
    let found = sources::list_with_newest(&mut tx, scope).await?;
    let mut all = Vec::with_capacity(found.len());
    for (record, newest) in found {
        all.push(
            Source::after(control, &mut tx, scope, record, newest.map(NewestRun::from)).await?,
        );
    }
    Ok(all)
}

/// The source, if its record tells everything that is shown.
fn complete(
    control: &Control,
    (record, newest): (SourceRecord, Option<NewestSync>),
) -> Result<Option<Source>, ControlError> {
    known_facts(&record)
        .map(|facts| Source::with(control, record, facts, newest.map(NewestRun::from)))
        .transpose()
}
