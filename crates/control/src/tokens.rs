//! Access tokens: who a caller is, and when a token was used last.

use selvedge_store::{ephemeral_tokens, tokens as stored};
use selvedge_types::{AccountScope, Secret, TokenId};
use sha2::{Digest as _, Sha256};

use crate::plans::TypeAccess;
use crate::remembered::{Moment, Remembered};
use crate::{Control, ControlError};

/// What a valid token proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    pub scope: AccountScope,
    /// The access token itself, or the one that made the ephemeral token.
    pub token: TokenId,
    pub kind: TokenKind,
    /// The types that the account's plan lets it connect.
    pub type_access: TypeAccess,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Works until it is revoked.
    Access,
    /// Made to start a web session; works for an hour.
    Ephemeral,
}

/// Whom a token acts for; `None` for whatever is no valid token, and when the account's plan has no access.
pub async fn authenticate(
    control: &Control,
    token: &Secret,
) -> Result<Option<Identity>, ControlError> {
    let (identities, moment) = (&control.identities().0, Moment::now(control));
    let digest = Sha256::digest(token.expose()).into();
    let found = match identities.recall(&digest, moment) {
        Some(identity) => Some(identity),
        None => {
            // Apart from what every request carries along: it is large, and seldom needed.
            let found = Box::pin(look_up(control, token)).await?;
            // An ephemeral token ends by the clock, not by a write.
            if let Some(identity) = found.filter(|found| found.kind == TokenKind::Access) {
                identities.remember(digest, identity, 1, moment);
            }
            found
        }
    };
    if let Some(identity) = found {
        control.token_use().note(identity.token, control.now());
    }
    Ok(found)
}

async fn look_up(control: &Control, token: &Secret) -> Result<Option<Identity>, ControlError> {
    let now = control.now();
    // A token is in one of two tables: neither look-up depends on the other.
    let mut tx = control.store().look_up().await?;
    let access = stored::authenticate(&mut tx, token.expose()).await?;
    let found = match access {
        Some(found) => Some((found, TokenKind::Access)),
        None => ephemeral_tokens::authenticate(&mut tx, token.expose(), now)
            .await?
            .map(|found| (found, TokenKind::Ephemeral)),
    };
    let Some((holder, kind)) = found else {
        return Ok(None);
    };
    let plans = &control.settings().plans;
    let features = plans.features(holder.plan.as_deref())?;
    if !features.api_access {
        return Ok(None);
    }
    let (token, scope) = (holder.token, holder.scope);
    Ok(Some(Identity {
        scope,
        token,
        kind,
        type_access: features.type_access(),
    }))
}

/// Access tokens that were found a moment ago.
#[derive(Debug)]
pub(crate) struct Identities(Remembered<[u8; 32], Identity>);

/// Tokens that are remembered at a time.
const MOST: usize = 4_096;

impl Default for Identities {
    fn default() -> Self {
        Self(Remembered::with_capacity(MOST))
    }
}

/// Writes down when tokens were used. The owner of the server calls it once a minute and when it stops.
pub async fn flush_use(control: &Control) -> Result<(), ControlError> {
    let write = async |uses: &[_]| {
        let mut tx = control.store().begin().await?;
        stored::touch(&mut tx, uses).await?;
        tx.commit().await
    };
    Ok(control.token_use().write_down(write).await?)
}
