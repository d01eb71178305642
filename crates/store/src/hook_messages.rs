//! The outbox of hooks: messages that are to be delivered, written in the transaction of what they tell of.
//!
//! A message is claimed before each attempt and deleted when there is none left to make. Claims end by themselves, so a
//! server that dies in an attempt delays a message and does not lose it; its receiver may get it twice.

use selvedge_types::{AccountId, AccountScope, HookId, Secret, Timestamp};

use crate::cipher::Purpose;
use crate::row::Row;
use crate::tx::Dialect;
use crate::value::values;
use crate::{ReadTx, StoreError, Tx, hooks, random};

const TABLE: &str = "hook_messages";

/// A message that now belongs to the caller, until its claim ends.
#[derive(Debug)]
pub struct ClaimedMessage {
    /// `msg_` and 128 random bits; the same in all attempts.
    pub id: String,
    pub scope: AccountScope,
    pub hook: HookId,
    /// Where it goes.
    pub url: String,
    /// [`StoreError::Corrupt`] when what was stored cannot be read: the message cannot be delivered.
    pub content: Result<MessageContent, StoreError>,
    /// Attempts that failed.
    pub attempts: u32,
    pub created_at: Timestamp,
}

/// What a message says.
#[derive(Debug)]
pub struct MessageContent {
    /// The request's body.
    pub body: Vec<u8>,
    /// What it is signed with.
    pub secret: Secret,
}

/// How often a claim looks for another candidate after somebody else was faster, or its hook was disabled.
const ATTEMPTS: u32 = 8;

/// Whether a message (`hook_messages`) may be claimed at `$1`: its time has come and nobody is delivering to its hook.
macro_rules! may_be_claimed {
    () => {
        "hook_messages.next_attempt_at <= $1
            and (hook_messages.claimed_until is null or hook_messages.claimed_until <= $1)
            and not exists (
                select 1
                from hook_messages as others
                where others.hook_id = hook_messages.hook_id
                    and others.claimed_until > $1
            )"
    };
}

macro_rules! candidate {
    () => {
        concat!(
            "select hook_messages.id, hook_messages.account_id, hook_messages.hook_id
        from hook_messages
        where ",
            may_be_claimed!(),
            "
        order by hook_messages.next_attempt_at, hook_messages.id
        limit 1"
        )
    };
}

statements! {
    INSERT = "insert into hook_messages (id, account_id, hook_id, body, next_attempt_at, created_at)
        values ($1, $2, $3, $4, $5, $5)";
    DUE = "select 1 as due
        from hook_messages
        where next_attempt_at <= $1
            and (claimed_until is null or claimed_until <= $1)
        limit 1";
    CANDIDATE_SQLITE = candidate!();
    CANDIDATE_POSTGRES = concat!(candidate!(), "
        for update of hook_messages skip locked");
    /// Claims for one hook take turns.
    LOCK_HOOK = "update hooks
        set url = url
        where account_id = $1
            and id = $2
        returning url, disabled_at";
    /// Asks again what the candidate was chosen for: another claim may have ended while this one waited for its turn.
    CLAIM = concat!("update hook_messages
        set claimed_until = $3
        where account_id = $2
            and id = $4
            and ", may_be_claimed!(), "
        returning body, attempts, created_at");
    DELETE = "delete from hook_messages
        where account_id = $1
            and id = $2";
    DELETE_OF_HOOK = "delete from hook_messages
        where account_id = $1
            and hook_id = $2";
    POSTPONE = "update hook_messages
        set attempts = attempts + 1, next_attempt_at = $3, last_error = $4, claimed_until = null
        where account_id = $1
            and id = $2";
    RELEASE = "update hook_messages
        set claimed_until = null
        where account_id = $1
            and id = $2";
    RELEASE_ALL = "update hook_messages
        set claimed_until = null
        where claimed_until is not null";
}

/// Puts a message for a hook into the outbox, due at once. Its id is the answer.
pub async fn enqueue(
    tx: &mut Tx,
    scope: AccountScope,
    hook: HookId,
    body: &[u8],
    now: Timestamp,
) -> Result<String, StoreError> {
    let id = random::id("msg_")?;
    let sealed = tx.cipher().seal(&purpose(scope, &id), body)?;
    let values = values![id.as_str(), scope, hook, sealed, now];
    tx.execute(INSERT, values).await?;
    Ok(id)
}

/// Whether there may be a message to claim, over all accounts.
pub async fn any_due(tx: &mut ReadTx, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.fetch_optional(DUE, values![now]).await?.is_some())
}

/// Claims the next message, over all accounts, for `claim_seconds` from `now` on; one at a time for each hook. Messages for
/// disabled hooks are dropped. The message is the caller's once the transaction has committed.
pub async fn claim(
    tx: &mut Tx,
    now: Timestamp,
    claim_seconds: i64,
) -> Result<Option<ClaimedMessage>, StoreError> {
    let candidate = match tx.dialect() {
        Dialect::Sqlite => CANDIDATE_SQLITE,
        Dialect::Postgres => CANDIDATE_POSTGRES,
    };
    for _ in 0..ATTEMPTS {
        let Some(row) = tx.fetch_optional(candidate, values![now]).await? else {
            return Ok(None);
        };
        let scope = AccountScope::of(AccountId(row.integer("account_id")?));
        let (id, hook) = (row.text("id")?, HookId(row.integer("hook_id")?));
        let Some(target) = tx.fetch_optional(LOCK_HOOK, values![scope, hook]).await? else {
            // Deleted just now, and its messages with it.
            continue;
        };
        if target.optional_time("disabled_at")?.is_some() {
            tx.execute(DELETE_OF_HOOK, values![scope, hook]).await?;
            continue;
        }
        let until = now.plus_seconds(claim_seconds);
        let values = values![now, scope, until, id.as_str()];
        let Some(claimed) = tx.fetch_optional(CLAIM, values).await? else {
            continue;
        };
        let content = match content(tx, scope, hook, &id, &claimed).await {
            // Whoever cannot read it must not stay in front of all others.
            Err(error @ StoreError::Corrupt { .. }) => Err(error),
            content => Ok(content?),
        };
        return Ok(Some(ClaimedMessage {
            scope,
            hook,
            url: target.text("url")?,
            content,
            attempts: u32::try_from(claimed.integer("attempts")?).unwrap_or(u32::MAX),
            created_at: claimed.time("created_at")?,
            id,
        }));
    }
    Ok(None)
}

async fn content(
    tx: &mut ReadTx,
    scope: AccountScope,
    hook: HookId,
    id: &str,
    message: &Row,
) -> Result<MessageContent, StoreError> {
    let sealed = message.optional_blob("body")?;
    let opened = sealed.and_then(|sealed| tx.cipher().open(&purpose(scope, id), &sealed));
    let body = opened.ok_or_else(|| StoreError::corrupt(TABLE, "body", id))?;
    let secret = hooks::signing_secret(tx, scope, hook).await?;
    Ok(MessageContent {
        body: body.to_vec(),
        secret: secret.ok_or_else(|| StoreError::corrupt(TABLE, "hook_id", id))?,
    })
}

/// Forgets a message: it was delivered, or is given up.
pub async fn delete(tx: &mut Tx, scope: AccountScope, id: &str) -> Result<(), StoreError> {
    tx.execute(DELETE, values![scope, id]).await?;
    Ok(())
}

/// Notes that an attempt failed, and when the next one is due.
pub async fn postpone(
    tx: &mut Tx,
    scope: AccountScope,
    id: &str,
    next_attempt_at: Timestamp,
    error: &str,
) -> Result<(), StoreError> {
    tx.execute(POSTPONE, values![scope, id, next_attempt_at, error])
        .await?;
    Ok(())
}

/// Gives a claim back: the attempt was not made to its end, and does not count.
pub async fn release(tx: &mut Tx, scope: AccountScope, id: &str) -> Result<(), StoreError> {
    tx.execute(RELEASE, values![scope, id]).await?;
    Ok(())
}

/// Ends all claims, for a server that knows that nobody else is delivering. How many there were.
pub async fn release_all(tx: &mut Tx) -> Result<u64, StoreError> {
    tx.execute(RELEASE_ALL, values![]).await
}

fn purpose(scope: AccountScope, id: &str) -> Purpose {
    Purpose::HookMessage(scope.account(), id.to_owned())
}
