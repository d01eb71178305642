//! One module per endpoint.

pub(crate) mod batch;
pub(crate) mod push;
pub(crate) mod status;
pub(crate) mod webhook;

use selvedge_intake::{Intake, Refusal};
use selvedge_types::AccountId;

use crate::Gate;
use crate::answer::{Answer, CANNOT_KEEP};
use crate::body::ReadBody;

/// A smaller body is looked at where the request is served: handing it over would take longer.
const LARGE_BYTES: usize = 32 << 10;

/// Looks at a body, large ones where computing for long is allowed, so many at a time as there are turns.
async fn examine(
    gate: &Gate,
    account: AccountId,
    body: &ReadBody,
    check: impl FnOnce(bytes::Bytes) -> Result<Intake, Refusal> + Send + 'static,
) -> Result<Intake, Answer> {
    let bytes = body.bytes.clone();
    if bytes.len() < LARGE_BYTES {
        return check(bytes).map_err(Answer::Refused);
    }
    let worker = gate.turns.worker(account, gate.settings.patience).await;
    let worker = worker.map_err(|_| Answer::Unavailable(CANNOT_KEEP))?;
    let examined = tokio::task::spawn_blocking(move || {
        let examined = check(bytes);
        drop(worker);
        examined
    });
    match examined.await {
        Ok(examined) => examined.map_err(Answer::Refused),
        Err(error) => {
            tracing::error!(%error, "the check of a body crashed");
            Err(Answer::Unavailable(CANNOT_KEEP))
        }
    }
}
