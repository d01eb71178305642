//! Where job logs come from: files or objects that somebody else keeps.

use std::io;
use std::pin::Pin;

use async_trait::async_trait;
use selvedge_types::AccountScope;
use selvedge_types::job::JobName;
use tokio::io::AsyncRead;

/// The text of a log, as it comes.
pub type LogReader = Pin<Box<dyn AsyncRead + Send>>;

/// The logs of jobs.
#[async_trait]
pub trait JobLogs: Send + Sync {
    /// The log of a job of the account, as UTF-8 lines. `None` when there is none (not yet, or no longer).
    async fn open(&self, scope: AccountScope, job: &JobName) -> io::Result<Option<LogReader>>;
}
