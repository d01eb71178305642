//! Stopping jobs from outside.

use selvedge_types::job::JobMode;
use selvedge_types::{AccountScope, Timestamp};

use crate::value::values;
use crate::{Connection, StoreError, Tx};

/// The list of states repeats the condition of the partial indexes, which keeps the ended jobs out of sight.
macro_rules! terminate {
    () => {
        "update jobs
        set state = 'terminated', completed_at = $2, stop_requested_at = coalesce(stop_requested_at, $2),
            lease_expires_at = null, discovery_description = 'Terminated', tap_description = 'Terminated',
            target_description = 'Terminated', check_description = 'Terminated'
        where account_id = $1
            and state in ('pending', 'running')"
    };
}

macro_rules! ask {
    () => {
        "update jobs
        set stop_requested_at = $2
        where account_id = $1
            and state in ('pending', 'running')
            and state = 'running'
            and stop_requested_at is null"
    };
}

macro_rules! of_connection {
    () => {
        "
            and connection_kind = $3
            and connection_id = $4
            and mode = $5"
    };
}

statements! {
    STOP_PENDING = concat!(terminate!(), of_connection!(), "
            and state = 'pending'");
    STOP_RUNNING = concat!(ask!(), of_connection!());
    STOP_ACCOUNT_PENDING = concat!(terminate!(), "
            and state = 'pending'");
    STOP_ACCOUNT_RUNNING = ask!();
    SUPERSEDE = concat!(terminate!(), of_connection!());
}

/// Asks the connection's job of this mode to stop: one that waits ends at once, one that runs hears it at its next heartbeat.
/// `false` when there is none, or it was asked before.
pub async fn request_stop(
    tx: &mut Tx,
    scope: AccountScope,
    connection: Connection,
    mode: JobMode,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut stopped = 0;
    // In this order: a job that is claimed in between is found running.
    for statement in [STOP_PENDING, STOP_RUNNING] {
        let values = values![
            scope,
            now,
            connection.kind(),
            connection.id(),
            mode.as_str()
        ];
        stopped += tx.execute(statement, values).await?;
    }
    Ok(stopped > 0)
}

/// Ends the connection's job of this mode if it still waits; one that runs goes on. `false` when none waits.
pub async fn end_pending(
    tx: &mut Tx,
    scope: AccountScope,
    connection: Connection,
    mode: JobMode,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let values = values![
        scope,
        now,
        connection.kind(),
        connection.id(),
        mode.as_str()
    ];
    Ok(tx.execute(STOP_PENDING, values).await? > 0)
}

/// Ends the connection's check, running or not, to make room for a new one. Its worker loses the lease. `false` when there
/// is none.
pub async fn supersede_checks(
    tx: &mut Tx,
    scope: AccountScope,
    connection: Connection,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let values = values![
        scope,
        now,
        connection.kind(),
        connection.id(),
        JobMode::Check.as_str()
    ];
    Ok(tx.execute(SUPERSEDE, values).await? > 0)
}

/// Stops every job of the account as [`request_stop`] does.
pub(crate) async fn stop_account(
    tx: &mut Tx,
    scope: AccountScope,
    now: Timestamp,
) -> Result<(), StoreError> {
    for statement in [STOP_ACCOUNT_PENDING, STOP_ACCOUNT_RUNNING] {
        tx.execute(statement, values![scope, now]).await?;
    }
    Ok(())
}
