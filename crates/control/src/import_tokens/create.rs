//! A source gets an access token.

use selvedge_store::{import_tokens, sources};
use selvedge_types::{AccountScope, ImportTokenId, Secret, SourceId};

use super::pushed_source;
use crate::{Control, ControlError};

/// Active tokens that a source may have: one in use, and one to replace it.
pub(crate) const MAX_ACTIVE: usize = 2;

/// A new token; its text is shown this once.
#[derive(Debug)]
pub struct CreatedImportToken {
    pub id: ImportTokenId,
    pub access_token: Secret,
}

/// Makes a token that works for this source only.
pub async fn create(
    control: &Control,
    scope: AccountScope,
    source: SourceId,
) -> Result<CreatedImportToken, ControlError> {
    let mut tx = control.store().begin().await?;
    // Held, so that two requests at once cannot both make the last token.
    let found = sources::find_for_update(&mut tx, scope, source).await?;
    pushed_source(control, source, found)?;
    let active = import_tokens::list_active(&mut tx, scope, source).await?;
    if active.len() >= MAX_ACTIVE {
        return Err(ControlError::ImportTokenLimit(source));
    }
    let (id, access_token) = import_tokens::mint(&mut tx, scope, source, control.now())
        .await?
        .ok_or(ControlError::SourceNotFound(source))?;
    tx.commit().await?;
    tracing::info!(
        source.id = source.0,
        token.id = id.0,
        "import token created"
    );
    Ok(CreatedImportToken { id, access_token })
}
