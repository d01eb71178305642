//! Accounts: the tenants.

use selvedge_types::{AccountId, AccountScope, Timestamp};

use crate::row::Row;
use crate::value::values;
use crate::{ReadTx, StoreError, Tx};

/// What an account is created from.
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub company: String,
    pub region: String,
    pub first_name: String,
    pub last_name: String,
    /// The owner's address as given.
    pub email: String,
    /// The partner that creates the account; `None` for the operator.
    pub partner_id: Option<String>,
    /// A plan of the operator's configuration; `None` for everything.
    pub plan: Option<String>,
}

/// A stored account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRecord {
    pub id: AccountId,
    pub company: String,
    pub region: String,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub partner_id: Option<String>,
    /// A plan of the operator's configuration; `None` for everything.
    pub plan: Option<String>,
    pub created_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

macro_rules! columns {
    () => {
        "id, company, region, first_name, last_name, email, partner_id, plan, created_at, deleted_at"
    };
}

statements! {
    INSERT = "insert into accounts (company, region, first_name, last_name, email, email_key, partner_id, plan, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict do nothing
        returning id";
    EMAIL_TAKEN = "select id
        from accounts
        where email_key = $1
            and deleted_at is null";
    LIST = concat!("select ", columns!(), "
        from accounts
        where deleted_at is null
            and id > $1
        order by id
        limit $2");
    FIND = concat!("select ", columns!(), "
        from accounts
        where id = $1");
    LOCK = "update accounts
        set deleted_at = deleted_at
        where id = $1
            and deleted_at is null";
    PLAN = "select plan
        from accounts
        where id = $1";
    SET_PLAN = "update accounts
        set plan = $2
        where id = $1
            and deleted_at is null";
    PLANS_IN_USE = "select plan, count(*) as account_count
        from accounts
        where plan is not null
            and deleted_at is null
        group by plan
        order by plan";
    DELETE = "update accounts
        set deleted_at = $2
        where id = $1
            and deleted_at is null";
    REVOKE_TOKENS = "update access_tokens
        set revoked_at = $2
        where account_id = $1
            and revoked_at is null";
    DELETE_SOURCES = "update sources
        set deleted_at = $2, updated_at = $2, ready_at = null
        where account_id = $1
            and deleted_at is null";
    DELETE_DESTINATIONS = "update destinations
        set deleted_at = $2, updated_at = $2
        where account_id = $1
            and deleted_at is null";
    DELETE_CUSTOM_EMAILS = "delete from custom_emails
        where account_id = $1";
    DELETE_HOOKS = "delete from hooks
        where account_id = $1";
}

/// Creates an account. [`StoreError::Conflict`] when the address belongs to a live account.
pub async fn create(
    tx: &mut Tx,
    new: &NewAccount,
    now: Timestamp,
) -> Result<AccountId, StoreError> {
    let values = values![
        new.company.as_str(),
        new.region.as_str(),
        new.first_name.as_str(),
        new.last_name.as_str(),
        new.email.as_str(),
        email_key(&new.email),
        new.partner_id.as_deref(),
        new.plan.as_deref(),
        now,
    ];
    match tx.fetch_optional(INSERT, values).await? {
        Some(row) => row.integer("id").map(AccountId),
        None => Err(StoreError::Conflict("the email address")),
    }
}

/// Whether the address belongs to a live account, without regard to case.
pub async fn email_taken(tx: &mut ReadTx, email: &str) -> Result<bool, StoreError> {
    let row = tx
        .fetch_optional(EMAIL_TAKEN, values![email_key(email)])
        .await?;
    Ok(row.is_some())
}

/// Live accounts in the order of their ids, `limit` at most, behind `after`.
pub async fn list(
    tx: &mut ReadTx,
    after: Option<AccountId>,
    limit: u32,
) -> Result<Vec<AccountRecord>, StoreError> {
    let values = values![after.map_or(0, |id| id.0), i64::from(limit)];
    tx.fetch_all(LIST, values)
        .await?
        .iter()
        .map(record)
        .collect()
}

/// The account, also when it is deleted.
pub async fn find(tx: &mut ReadTx, id: AccountId) -> Result<Option<AccountRecord>, StoreError> {
    let row = tx.fetch_optional(FIND, values![id]).await?;
    row.as_ref().map(record).transpose()
}

/// Keeps everybody else who locks the live account waiting until this transaction ends: for rules over several of its rows.
/// First in the transaction, before any row that belongs to the account. `false` when there is no such account.
pub async fn lock(tx: &mut Tx, scope: AccountScope) -> Result<bool, StoreError> {
    Ok(tx.execute(LOCK, values![scope]).await? == 1)
}

/// The plan that the account is on; `None` when it is on none.
pub async fn plan(tx: &mut ReadTx, scope: AccountScope) -> Result<Option<String>, StoreError> {
    match tx.fetch_optional(PLAN, values![scope]).await? {
        Some(row) => row.optional_text("plan"),
        None => Ok(None),
    }
}

/// Puts a live account on a plan, or on none. `false` when there is no such account.
pub async fn set_plan(
    tx: &mut Tx,
    scope: AccountScope,
    plan: Option<&str>,
) -> Result<bool, StoreError> {
    Ok(tx.execute(SET_PLAN, values![scope, plan]).await? == 1)
}

/// The plans that live accounts are on, with the number of accounts, by name.
pub async fn plans_in_use(tx: &mut ReadTx) -> Result<Vec<(String, u64)>, StoreError> {
    tx.fetch_all(PLANS_IN_USE, values![])
        .await?
        .iter()
        .map(|row| {
            let count = row.integer("account_count")?.unsigned_abs();
            Ok((row.text("plan")?, count))
        })
        .collect()
}

/// Marks the account deleted, with its sources and destinations, forgets whom it notifies, revokes its tokens and stops
/// its jobs. `false` when there is no such live account.
pub async fn delete(tx: &mut Tx, scope: AccountScope, now: Timestamp) -> Result<bool, StoreError> {
    if tx.execute(DELETE, values![scope, now]).await? == 0 {
        return Ok(false);
    }
    for statement in [REVOKE_TOKENS, DELETE_SOURCES, DELETE_DESTINATIONS] {
        tx.execute(statement, values![scope, now]).await?;
    }
    for statement in [DELETE_CUSTOM_EMAILS, DELETE_HOOKS] {
        tx.execute(statement, values![scope]).await?;
    }
    crate::jobs::stop_account(tx, scope, now).await?;
    Ok(true)
}

/// What makes two addresses the same: case does not.
pub(crate) fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

fn record(row: &Row) -> Result<AccountRecord, StoreError> {
    Ok(AccountRecord {
        id: AccountId(row.integer("id")?),
        company: row.text("company")?,
        region: row.text("region")?,
        first_name: row.text("first_name")?,
        last_name: row.text("last_name")?,
        email: row.text("email")?,
        partner_id: row.optional_text("partner_id")?,
        plan: row.optional_text("plan")?,
        created_at: row.time("created_at")?,
        deleted_at: row.optional_time("deleted_at")?,
    })
}
