//! Who calls: the access token in the `Authorization` header.

use axum::extract::FromRequestParts;
use http::header::AUTHORIZATION;
use http::request::Parts;
use selvedge_control::tokens::{self, Identity, TokenKind};
use selvedge_types::{AccountId, AccountScope, Secret, TokenId};

use crate::{ApiError, AppState};

/// A caller that has proved to act for an account and has not asked too often. As the first argument of a handler it
/// answers 401, then 429, before anything else is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller(pub(crate) AccountScope);

impl Caller {
    /// The scope, where the path names the account: any other account than the token's is 401.
    pub(crate) fn scope_of(self, account: AccountId) -> Result<AccountScope, ApiError> {
        if self.0.account() == account {
            Ok(self.0)
        } else {
            Err(ApiError::Unauthorized)
        }
    }
}

/// A caller with an access token of its own: an ephemeral token, which an access token made, is answered with 401.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenOwner(pub(crate) AccountScope, pub(crate) TokenId);

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        Ok(Self(identity(parts, state).await?.scope))
    }
}

impl FromRequestParts<AppState> for TokenOwner {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        let identity = identity(parts, state).await?;
        match identity.kind {
            TokenKind::Access => Ok(Self(identity.scope, identity.token)),
            TokenKind::Ephemeral => Err(ApiError::Unauthorized),
        }
    }
}

/// Whom the request acts for, as a valid token proves it.
pub(crate) async fn identity(parts: &mut Parts, state: &AppState) -> Result<Identity, ApiError> {
    if let Some(identity) = parts.extensions.get::<Identity>() {
        return Ok(*identity);
    }
    let token = parts
        .headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(credentials)
        .ok_or(ApiError::Unauthorized)?;
    let identity = tokens::authenticate(&state.control, &token)
        .await?
        .ok_or(ApiError::Unauthorized)?;
    tracing::Span::current().record("account.id", identity.scope.account().0);
    if let Some(limit) = &state.request_limit {
        limit.count(identity.token)?;
    }
    // A layer that has asked already spares the handler the look-up, and the request is counted once.
    parts.extensions.insert(identity);
    Ok(identity)
}

/// The token of `Bearer <token>` (any case, also with a colon) or of a bare `<token>`.
fn credentials(header: &str) -> Option<Secret> {
    let header = header.trim();
    let token = match header.split_once(|character: char| character.is_ascii_whitespace()) {
        Some((scheme, token)) => {
            let scheme = scheme.strip_suffix(':').unwrap_or(scheme);
            scheme
                .eq_ignore_ascii_case("bearer")
                .then(|| token.trim())?
        }
        None => header,
    };
    (!token.is_empty()).then(|| Secret::new(token))
}

#[cfg(test)]
mod tests {
    use super::credentials;

    #[test]
    fn the_documented_forms_carry_the_token() {
        for header in [
            "Bearer ac_1",
            "bearer ac_1",
            "BEARER   ac_1 ",
            "Bearer: ac_1",
            "ac_1",
        ] {
            let token = credentials(header);
            assert_eq!(
                token.as_ref().map(|token| token.expose()),
                Some("ac_1"),
                "{header:?}"
            );
        }
        for header in ["", "  ", "Basic ac_1", "Token ac_1"] {
            assert!(credentials(header).is_none(), "{header:?}");
        }
    }
}
