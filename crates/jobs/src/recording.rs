//! Recording the end of a job in a store that is not always there: its disk is full, or its server starts again.

use std::error::Error;
use std::time::Duration;

use selvedge_control::ControlError;
use selvedge_store::StoreError;
use selvedge_store::jobs::ClaimedJob;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::lease::LEASE_SECONDS;

/// How long an end is kept in memory. The last heartbeat is older than that: the lease is over, and whoever claims the job
/// next finds in the destination what was done.
const PATIENCE: Duration = Duration::from_secs(LEASE_SECONDS.unsigned_abs());
/// Before the second attempt; doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Calls `record` until the store takes the end of `job`, whether as news or as that of a lease that was lost (`false`).
/// Gives up with the last error once the lease is over, or as soon as the server ends at once (`abort`).
pub(crate) async fn record_end<F>(
    job: &ClaimedJob,
    abort: &CancellationToken,
    record: impl Fn() -> F,
) -> Result<bool, ControlError>
where
    F: Future<Output = Result<bool, ControlError>>,
{
    let give_up_at = Instant::now() + PATIENCE;
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match record().await {
            Err(error @ ControlError::Store(StoreError::Unavailable(_))) => error,
            ended => return ended,
        };
        let next = Instant::now() + pause;
        if next >= give_up_at {
            return Err(error);
        }
        {
            let error: &dyn Error = &error;
            tracing::warn!(job.name = %job.name, error, "the end of a job could not be recorded; it is tried again");
        }
        tokio::select! {
            () = tokio::time::sleep_until(next) => {}
            () = abort.cancelled() => return Err(error),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use selvedge_store::{Connection, DriverError};
    use selvedge_types::job::JobMode;
    use selvedge_types::{AccountId, AccountScope, SourceId, Timestamp};

    use super::*;

    fn job() -> ClaimedJob {
        ClaimedJob {
            name: "100000.100001.sync.1154e221-230d-4de6-a3fc-38b137ed6061"
                .parse()
                .unwrap(),
            scope: AccountScope::of(AccountId(100_000)),
            connection: Connection::Source(SourceId(100_001)),
            mode: JobMode::Sync,
            fence: 1,
            attempts: 1,
            stop_requested: false,
            created_at: Timestamp::from_micros(0),
            started_at: Timestamp::from_micros(0),
        }
    }

    fn full() -> ControlError {
        let driver = DriverError {
            code: Some("13".to_owned()),
            message: "database or disk is full".to_owned(),
        };
        StoreError::Unavailable(driver).into()
    }

    /// Records with `answer`, which is told the number of the attempt, from 1.
    async fn record(
        abort: &CancellationToken,
        answer: impl Fn(u32) -> Result<bool, ControlError>,
    ) -> (Result<bool, ControlError>, u32) {
        let attempts = Cell::new(0);
        let job = job();
        let ended = record_end(&job, abort, || {
            attempts.set(attempts.get() + 1);
            std::future::ready(answer(attempts.get()))
        });
        (ended.await, attempts.get())
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_is_recorded_when_the_store_is_back() {
        let answer = |attempt| if attempt < 8 { Err(full()) } else { Ok(true) };
        let (ended, attempts) = record(&CancellationToken::new(), answer).await;
        assert!(matches!(ended, Ok(true)), "{ended:?}");
        assert_eq!(attempts, 8);
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_a_lost_lease_is_not_tried_again() {
        let (ended, attempts) = record(&CancellationToken::new(), |_| Ok(false)).await;
        assert!(matches!(ended, Ok(false)), "{ended:?}");
        assert_eq!(attempts, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_is_given_up_when_the_lease_is_over() {
        let began = Instant::now();
        let (ended, attempts) = record(&CancellationToken::new(), |_| Err(full())).await;
        assert!(matches!(ended, Err(ControlError::Store(_))), "{ended:?}");
        assert!(attempts > 5, "{attempts}");
        let took = began.elapsed();
        assert!(
            took <= PATIENCE && took > PATIENCE - LONGEST_PAUSE,
            "{took:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_ends_at_once_does_not_wait_for_the_store() {
        let abort = CancellationToken::new();
        abort.cancel();
        let (ended, attempts) = record(&abort, |_| Err(full())).await;
        assert!(ended.is_err(), "{ended:?}");
        assert_eq!(attempts, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_will_never_succeed_is_not_tried_again() {
        let (ended, attempts) = record(&CancellationToken::new(), |_| {
            Err(StoreError::WrongMasterKey.into())
        })
        .await;
        assert!(ended.is_err(), "{ended:?}");
        assert_eq!(attempts, 1);
    }
}
