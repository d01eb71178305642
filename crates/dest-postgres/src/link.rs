//! The session that a load works through: every wait on the server also listens for the order to stop.

use std::future::Future;

use selvedge_connector::ConnectorError;
use selvedge_postgres::{Session, connector_error};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// Values of a statement's parameters.
pub(crate) type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

pub(crate) struct Link {
    session: Session,
    stop: CancellationToken,
}

impl Link {
    pub(crate) fn new(session: Session, stop: CancellationToken) -> Self {
        Self { session, stop }
    }

    pub(crate) fn client(&self) -> &Client {
        self.session.client()
    }

    pub(crate) fn server_version(&self) -> u32 {
        self.session.server_version()
    }

    /// Waits for `work`, or for the stop. After a stop the session is of no use any more: dropping it rolls back.
    pub(crate) async fn run<T>(
        &self,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, ConnectorError> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => {
                // Otherwise the server would finish a long statement for nobody, holding its locks.
                if let Err(error) = self.session.cancel().await {
                    debug!(%error, "the cancel request did not get through");
                }
                Err(ConnectorError::stopped())
            }
            result = work => result.map_err(|error| connector_error(&error)),
        }
    }

    /// Runs statements without parameters.
    pub(crate) async fn execute(&self, sql: &str) -> Result<(), ConnectorError> {
        self.run(self.client().batch_execute(sql)).await
    }

    /// Runs one statement; the number of rows it touched.
    pub(crate) async fn count(
        &self,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<u64, ConnectorError> {
        self.run(self.client().execute(sql, parameters)).await
    }

    pub(crate) async fn query(
        &self,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, ConnectorError> {
        self.run(self.client().query(sql, parameters)).await
    }

    /// The only row of a query that always has one.
    pub(crate) async fn query_one(
        &self,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<Row, ConnectorError> {
        self.run(self.client().query_one(sql, parameters)).await
    }

    /// Runs `sql` inside the open transaction. `false` when it failed with SQLSTATE `code`: then the transaction is as it
    /// was before, and goes on.
    pub(crate) async fn attempt(&self, sql: &str, code: &str) -> Result<bool, ConnectorError> {
        self.execute("savepoint attempt").await?;
        match self.execute(sql).await {
            Ok(()) => {
                self.execute("release savepoint attempt").await?;
                Ok(true)
            }
            Err(error) if error.code.as_deref() == Some(code) => {
                self.execute("rollback to savepoint attempt; release savepoint attempt")
                    .await?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// The same for a statement whose row count matters; `None` when it failed with `code`.
    pub(crate) async fn attempt_count(
        &self,
        sql: &str,
        code: &str,
    ) -> Result<Option<u64>, ConnectorError> {
        self.execute("savepoint attempt").await?;
        match self.count(sql, &[]).await {
            Ok(rows) => {
                self.execute("release savepoint attempt").await?;
                Ok(Some(rows))
            }
            Err(error) if error.code.as_deref() == Some(code) => {
                self.execute("rollback to savepoint attempt; release savepoint attempt")
                    .await?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn close(self) {
        self.session.close().await;
    }
}

/// A value out of a row of our own queries; the type is known, so a failure is ours.
pub(crate) fn get<'a, T: tokio_postgres::types::FromSql<'a>>(
    row: &'a Row,
    column: &str,
) -> Result<T, ConnectorError> {
    row.try_get(column).map_err(|error| {
        ConnectorError::internal(format!("an answer of the server has no usable {column}"))
            .with_detail(error.to_string())
    })
}
