//! Waiting for a state, never for a time.

use std::fmt::Debug;
use std::time::Duration;

use tokio::time::Instant;

const POLL: Duration = Duration::from_millis(20);

/// Asks again and again until `probe` answers `Ok`, and returns that.
///
/// # Panics
/// When `deadline` has passed: the text names `what` was waited for and the last `Err`, which says how far it was.
pub async fn wait_until<T, E, F>(what: &str, deadline: Duration, mut probe: F) -> T
where
    E: Debug,
    F: AsyncFnMut() -> Result<T, E>,
{
    let started = Instant::now();
    loop {
        let state = match probe().await {
            Ok(value) => return value,
            Err(state) => state,
        };
        assert!(
            started.elapsed() < deadline,
            "waited {deadline:?} in vain for {what}; the last state was {state:?}"
        );
        tokio::time::sleep(POLL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waiting_ends_with_the_first_ok() {
        let mut calls = 0;
        let value = wait_until("three calls", Duration::from_secs(60), async || {
            calls += 1;
            if calls == 3 { Ok(calls) } else { Err(calls) }
        })
        .await;
        assert_eq!(value, 3);
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "in vain for the end; the last state was \"half way\"")]
    async fn waiting_in_vain_names_the_last_state() {
        wait_until("the end", Duration::from_secs(1), async || {
            Err::<(), _>("half way")
        })
        .await;
    }
}
