//! When rows were last received: what sources that others push to have in place of extractions.

use selvedge_store::sources;
use selvedge_types::{AccountScope, SourceId, Timestamp};

use crate::{Control, ControlError};

/// Rows of the source were accepted.
pub fn note_received(control: &Control, scope: AccountScope, source: SourceId, at: Timestamp) {
    control.received().note((scope, source), at);
}

/// Writes down when rows were received. The owner of the server calls it every few seconds and when it stops; a server that is
/// killed forgets what came since.
pub async fn flush_received(control: &Control) -> Result<(), ControlError> {
    let write = async |received: &[_]| {
        let mut tx = control.store().begin().await?;
        sources::note_received(&mut tx, received).await?;
        tx.commit().await
    };
    Ok(control.received().write_down(write).await?)
}
