//! Where objects are kept: what a load asks of a directory and of a bucket alike.

use async_trait::async_trait;
use selvedge_connector::{CheckReport, ConnectorError};
use tokio_util::sync::CancellationToken;

use crate::spool::Sealed;

/// Objects by key. A key is a path of [`crate::key_template::segment`]s with `/` between them.
#[async_trait]
pub(crate) trait Store: Send + Sync {
    /// The bucket that the objects are in, if they are in one.
    fn bucket(&self) -> Option<&str> {
        None
    }

    /// Tests what a load will do; leaves nothing behind.
    async fn check(&self) -> CheckReport;

    /// Whether there is an object.
    async fn exists(&self, key: &str) -> Result<bool, ConnectorError>;

    /// Whether the object is the one that was made with `token`, as far as the place can tell.
    async fn holds(&self, key: &str, token: &str) -> Result<bool, ConnectorError>;

    /// A small object's content, `None` when there is none.
    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, ConnectorError>;

    /// Puts a small object in the place of the one there is, if there is one; durable on return.
    async fn replace(&self, key: &str, content: Vec<u8>) -> Result<(), ConnectorError>;

    /// Makes an object of a file, unless the key has one already. Visible as a whole or not at all, durable on return.
    /// `token` is unique to the object.
    async fn create(
        &self,
        key: &str,
        sealed: Sealed,
        token: &str,
    ) -> Result<Creation, ConnectorError>;
}

/// What became of a file.
#[derive(Debug)]
pub(crate) enum Creation {
    Created,
    /// The key has another object, which stays as it is.
    Taken(Sealed),
}

/// Lets `work` go on until the run is aborted.
pub(crate) async fn unless_stopped<T>(
    stop: &CancellationToken,
    work: impl Future<Output = Result<T, ConnectorError>>,
) -> Result<T, ConnectorError> {
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(ConnectorError::stopped()),
        done = work => done,
    }
}
