//! Telling hooks of loads: the outbox, emptied.
//!
//! A message is claimed, posted and then deleted, put off, or given up after its last attempt. Of one hook's messages one is
//! under way at a time. Whoever dies between the receiver's answer and its record leaves the message to the next one: a
//! receiver may get a message twice, under the same `webhook-id`.

mod request;
mod signature;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use selvedge_control::Control;
use selvedge_net::Dialer;
use selvedge_net::tls::{InvalidAuthority, Verification, client_config};
use selvedge_store::hook_messages::{self, ClaimedMessage};
use selvedge_store::{StoreError, Tx};
use selvedge_types::{Clock, Timestamp};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::request::{Failure, Receivers};
use crate::metrics;

/// How often the outbox is looked at: the longest a message waits for its first attempt.
const POLL_EVERY: Duration = Duration::from_millis(500);
/// How long the outbox is left alone after it could not be read.
const CLAIM_RETRY_SECONDS: i64 = 1;
/// Receivers that are being told at the same time. Each costs little but its time.
const AT_ONCE: usize = 64;
/// Longer than any attempt takes, with its record.
const CLAIM_SECONDS: i64 = 90;
/// What an attempt under way gets to come to its end when the server stops.
const STOP_GRACE: Duration = Duration::from_secs(3);

/// What the operator decides about the delivery of hooks.
#[derive(Clone, Debug)]
pub struct DeliverySettings {
    /// Pauses before the second attempt, the third, and so on; behind the last one a message is given up.
    pub retry_after: Vec<Duration>,
    /// No other server can be alive on this store, so claims found at start belong to the dead.
    pub sole_worker: bool,
}

/// Delivers messages until it is stopped.
pub struct Delivery {
    courier: Arc<Courier>,
    sole_worker: bool,
}

/// What all deliveries share.
struct Courier {
    control: Control,
    clock: Arc<dyn Clock>,
    receivers: Receivers,
    retry_after: Vec<Duration>,
}

impl Delivery {
    /// # Errors
    /// The public certificate authorities cannot be used.
    pub fn new(
        control: Control,
        dialer: Dialer,
        clock: Arc<dyn Clock>,
        settings: DeliverySettings,
    ) -> Result<Self, InvalidAuthority> {
        let receivers = Receivers {
            dialer,
            tls: client_config(&Verification::PublicRoots)?,
            allow_http: control.settings().allow_http_hooks,
        };
        Ok(Self {
            courier: Arc::new(Courier {
                control,
                clock,
                receivers,
                retry_after: settings.retry_after,
            }),
            sole_worker: settings.sole_worker,
        })
    }

    /// Works until `stop`; then what is under way has a moment to come to its end, or none on `abort`.
    pub async fn run(self, stop: CancellationToken, abort: CancellationToken) {
        let Self {
            courier,
            sole_worker,
        } = self;
        if sole_worker && let Err(error) = courier.write(hook_messages::release_all).await {
            report(
                &error,
                "messages of an earlier server wait until their claims end",
            );
        }
        let mut tasks: JoinSet<()> = JoinSet::new();
        let mut every = tokio::time::interval(POLL_EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut claim_at = Timestamp::from_micros(0);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(joined) = tasks.join_next(), if !tasks.is_empty() => crashed(joined),
                _ = every.tick() => {}
            }
            let now = courier.clock.now();
            while now >= claim_at && tasks.len() < AT_ONCE {
                match courier.claim().await {
                    Ok(Some(message)) => {
                        let courier = Arc::clone(&courier);
                        let (stop, abort) = (stop.clone(), abort.clone());
                        tasks.spawn(async move { courier.deliver(message, &stop, &abort).await });
                    }
                    Ok(None) => break,
                    Err(error) => {
                        report(&error, "the outbox of hooks could not be read");
                        claim_at = now.plus_seconds(CLAIM_RETRY_SECONDS);
                    }
                }
            }
        }
        while let Some(joined) = tasks.join_next().await {
            crashed(joined);
        }
    }
}

impl Courier {
    async fn claim(&self) -> Result<Option<ClaimedMessage>, StoreError> {
        let now = self.clock.now();
        let mut reading = self.control.store().read().await?;
        if !hook_messages::any_due(&mut reading, now).await? {
            return Ok(None);
        }
        drop(reading);
        self.write(async |tx| hook_messages::claim(tx, now, CLAIM_SECONDS).await)
            .await
    }

    async fn write<T>(
        &self,
        work: impl AsyncFnOnce(&mut Tx) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut tx = self.control.store().begin().await?;
        let value = work(&mut tx).await?;
        tx.commit().await?;
        Ok(value)
    }

    /// Makes one attempt, and records what came of it.
    async fn deliver(
        &self,
        message: ClaimedMessage,
        stop: &CancellationToken,
        abort: &CancellationToken,
    ) {
        let stopped = async {
            stop.cancelled().await;
            tokio::select! {
                () = tokio::time::sleep(STOP_GRACE) => {}
                () = abort.cancelled() => {}
            }
        };
        let (scope, id) = (message.scope, &message.id);
        let recorded = tokio::select! {
            biased;
            attempted = self.attempt(&message) => {
                let verdict = self.judge(&message, attempted);
                self.record(&message, verdict).await
            }
            () = stopped => {
                self.write(async |tx| hook_messages::release(tx, scope, id).await).await
            }
        };
        if let Err(error) = recorded {
            report(
                &error,
                "what became of a message could not be recorded; it is delivered again",
            );
        }
    }

    async fn attempt(&self, message: &ClaimedMessage) -> Result<(), Failure> {
        let content = message.content.as_ref().map_err(|_| Failure::Unreadable)?;
        let seconds = self.clock.now().as_micros().div_euclid(1_000_000);
        let signature = signature::sign(&content.secret, &message.id, seconds, &content.body)
            .ok_or(Failure::Unreadable)?;
        self.receivers
            .post(
                &message.url,
                content.body.clone(),
                [
                    ("webhook-id", message.id.clone()),
                    ("webhook-timestamp", seconds.to_string()),
                    ("webhook-signature", signature),
                ],
            )
            .await
    }

    /// Says what came of an attempt, and what is to become of the message.
    fn judge(&self, message: &ClaimedMessage, attempted: Result<(), Failure>) -> Verdict {
        let (account, hook, id) = (message.scope.account(), message.hook, &message.id);
        let attempt = message.attempts + 1;
        let failure = match attempted {
            Ok(()) => {
                metrics::hook_attempted("delivered");
                tracing::debug!(account.id = %account, hook.id = %hook, message.id = %id, attempt, "hook told of a load");
                return Verdict::Over;
            }
            Err(failure) => failure,
        };
        let pause = match failure {
            Failure::Unreadable => None,
            _ => pause(&self.retry_after, id, message.attempts),
        };
        let error: &(dyn Error + 'static) = &failure;
        let Some(pause) = pause else {
            metrics::hook_attempted("given_up");
            tracing::error!(
                account.id = %account, hook.id = %hook, message.id = %id, attempt, error,
                "critical: a hook could not be told of a load; the message is given up"
            );
            return Verdict::Over;
        };
        metrics::hook_attempted("failed");
        tracing::info!(
            account.id = %account, hook.id = %hook, message.id = %id, attempt, error,
            "a hook could not be told of a load; it is tried again"
        );
        let pause_micros = i64::try_from(pause.as_micros()).unwrap_or(i64::MAX);
        let now = self.clock.now().as_micros();
        Verdict::Later {
            at: Timestamp::from_micros(now.saturating_add(pause_micros)),
            why: chain(error),
        }
    }

    async fn record(&self, message: &ClaimedMessage, verdict: Verdict) -> Result<(), StoreError> {
        let (scope, id) = (message.scope, message.id.as_str());
        self.write(async |tx| match &verdict {
            Verdict::Over => hook_messages::delete(tx, scope, id).await,
            Verdict::Later { at, why } => hook_messages::postpone(tx, scope, id, *at, why).await,
        })
        .await
    }
}

/// What becomes of a message after an attempt.
enum Verdict {
    /// It was taken, or is given up.
    Over,
    /// It is tried again.
    Later { at: Timestamp, why: String },
}

/// How long a message waits after one more failure on top of `failures`, a fifth more or less: messages that failed
/// together do not come back together. `None` when that was the last attempt.
fn pause(retry_after: &[Duration], id: &str, failures: u32) -> Option<Duration> {
    let failures = usize::try_from(failures).ok()?;
    let pause = retry_after.get(failures)?;
    // The digits of an id are as random as any.
    let digit = id.chars().rev().nth(failures)?.to_digit(16)?;
    Some(pause.mul_f64(0.8 + 0.4 * f64::from(digit) / 15.0))
}

/// An error with its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn report(error: &StoreError, what: &str) {
    let error: &dyn Error = error;
    tracing::error!(error, "{what}");
}

fn crashed(joined: Result<(), tokio::task::JoinError>) {
    if let Err(error) = joined {
        tracing::error!(%error, "the delivery of a message crashed; it is made again when its claim ends");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_end_behind_the_last_pause() {
        let id = "msg_000000000000000000000000000000f0";
        let retry_after = [Duration::from_secs(10), Duration::from_secs(100)];
        let pause = |failures| pause(&retry_after, id, failures);
        assert_eq!(pause(0), Some(Duration::from_secs(8)));
        assert_eq!(pause(1), Some(Duration::from_secs(120)));
        assert_eq!(pause(2), None);
    }
}
