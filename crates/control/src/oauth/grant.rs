//! A partner is let into an account, by whoever may say so: it gets a code.

use selvedge_store::{Tx, accounts, authorization_codes};
use selvedge_types::{AccountId, AccountScope, Secret, Timestamp};

use super::callback;
use super::{Authorization, AuthorizationProblem};
use crate::ControlError;

/// How long a code waits for its exchange.
const VALID_SECONDS: i64 = 5 * 60;

/// The answer to a partner's request.
#[derive(Debug)]
pub struct Granted {
    /// Shown this once.
    pub code: Secret,
    /// The registered address with the code: where the user goes next.
    pub callback: Secret,
    pub expires_at: Timestamp,
}

/// Makes a code for an account. `state` is the partner's own and goes back as it was sent. Commit before telling anybody.
pub async fn grant(
    tx: &mut Tx,
    authorization: &Authorization,
    account: AccountId,
    state: Option<&str>,
    now: Timestamp,
) -> Result<Granted, ControlError> {
    if accounts::find(tx, account)
        .await?
        .is_none_or(|account| account.deleted_at.is_some())
    {
        return Err(AuthorizationProblem::UnknownAccount(account).into());
    }
    let Authorization {
        partner_id,
        redirect_uri,
        ..
    } = authorization;
    let scope = AccountScope::of(account);
    let expires_at = now.plus_seconds(VALID_SECONDS);
    let code =
        authorization_codes::mint(tx, scope, partner_id, redirect_uri, now, expires_at).await?;
    let callback = Secret::new(callback::accepted(redirect_uri, code.expose(), state));
    Ok(Granted {
        code,
        callback,
        expires_at,
    })
}
