//! Work that ends when it is asked to stop, or when it takes too long.

use std::time::Duration;

use selvedge_connector::{ConnectorError, ErrorKind};
use tokio_util::sync::CancellationToken;

/// Runs `work` until it is done, `stop` is cancelled or `limit` has passed.
pub(crate) async fn guarded<T>(
    stop: &CancellationToken,
    limit: Duration,
    work: impl Future<Output = Result<T, ConnectorError>>,
) -> Result<T, ConnectorError> {
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(ConnectorError::stopped()),
        outcome = tokio::time::timeout(limit, work) => outcome.unwrap_or_else(|_| {
            Err(ConnectorError::new(ErrorKind::Unreachable, "The server did not answer in time."))
        }),
    }
}
