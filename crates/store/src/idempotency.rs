//! Answers kept for repeats of a request with the same idempotency key.
//!
//! A request reserves its key, runs, and stores its answer or releases the key. Keys and bodies are stored as hashes, the
//! answer is encrypted: it may hold a token that is shown only once.

use selvedge_types::Timestamp;

use crate::cipher::Purpose;
use crate::value::values;
use crate::{StoreError, Tx, random};

/// What a request with an idempotency key has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// Run, then [`answer`] or [`release`], naming the instant of the reservation.
    Reserved,
    /// The first request with this key still runs: ask again.
    InProgress,
    /// The first request's answer: give it again.
    Answered { status: u16, body: Vec<u8> },
    /// The key was used with another body.
    Mismatch,
}

statements! {
    RESERVE = "insert into idempotency_keys (scope, key_hash, body_hash, created_at)
        values ($1, $2, $3, $4)
        on conflict (scope, key_hash) do update
        set body_hash = excluded.body_hash, status = null, answer = null, created_at = excluded.created_at
        where idempotency_keys.created_at <= $5
            or (idempotency_keys.status is null and idempotency_keys.created_at <= $6)
        returning status";
    FIND = "select body_hash, status, answer
        from idempotency_keys
        where scope = $1
            and key_hash = $2";
    ANSWER = "update idempotency_keys
        set status = $3, answer = $4
        where scope = $1
            and key_hash = $2
            and created_at = $5
            and status is null";
    RELEASE = "delete from idempotency_keys
        where scope = $1
            and key_hash = $2
            and created_at = $3
            and status is null";
    DELETE_OLDER_THAN = "delete from idempotency_keys
        where created_at <= $1";
}

/// Reserves `key` within `scope` (account or partner, method and path) for a request with this body.
///
/// Reservations made at or before `expired` count no more; unanswered ones made at or before `abandoned` neither, because
/// whoever made them has crashed. Commit before running the request.
pub async fn reserve(
    tx: &mut Tx,
    scope: &str,
    key: &str,
    body: &[u8],
    now: Timestamp,
    expired: Timestamp,
    abandoned: Timestamp,
) -> Result<Reservation, StoreError> {
    let key_hash = random::hash(key);
    let body_hash = random::hash_bytes(body);
    let values = values![
        scope,
        key_hash.as_str(),
        body_hash.as_str(),
        now,
        expired,
        abandoned
    ];
    if tx.fetch_optional(RESERVE, values).await?.is_some() {
        return Ok(Reservation::Reserved);
    }
    let Some(row) = tx
        .fetch_optional(FIND, values![scope, key_hash.as_str()])
        .await?
    else {
        // Released just now.
        return Ok(Reservation::InProgress);
    };
    if row.text("body_hash")? != body_hash {
        return Ok(Reservation::Mismatch);
    }
    let Some(status) = row.optional_integer("status")? else {
        return Ok(Reservation::InProgress);
    };
    let corrupt = |column| StoreError::corrupt("idempotency_keys", column, &key_hash);
    let sealed = row
        .optional_blob("answer")?
        .ok_or_else(|| corrupt("answer"))?;
    let body = tx
        .cipher()
        .open(&purpose(scope, &key_hash), &sealed)
        .ok_or_else(|| corrupt("answer"))?;
    Ok(Reservation::Answered {
        status: u16::try_from(status).map_err(|_| corrupt("status"))?,
        body: body.to_vec(),
    })
}

/// Stores the answer of a request that reserved its key at `reserved_at`. `false` when the reservation is no longer its
/// own: it took so long that somebody else has the key.
pub async fn answer(
    tx: &mut Tx,
    scope: &str,
    key: &str,
    reserved_at: Timestamp,
    status: u16,
    body: &[u8],
) -> Result<bool, StoreError> {
    let key_hash = random::hash(key);
    let sealed = tx.cipher().seal(&purpose(scope, &key_hash), body)?;
    let values = values![scope, key_hash, i64::from(status), sealed, reserved_at];
    Ok(tx.execute(ANSWER, values).await? == 1)
}

/// Gives a key reserved at `reserved_at` back, after an answer that is not kept.
pub async fn release(
    tx: &mut Tx,
    scope: &str,
    key: &str,
    reserved_at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(RELEASE, values![scope, random::hash(key), reserved_at])
        .await?;
    Ok(())
}

/// Forgets keys reserved at or before `before`; answers with their number.
pub async fn delete_older_than(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(DELETE_OLDER_THAN, values![before]).await
}

fn purpose(scope: &str, key_hash: &str) -> Purpose {
    Purpose::Answer {
        scope: scope.to_owned(),
        key_hash: key_hash.to_owned(),
    }
}
