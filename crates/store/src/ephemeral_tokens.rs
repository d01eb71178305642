//! Tokens that start a web session: short-lived, and each as good as the access token that made it.

use selvedge_types::{AccountScope, Secret, Timestamp, TokenId};

use crate::tokens::TokenHolder;
use crate::value::values;
use crate::{ReadTx, StoreError, Tx, random};

statements! {
    /// An insert that selects has no columns to take the types of its parameters from.
    INSERT = "insert into ephemeral_tokens (token_hash, access_token_id, created_at, expires_at)
        select cast($3 as text), access_tokens.id, cast($4 as bigint), cast($5 as bigint)
        from access_tokens
        where access_tokens.account_id = $1
            and access_tokens.id = $2
            and access_tokens.revoked_at is null";
    AUTHENTICATE = "select access_tokens.id, access_tokens.account_id, accounts.plan
        from ephemeral_tokens
        join access_tokens on access_tokens.id = ephemeral_tokens.access_token_id
        join accounts on accounts.id = access_tokens.account_id
        where ephemeral_tokens.token_hash = $1
            and ephemeral_tokens.expires_at > $2
            and ephemeral_tokens.exchanged_at is null
            and access_tokens.revoked_at is null
            and accounts.deleted_at is null";
    DELETE_EXPIRED = "delete from ephemeral_tokens
        where expires_at <= $1";
}

/// Makes a token on behalf of an access token. Its text is in the answer and nowhere else. `None` when the account has no
/// such live access token.
pub async fn mint(
    tx: &mut Tx,
    scope: AccountScope,
    maker: TokenId,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<Option<Secret>, StoreError> {
    let secret = random::secret("")?;
    let hash = random::hash(secret.expose());
    let values = values![scope, maker, hash, now, expires_at];
    let minted = tx.execute(INSERT, values).await? == 1;
    Ok(minted.then_some(secret))
}

/// The access token that made the token, and whom both act for; `None` when it is unknown, expired, exchanged for a
/// session, or made by an access token that counts no more.
pub async fn authenticate(
    tx: &mut ReadTx,
    token: &str,
    now: Timestamp,
) -> Result<Option<TokenHolder>, StoreError> {
    let row = tx
        .fetch_optional(AUTHENTICATE, values![random::hash(token), now])
        .await?;
    row.as_ref().map(TokenHolder::read).transpose()
}

/// Forgets the tokens of all accounts that have expired; answers with their number.
pub async fn delete_expired(tx: &mut Tx, now: Timestamp) -> Result<u64, StoreError> {
    tx.execute(DELETE_EXPIRED, values![now]).await
}
