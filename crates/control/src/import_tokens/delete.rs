//! An access token of a source is revoked.

use selvedge_store::{import_tokens, sources as stored_sources};
use selvedge_types::{AccountScope, ImportTokenId, SourceId};

use super::pushed_source;
use crate::sources::Source;
use crate::{Control, ControlError};

/// Ends the token at once; the source counts as changed.
pub async fn delete(
    control: &Control,
    scope: AccountScope,
    source: SourceId,
    token: ImportTokenId,
) -> Result<Source, ControlError> {
    let now = control.now();
    let mut tx = control.store().begin().await?;
    let found = stored_sources::find_for_update(&mut tx, scope, source).await?;
    let mut record = pushed_source(control, source, found)?;
    if !import_tokens::revoke(&mut tx, scope, source, token, now).await? {
        return Err(ControlError::ImportTokenNotFound(token));
    }
    stored_sources::touch(&mut tx, scope, source, now).await?;
    record.updated_at = now;
    let source = Source::new(control, &mut tx, scope, record).await?;
    tx.commit().await?;
    tracing::info!(
        source.id = source.id.0,
        token.id = token.0,
        "import token revoked"
    );
    Ok(source)
}
