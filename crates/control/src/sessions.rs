//! Starting a web session: the ephemeral token that an account's own screens trade for one.

use selvedge_store::ephemeral_tokens;
use selvedge_types::{AccountScope, Secret, TokenId};

use crate::{Control, ControlError};

/// How long an ephemeral token works.
const VALID_SECONDS: i64 = 60 * 60;

/// Makes a token that works for an hour and ends with the access token it is made with. Its text is shown this once. `None`
/// when that access token was revoked meanwhile.
pub async fn create_ephemeral(
    control: &Control,
    scope: AccountScope,
    maker: TokenId,
) -> Result<Option<Secret>, ControlError> {
    let now = control.now();
    let mut tx = control.store().begin().await?;
    let expires_at = now.plus_seconds(VALID_SECONDS);
    let token = ephemeral_tokens::mint(&mut tx, scope, maker, now, expires_at).await?;
    tx.commit().await?;
    Ok(token)
}

/// Forgets ephemeral tokens that work no more, of all accounts. The owner of the server calls it now and then.
pub async fn delete_expired(control: &Control) -> Result<(), ControlError> {
    let mut tx = control.store().begin().await?;
    ephemeral_tokens::delete_expired(&mut tx, control.now()).await?;
    tx.commit().await?;
    Ok(())
}
