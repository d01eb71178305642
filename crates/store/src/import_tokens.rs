//! Tokens that push records to one source: random texts of which only a hash is kept.

use selvedge_types::{
    AccountId, AccountScope, DestinationId, ImportTokenId, Secret, SourceId, Timestamp,
};

use serde_json::{Map, Value as Json};

use crate::value::values;
use crate::{ReadTx, StoreError, Tx, connections, random};

/// What the text of a token begins with; access tokens of accounts begin otherwise.
const PREFIX: &str = "at_";

/// A token without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportTokenRecord {
    pub id: ImportTokenId,
    pub created_at: Timestamp,
}

/// Whose records come with a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedSource {
    pub scope: AccountScope,
    pub source: SourceId,
    pub source_type: String,
    /// Everything but credentials.
    pub properties: Map<String, Json>,
    pub destination: Option<DestinationId>,
    /// Neither deleted nor paused.
    pub active: bool,
}

statements! {
    AUTHENTICATE = "select sources.account_id, sources.id as source_id, sources.type, sources.properties,
            sources.destination_id,
            case when sources.deleted_at is null and sources.paused_at is null and sources.system_paused_at is null
                then 1 else 0 end as active
        from import_tokens
        join sources on sources.id = import_tokens.source_id
        join accounts on accounts.id = import_tokens.account_id
        where import_tokens.token_hash = $1
            and import_tokens.revoked_at is null
            and accounts.deleted_at is null";
    /// An insert that selects has no columns to take the types of its parameters from.
    INSERT = "insert into import_tokens (account_id, source_id, token_hash, created_at)
        select sources.account_id, sources.id, cast($3 as text), cast($4 as bigint)
        from sources
        where sources.account_id = $1
            and sources.id = $2
            and sources.deleted_at is null
        returning id";
    LIST_ACTIVE = "select id, created_at
        from import_tokens
        where account_id = $1
            and source_id = $2
            and revoked_at is null
        order by id desc";
    REVOKE = "update import_tokens
        set revoked_at = $4
        where account_id = $1
            and source_id = $2
            and id = $3
            and revoked_at is null";
}

/// Makes a token for the source. Its text is in the answer and nowhere else. How many a source may have is for the caller
/// to say, who holds the source meanwhile. `None` when the account has no such live source.
pub async fn mint(
    tx: &mut Tx,
    scope: AccountScope,
    source: SourceId,
    now: Timestamp,
) -> Result<Option<(ImportTokenId, Secret)>, StoreError> {
    let secret = random::secret(PREFIX)?;
    let values = values![scope, source, random::hash(secret.expose()), now];
    let row = tx.fetch_optional(INSERT, values).await?;
    row.map(|row| Ok((ImportTokenId(row.integer("id")?), secret)))
        .transpose()
}

/// The source that a token pushes to; `None` when it is unknown, revoked, or of a deleted account.
pub async fn authenticate(
    tx: &mut ReadTx,
    token: &str,
) -> Result<Option<PushedSource>, StoreError> {
    let values = values![random::hash(token)];
    let row = tx.fetch_optional(AUTHENTICATE, values).await?;
    row.map(|row| {
        let source = SourceId(row.integer("source_id")?);
        Ok(PushedSource {
            scope: AccountScope::of(AccountId(row.integer("account_id")?)),
            source,
            source_type: row.text("type")?,
            properties: connections::properties(source.into(), &row)?,
            destination: row.optional_integer("destination_id")?.map(DestinationId),
            active: row.integer("active")? == 1,
        })
    })
    .transpose()
}

/// The source's tokens that are not revoked, newest first.
pub async fn list_active(
    tx: &mut ReadTx,
    scope: AccountScope,
    source: SourceId,
) -> Result<Vec<ImportTokenRecord>, StoreError> {
    tx.fetch_all(LIST_ACTIVE, values![scope, source])
        .await?
        .iter()
        .map(|row| {
            Ok(ImportTokenRecord {
                id: ImportTokenId(row.integer("id")?),
                created_at: row.time("created_at")?,
            })
        })
        .collect()
}

/// Ends a token. `false` when the source has no such active token.
pub async fn revoke(
    tx: &mut Tx,
    scope: AccountScope,
    source: SourceId,
    id: ImportTokenId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(REVOKE, values![scope, source, id, now]).await? == 1)
}
