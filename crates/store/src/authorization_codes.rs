//! Authorization codes: what a partner exchanges for an access token after somebody has let it in. Each works once.

use selvedge_types::{AccountId, AccountScope, Secret, Timestamp};

use crate::value::values;
use crate::{StoreError, Tx, random};

statements! {
    INSERT = "insert into authorization_codes (code_hash, partner_id, account_id, redirect_uri, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6)";
    /// One statement, so that of two exchanges at the same time one finds nothing.
    REDEEM = "update authorization_codes
        set used_at = $3
        where code_hash = $1
            and partner_id = $2
            and used_at is null
            and expires_at > $3
            and exists (
                select 1
                from accounts
                where accounts.id = authorization_codes.account_id
                    and accounts.deleted_at is null
            )
        returning account_id, redirect_uri";
    DELETE_EXPIRED = "delete from authorization_codes
        where expires_at <= $1";
}

/// Whom a redeemed code lets its partner act for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redeemed {
    pub scope: AccountScope,
    /// Where the code was sent to.
    pub redirect_uri: String,
}

/// Makes a code by which a partner may get an access token to the account. Its text is in the answer and nowhere else.
pub async fn mint(
    tx: &mut Tx,
    scope: AccountScope,
    partner_id: &str,
    redirect_uri: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<Secret, StoreError> {
    let code = random::secret("")?;
    let hash = random::hash(code.expose());
    tx.execute(
        INSERT,
        values![hash, partner_id, scope, redirect_uri, now, expires_at],
    )
    .await?;
    Ok(code)
}

/// Uses a code up. `None` when the partner has no such code, it was used before, it has expired, or its account is deleted.
pub async fn redeem(
    tx: &mut Tx,
    partner_id: &str,
    code: &str,
    now: Timestamp,
) -> Result<Option<Redeemed>, StoreError> {
    let values = values![random::hash(code), partner_id, now];
    let row = tx.fetch_optional(REDEEM, values).await?;
    row.map(|row| {
        Ok(Redeemed {
            scope: AccountScope::of(AccountId(row.integer("account_id")?)),
            redirect_uri: row.text("redirect_uri")?,
        })
    })
    .transpose()
}

/// Forgets the codes that have expired; answers with their number.
pub async fn delete_expired(tx: &mut Tx, now: Timestamp) -> Result<u64, StoreError> {
    tx.execute(DELETE_EXPIRED, values![now]).await
}
