//! A partner exchanges a code for an access token.

use selvedge_store::{authorization_codes, partners, tokens};
use selvedge_types::{AccountId, Secret};

use crate::{Control, ControlError};

/// The fields of a request; empty ones are `None`.
#[derive(Default)]
pub struct TokenRequest {
    pub grant_type: Option<String>,
    /// Identifies the partner by itself.
    pub client_secret: Option<Secret>,
    pub code: Option<Secret>,
    /// Need not be sent; has to belong to the secret when it is.
    pub client_id: Option<String>,
    /// Need not be sent; has to be the address that the code went to when it is.
    pub redirect_uri: Option<String>,
}

/// What the partner gets; the token is shown this once.
#[derive(Debug)]
pub struct ExchangedToken {
    pub account: AccountId,
    pub access_token: Secret,
}

/// Why there is no token, in the terms of RFC 6749, section 5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeProblem {
    #[error("a field is missing, repeated or malformed")]
    InvalidRequest,
    #[error("unknown client credentials")]
    InvalidClient,
    #[error("the code is unknown, expired, used, or of another partner")]
    InvalidGrant,
    #[error("the grant type is not authorization_code")]
    UnsupportedGrantType,
}

/// Makes a permanent access token to the account that let the partner in; earlier ones go on. The code is used up with the
/// commit of the token, so a request that fails may be repeated.
pub async fn exchange(
    control: &Control,
    request: TokenRequest,
) -> Result<ExchangedToken, ControlError> {
    let grant_type = request.grant_type.ok_or(ExchangeProblem::InvalidRequest)?;
    if grant_type != "authorization_code" {
        return Err(ExchangeProblem::UnsupportedGrantType.into());
    }
    let (Some(secret), Some(code)) = (request.client_secret, request.code) else {
        return Err(ExchangeProblem::InvalidRequest.into());
    };

    let now = control.now();
    let mut tx = control.store().begin().await?;
    let partner = partners::authenticate_by_secret(&mut tx, secret.expose())
        .await?
        .filter(|partner| request.client_id.is_none_or(|id| id == partner.id))
        .ok_or(ExchangeProblem::InvalidClient)?;
    let redeemed = authorization_codes::redeem(&mut tx, &partner.id, code.expose(), now)
        .await?
        .filter(|code| {
            request
                .redirect_uri
                .is_none_or(|uri| uri == code.redirect_uri)
        })
        .ok_or(ExchangeProblem::InvalidGrant)?;
    let (_, access_token) = tokens::mint(&mut tx, redeemed.scope, Some(&partner.id), now).await?;
    tx.commit().await?;
    let account = redeemed.scope.account();
    tracing::info!(account.id = account.0, partner.id = %partner.id, "authorization code exchanged");
    Ok(ExchangedToken {
        account,
        access_token,
    })
}

/// Forgets codes that work no more, of all accounts. The owner of the server calls it now and then.
pub async fn delete_expired(control: &Control) -> Result<(), ControlError> {
    let mut tx = control.store().begin().await?;
    authorization_codes::delete_expired(&mut tx, control.now()).await?;
    tx.commit().await?;
    Ok(())
}
