//! What a partner asks a user for, judged before anybody is asked or sent anywhere.

use selvedge_store::{ReadTx, partners};
use selvedge_types::AccountId;

use crate::ControlError;
use crate::text::storable;

/// A request that may be put before a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    pub partner_id: String,
    pub partner_name: String,
    /// Registered with the partner.
    pub redirect_uri: String,
}

/// Why nobody is asked. The user stays here: an address that is not registered is sent nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationProblem {
    #[error("there is no such partner, or it is disabled")]
    UnknownPartner,
    #[error("the redirect URI is not one that the partner has registered")]
    UnregisteredRedirect,
    #[error("the partner has registered no redirect URI")]
    NoRedirect,
    #[error("there is no account {0}")]
    UnknownAccount(AccountId),
}

/// Judges a request by the partner's id and the address it wants the user back at; its first registered one by default.
pub async fn find_authorization(
    tx: &mut ReadTx,
    partner_id: &str,
    redirect_uri: Option<&str>,
) -> Result<Authorization, ControlError> {
    let partner = if storable(partner_id) {
        partners::find(tx, partner_id).await?
    } else {
        None
    };
    let partner = partner
        .filter(|partner| partner.disabled_at.is_none())
        .ok_or(AuthorizationProblem::UnknownPartner)?;
    let mut registered = partner.redirect_uris.into_iter();
    let redirect_uri = match redirect_uri {
        None => registered.next().ok_or(AuthorizationProblem::NoRedirect)?,
        Some(asked) => registered
            .find(|uri| uri == asked)
            .ok_or(AuthorizationProblem::UnregisteredRedirect)?,
    };
    Ok(Authorization {
        partner_id: partner.id,
        partner_name: partner.name,
        redirect_uri,
    })
}
