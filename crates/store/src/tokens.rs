//! API access tokens: random texts of which only a hash is kept.

use selvedge_types::{AccountId, AccountScope, Secret, Timestamp, TokenId};

use crate::row::Row;
use crate::value::values;
use crate::{ReadTx, StoreError, Tx, random};

const PREFIX: &str = "ac_";

/// A token without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRecord {
    pub id: TokenId,
    /// The partner that asked for it, if any.
    pub partner_id: Option<String>,
    pub created_at: Timestamp,
    /// At most a minute late.
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

statements! {
    INSERT = "insert into access_tokens (account_id, token_hash, partner_id, created_at)
        values ($1, $2, $3, $4)
        returning id";
    AUTHENTICATE = "select access_tokens.id, access_tokens.account_id, accounts.plan
        from access_tokens
        join accounts on accounts.id = access_tokens.account_id
        where access_tokens.token_hash = $1
            and access_tokens.revoked_at is null
            and accounts.deleted_at is null";
    LIST = "select id, partner_id, created_at, last_used_at, revoked_at
        from access_tokens
        where account_id = $1
        order by id";
    REVOKE = "update access_tokens
        set revoked_at = $3
        where account_id = $1
            and id = $2
            and revoked_at is null";
    TOUCH = "update access_tokens
        set last_used_at = $2
        where id = $1
            and (last_used_at is null or last_used_at < $2)";
}

/// Makes a token for the account. Its text is in the answer and nowhere else.
pub async fn mint(
    tx: &mut Tx,
    scope: AccountScope,
    partner_id: Option<&str>,
    now: Timestamp,
) -> Result<(TokenId, Secret), StoreError> {
    let secret = random::secret(PREFIX)?;
    let row = tx
        .fetch_one(
            INSERT,
            values![scope, random::hash(secret.expose()), partner_id, now],
        )
        .await?;
    Ok((TokenId(row.integer("id")?), secret))
}

/// Whom a token acts for; `None` when it is unknown, revoked, or of a deleted account.
pub async fn authenticate(tx: &mut ReadTx, token: &str) -> Result<Option<TokenHolder>, StoreError> {
    let row = tx
        .fetch_optional(AUTHENTICATE, values![random::hash(token)])
        .await?;
    row.as_ref().map(TokenHolder::read).transpose()
}

/// What a valid token proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenHolder {
    /// The access token.
    pub token: TokenId,
    /// The account it acts for.
    pub scope: AccountScope,
    /// The plan of that account: whoever asks for a token asks next what its account may do.
    pub plan: Option<String>,
}

impl TokenHolder {
    pub(crate) fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            token: TokenId(row.integer("id")?),
            scope: AccountScope::of(AccountId(row.integer("account_id")?)),
            plan: row.optional_text("plan")?,
        })
    }
}

/// The account's tokens, revoked ones included, oldest first.
pub async fn list(tx: &mut ReadTx, scope: AccountScope) -> Result<Vec<TokenRecord>, StoreError> {
    tx.fetch_all(LIST, values![scope])
        .await?
        .iter()
        .map(|row| {
            Ok(TokenRecord {
                id: TokenId(row.integer("id")?),
                partner_id: row.optional_text("partner_id")?,
                created_at: row.time("created_at")?,
                last_used_at: row.optional_time("last_used_at")?,
                revoked_at: row.optional_time("revoked_at")?,
            })
        })
        .collect()
}

/// Ends a token; the next request with it is refused. `false` when the account has no such live token.
pub async fn revoke(
    tx: &mut Tx,
    scope: AccountScope,
    id: TokenId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(REVOKE, values![scope, id, now]).await? == 1)
}

/// Notes when tokens were last used; an earlier instant than the stored one changes nothing.
pub async fn touch(tx: &mut Tx, uses: &[(TokenId, Timestamp)]) -> Result<(), StoreError> {
    // In one order everywhere, so that two nodes never wait for each other's rows.
    let mut uses = uses.to_vec();
    uses.sort_unstable();
    for (id, at) in uses {
        tx.execute(TOUCH, values![id, at]).await?;
    }
    Ok(())
}
