//! Addresses of incoming webhooks. The address is the credential: it holds a token, which is shown once. Two may be in use at a
//! time, so that one can replace the other without a gap.

use selvedge_catalog::{Catalog, Category};
use selvedge_store::import_tokens::{self, ImportTokenRecord};
use selvedge_store::sources::{self, SourceRecord};
use selvedge_store::{ReadTx, Tx};
use selvedge_types::{AccountScope, ImportTokenId, Secret, SourceId, Timestamp};

use crate::ControlError;
use crate::import_tokens::MAX_ACTIVE;

/// An address, shown this once.
#[derive(Debug)]
pub struct CreatedWebhook {
    pub id: ImportTokenId,
    /// Path on this server, with the token in it.
    pub path: Secret,
}

/// Makes an address for the source.
///
/// # Errors
/// The account has no such live source, it takes no webhooks, or it has two addresses already.
pub async fn create(
    tx: &mut Tx,
    scope: AccountScope,
    source: SourceId,
    now: Timestamp,
) -> Result<CreatedWebhook, ControlError> {
    // Held, so that two requests at once cannot both make the last address.
    let found = sources::find_for_update(tx, scope, source).await?;
    webhook_source(source, found)?;
    if import_tokens::list_active(tx, scope, source).await?.len() >= MAX_ACTIVE {
        return Err(ControlError::ImportTokenLimit(source));
    }
    let (id, token) = import_tokens::mint(tx, scope, source, now)
        .await?
        .ok_or(ControlError::SourceNotFound(source))?;
    Ok(CreatedWebhook {
        id,
        path: Secret::new(format!("/v2/webhooks/{}", token.expose())),
    })
}

/// The source's addresses in use, newest first.
///
/// # Errors
/// The account has no such live source, or it takes no webhooks.
pub async fn list(
    tx: &mut ReadTx,
    scope: AccountScope,
    source: SourceId,
) -> Result<Vec<ImportTokenRecord>, ControlError> {
    webhook_source(source, sources::find(tx, scope, source).await?)?;
    Ok(import_tokens::list_active(tx, scope, source).await?)
}

/// Ends an address at once: what is sent to it is refused, and lost.
///
/// # Errors
/// The account has no such live source, it takes no webhooks, or it has no such address.
pub async fn revoke(
    tx: &mut Tx,
    scope: AccountScope,
    source: SourceId,
    id: ImportTokenId,
    now: Timestamp,
) -> Result<(), ControlError> {
    webhook_source(source, sources::find(tx, scope, source).await?)?;
    match import_tokens::revoke(tx, scope, source, id, now).await? {
        true => Ok(()),
        false => Err(ControlError::ImportTokenNotFound(id)),
    }
}

fn webhook_source(id: SourceId, found: Option<SourceRecord>) -> Result<(), ControlError> {
    let source = found
        .filter(|source| source.deleted_at.is_none())
        .ok_or(ControlError::SourceNotFound(id))?;
    let connection_type = Catalog::global().source_type(&source.source_type);
    match connection_type.is_some_and(|found| found.category() == Category::Webhook) {
        true => Ok(()),
        false => Err(ControlError::NoWebhooks(id)),
    }
}
