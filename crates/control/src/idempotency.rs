//! Repeats of a request: whoever sends a key with a request may send both again and gets the first answer.
//!
//! A request [`begin`]s by reserving its key and ends with [`FirstRun::keep`] or [`FirstRun::release`]. One whose server
//! dies in between leaves a reservation that counts for a minute; the next repeat then runs again, since nobody can tell how
//! far the first one came.

use std::time::Duration;

use selvedge_store::idempotency::{self, Reservation};
use selvedge_types::{AccountScope, Timestamp};

use crate::{Control, ControlError};

/// How long an answer is given again.
const KEPT_SECONDS: i64 = 24 * 3_600;
/// A request without an answer after this time is taken for dead.
const ABANDONED_SECONDS: i64 = 60;
/// How long a repeat waits for the first run: longer than it takes to count as dead.
const PATIENCE: Duration = Duration::from_secs(75);
const FIRST_LOOK: Duration = Duration::from_millis(20);
const SLOWEST_LOOK: Duration = Duration::from_secs(1);

/// Whose keys these are: two owners never see each other's.
#[derive(Clone, Debug)]
pub enum KeyOwner {
    Account(AccountScope),
    /// A partner that has proved to be one.
    Partner(String),
}

/// What to do with a request that has a key.
#[derive(Debug)]
pub enum Attempt {
    /// Carry it out.
    First(FirstRun),
    /// Answer as the first time.
    Repeat { status: u16, body: Vec<u8> },
    /// The key belongs to another body.
    OtherBody,
}

/// A request being carried out under a reserved key.
#[derive(Debug)]
pub struct FirstRun {
    scope: String,
    key: String,
    reserved_at: Timestamp,
}

/// Reserves `key` for a request with this `body` to `operation` (method and path). While an equal request is under way, it
/// waits for that one's answer.
pub async fn begin(
    control: &Control,
    owner: &KeyOwner,
    operation: &str,
    key: &str,
    body: &[u8],
) -> Result<Attempt, ControlError> {
    let scope = match owner {
        KeyOwner::Account(scope) => format!("account:{} {operation}", scope.account()),
        KeyOwner::Partner(id) => format!("partner:{id} {operation}"),
    };
    let waiting = async {
        let mut pause = FIRST_LOOK;
        loop {
            if let Some(attempt) = try_once(control, &scope, key, body).await? {
                return Ok(attempt);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(SLOWEST_LOOK);
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .unwrap_or(Err(ControlError::FirstRunUnfinished))
}

/// `None` while the first run goes on.
async fn try_once(
    control: &Control,
    scope: &str,
    key: &str,
    body: &[u8],
) -> Result<Option<Attempt>, ControlError> {
    let now = control.now();
    let mut tx = control.store().begin().await?;
    let reservation = idempotency::reserve(
        &mut tx,
        scope,
        key,
        body,
        now,
        now.plus_seconds(-KEPT_SECONDS),
        now.plus_seconds(-ABANDONED_SECONDS),
    )
    .await?;
    tx.commit().await?;
    Ok(match reservation {
        Reservation::Reserved => Some(Attempt::First(FirstRun {
            scope: scope.to_owned(),
            key: key.to_owned(),
            reserved_at: now,
        })),
        Reservation::Answered { status, body } => Some(Attempt::Repeat { status, body }),
        Reservation::Mismatch => Some(Attempt::OtherBody),
        Reservation::InProgress => None,
    })
}

impl FirstRun {
    /// Keeps the answer for repeats.
    pub async fn keep(
        self,
        control: &Control,
        status: u16,
        body: &[u8],
    ) -> Result<(), ControlError> {
        let mut tx = control.store().begin().await?;
        let (scope, key) = (&self.scope, &self.key);
        let kept = idempotency::answer(&mut tx, scope, key, self.reserved_at, status, body).await?;
        tx.commit().await?;
        if !kept {
            tracing::warn!("a request took so long that its repeat was carried out too");
        }
        Ok(())
    }

    /// Makes the key free again: the answer is none to be repeated.
    pub async fn release(self, control: &Control) -> Result<(), ControlError> {
        let mut tx = control.store().begin().await?;
        idempotency::release(&mut tx, &self.scope, &self.key, self.reserved_at).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Deletes keys and answers that count no more; answers with their number.
pub async fn forget_expired(control: &Control) -> Result<u64, ControlError> {
    let before = control.now().plus_seconds(-KEPT_SECONDS);
    let mut tx = control.store().begin().await?;
    let forgotten = idempotency::delete_older_than(&mut tx, before).await?;
    tx.commit().await?;
    Ok(forgotten)
}
