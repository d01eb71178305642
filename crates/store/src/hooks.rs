//! Hooks: addresses that are called after data was loaded into a destination.

use selvedge_types::{AccountId, AccountScope, DestinationId, HookId, Secret, Timestamp};

use crate::cipher::Purpose;
use crate::row::Row;
use crate::value::values;
use crate::{ReadTx, StoreError, Tx, random};

const TABLE: &str = "hooks";

/// What the secrets of Standard Webhooks begin with.
const SECRET_PREFIX: &str = "whsec_";

/// The one kind of hook there is.
const POST_LOAD: &str = "post_load";

/// A hook without its signing secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookRecord {
    pub id: HookId,
    pub account: AccountId,
    /// Loads into it fire the hook.
    pub destination_id: DestinationId,
    pub hook_type: String,
    pub url: String,
    pub created_at: Timestamp,
    /// When the hook was last disabled or enabled; at first, when it was created.
    pub modified_at: Timestamp,
    pub disabled_at: Option<Timestamp>,
}

macro_rules! columns {
    () => {
        "id, destination_id, type, url, created_at, modified_at, disabled_at"
    };
}

statements! {
    /// Also keeps the destination from being deleted before the hook is there to be deleted with it.
    LOCK_LIVE_DESTINATION = "update destinations
        set updated_at = updated_at
        where account_id = $1
            and id = $2
            and deleted_at is null";
    INSERT = "insert into hooks (account_id, destination_id, type, url, created_at, modified_at)
        values ($1, $2, $3, $4, $5, $5)
        returning id";
    SET_SECRET = "update hooks
        set secret = $3
        where account_id = $1
            and id = $2";
    FIND = concat!("select ", columns!(), "
        from hooks
        where account_id = $1
            and id = $2");
    FIND_SECRET = "select secret
        from hooks
        where account_id = $1
            and id = $2";
    LIST = concat!("select ", columns!(), "
        from hooks
        where account_id = $1
        order by id");
    LIST_ENABLED = "select id
        from hooks
        where account_id = $1
            and destination_id = $2
            and type = $3
            and disabled_at is null
        order by id";
    COUNT = "select count(*) as hook_count
        from hooks
        where account_id = $1";
    DISABLE = "update hooks
        set disabled_at = $3, modified_at = $3
        where account_id = $1
            and id = $2
            and disabled_at is null";
    ENABLE = "update hooks
        set disabled_at = null, modified_at = $3
        where account_id = $1
            and id = $2
            and disabled_at is not null";
    DELETE = "delete from hooks
        where account_id = $1
            and id = $2";
    DELETE_OF_DESTINATION = "delete from hooks
        where account_id = $1
            and destination_id = $2";
}

/// Adds a hook for loads into a destination. Its signing secret is in the answer, and sealed in the row.
/// [`StoreError::Conflict`] when the destination is not a live one of the account.
pub async fn create(
    tx: &mut Tx,
    scope: AccountScope,
    destination: DestinationId,
    url: &str,
    now: Timestamp,
) -> Result<(HookId, Secret), StoreError> {
    let values = values![scope, destination];
    if tx.execute(LOCK_LIVE_DESTINATION, values).await? == 0 {
        return Err(StoreError::Conflict("the destination"));
    }
    let values = values![scope, destination, POST_LOAD, url, now];
    let id = HookId(tx.fetch_one(INSERT, values).await?.integer("id")?);
    // The sealed secret is bound to the id, which is known only now.
    let secret = random::base64_secret(SECRET_PREFIX)?;
    let sealed = tx
        .cipher()
        .seal(&purpose(scope, id), secret.expose().as_bytes())?;
    tx.execute(SET_SECRET, values![scope, id, sealed]).await?;
    Ok((id, secret))
}

pub async fn find(
    tx: &mut ReadTx,
    scope: AccountScope,
    id: HookId,
) -> Result<Option<HookRecord>, StoreError> {
    let row = tx.fetch_optional(FIND, values![scope, id]).await?;
    row.map(|row| record(scope, &row)).transpose()
}

/// What calls of the hook are signed with, as [`create`] gave it.
pub async fn signing_secret(
    tx: &mut ReadTx,
    scope: AccountScope,
    id: HookId,
) -> Result<Option<Secret>, StoreError> {
    let Some(row) = tx.fetch_optional(FIND_SECRET, values![scope, id]).await? else {
        return Ok(None);
    };
    let sealed = row.optional_blob("secret")?;
    let opened = sealed.and_then(|sealed| tx.cipher().open(&purpose(scope, id), &sealed));
    let text = opened.and_then(|plain| String::from_utf8(plain.to_vec()).ok());
    text.map(|text| Some(Secret::new(text)))
        .ok_or_else(|| StoreError::corrupt(TABLE, "secret", id))
}

/// The account's hooks, disabled ones included, in the order of their ids.
pub async fn list(tx: &mut ReadTx, scope: AccountScope) -> Result<Vec<HookRecord>, StoreError> {
    let rows = tx.fetch_all(LIST, values![scope]).await?;
    rows.iter().map(|row| record(scope, row)).collect()
}

/// The enabled hooks for loads into a destination.
pub async fn list_enabled(
    tx: &mut ReadTx,
    scope: AccountScope,
    destination: DestinationId,
) -> Result<Vec<HookId>, StoreError> {
    let values = values![scope, destination, POST_LOAD];
    let rows = tx.fetch_all(LIST_ENABLED, values).await?;
    rows.iter()
        .map(|row| row.integer("id").map(HookId))
        .collect()
}

/// How many hooks the account has, disabled ones included.
pub async fn count(tx: &mut ReadTx, scope: AccountScope) -> Result<u64, StoreError> {
    let row = tx.fetch_one(COUNT, values![scope]).await?;
    Ok(row.integer("hook_count")?.unsigned_abs())
}

/// Disables or enables the hook; one that is so already stays as it is.
pub async fn set_enabled(
    tx: &mut Tx,
    scope: AccountScope,
    id: HookId,
    enabled: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let statement = if enabled { ENABLE } else { DISABLE };
    tx.execute(statement, values![scope, id, now]).await?;
    Ok(())
}

/// Forgets the hook. `false` when the account has no such hook.
pub async fn delete(tx: &mut Tx, scope: AccountScope, id: HookId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, values![scope, id]).await? == 1)
}

/// Forgets the hooks for loads into a destination, which is gone.
pub async fn delete_of_destination(
    tx: &mut Tx,
    scope: AccountScope,
    destination: DestinationId,
) -> Result<(), StoreError> {
    tx.execute(DELETE_OF_DESTINATION, values![scope, destination])
        .await?;
    Ok(())
}

fn purpose(scope: AccountScope, id: HookId) -> Purpose {
    Purpose::HookSecret(scope.account(), id)
}

fn record(scope: AccountScope, row: &Row) -> Result<HookRecord, StoreError> {
    Ok(HookRecord {
        id: HookId(row.integer("id")?),
        account: scope.account(),
        destination_id: DestinationId(row.integer("destination_id")?),
        hook_type: row.text("type")?,
        url: row.text("url")?,
        created_at: row.time("created_at")?,
        modified_at: row.time("modified_at")?,
        disabled_at: row.optional_time("disabled_at")?,
    })
}
