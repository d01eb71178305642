//! Custom e-mails: who else gets an account's notification mails.

use selvedge_types::{AccountId, AccountScope, CustomEmailId, Timestamp};

use crate::accounts::email_key;
use crate::row::Row;
use crate::value::values;
use crate::{ReadTx, StoreError, Tx};

/// A recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomEmailRecord {
    pub id: CustomEmailId,
    pub account: AccountId,
    /// As it was given.
    pub email_address: String,
    pub created_at: Timestamp,
    /// What the user sent to disable the recipient; `None` while it gets mails.
    pub disabled_at: Option<Timestamp>,
}

macro_rules! columns {
    () => {
        "id, email_address, created_at, disabled_at"
    };
}

statements! {
    INSERT = "insert into custom_emails (account_id, email_address, email_key, created_at)
        values ($1, $2, $3, $4)
        on conflict do nothing
        returning id";
    FIND = concat!("select ", columns!(), "
        from custom_emails
        where account_id = $1
            and id = $2");
    FIND_BY_ADDRESS = concat!("select ", columns!(), "
        from custom_emails
        where account_id = $1
            and email_key = $2");
    LIST = concat!("select ", columns!(), "
        from custom_emails
        where account_id = $1
        order by id");
    COUNT = "select count(*) as email_count
        from custom_emails
        where account_id = $1";
    SET_DISABLED_AT = "update custom_emails
        set disabled_at = $3
        where account_id = $1
            and id = $2";
    DELETE = "delete from custom_emails
        where account_id = $1
            and id = $2";
}

/// Adds a recipient. [`StoreError::Conflict`] when the account has the address already, in whatever case.
pub async fn create(
    tx: &mut Tx,
    scope: AccountScope,
    email_address: &str,
    now: Timestamp,
) -> Result<CustomEmailId, StoreError> {
    let values = values![scope, email_address, email_key(email_address), now];
    match tx.fetch_optional(INSERT, values).await? {
        Some(row) => row.integer("id").map(CustomEmailId),
        None => Err(StoreError::Conflict("the email address")),
    }
}

pub async fn find(
    tx: &mut ReadTx,
    scope: AccountScope,
    id: CustomEmailId,
) -> Result<Option<CustomEmailRecord>, StoreError> {
    let row = tx.fetch_optional(FIND, values![scope, id]).await?;
    row.map(|row| record(scope, &row)).transpose()
}

/// The recipient with this address, without regard to case.
pub async fn find_by_address(
    tx: &mut ReadTx,
    scope: AccountScope,
    email_address: &str,
) -> Result<Option<CustomEmailRecord>, StoreError> {
    let values = values![scope, email_key(email_address)];
    let row = tx.fetch_optional(FIND_BY_ADDRESS, values).await?;
    row.map(|row| record(scope, &row)).transpose()
}

/// The account's recipients, disabled ones included, in the order of their ids.
pub async fn list(
    tx: &mut ReadTx,
    scope: AccountScope,
) -> Result<Vec<CustomEmailRecord>, StoreError> {
    let rows = tx.fetch_all(LIST, values![scope]).await?;
    rows.iter().map(|row| record(scope, row)).collect()
}

/// How many recipients the account has, disabled ones included.
pub async fn count(tx: &mut ReadTx, scope: AccountScope) -> Result<u64, StoreError> {
    let row = tx.fetch_one(COUNT, values![scope]).await?;
    Ok(row.integer("email_count")?.unsigned_abs())
}

/// Disables the recipient as of an instant, or enables it. `false` when the account has no such recipient.
pub async fn set_disabled_at(
    tx: &mut Tx,
    scope: AccountScope,
    id: CustomEmailId,
    disabled_at: Option<Timestamp>,
) -> Result<bool, StoreError> {
    let values = values![scope, id, disabled_at];
    Ok(tx.execute(SET_DISABLED_AT, values).await? == 1)
}

/// Forgets the recipient. `false` when the account has no such recipient.
pub async fn delete(
    tx: &mut Tx,
    scope: AccountScope,
    id: CustomEmailId,
) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, values![scope, id]).await? == 1)
}

fn record(scope: AccountScope, row: &Row) -> Result<CustomEmailRecord, StoreError> {
    Ok(CustomEmailRecord {
        id: CustomEmailId(row.integer("id")?),
        account: scope.account(),
        email_address: row.text("email_address")?,
        created_at: row.time("created_at")?,
        disabled_at: row.optional_time("disabled_at")?,
    })
}
