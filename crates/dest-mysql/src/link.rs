//! The session that a load works through: every wait on the server also listens for the order to stop.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use mysql_async::prelude::{FromValue, Queryable};
use mysql_async::{Conn, Error, Row, Value};
use selvedge_connector::{ConnectorError, ErrorKind};
use selvedge_net::Dialer;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::config::MysqlConfig;
use crate::connect::connect;
use crate::error::{connector_error, without_values};
use crate::server::Server;
use crate::sql::quote_identifier;

/// How long it may take to tell the server to stop; the session is given up anyway.
const KILL_TIMEOUT: Duration = Duration::from_secs(5);
/// Rows go over the wire in packets of this size, far below any server's `max_allowed_packet`.
const PACKET: usize = 128 * 1024;

pub(crate) struct Link {
    conn: Conn,
    server: Server,
    config: MysqlConfig,
    dialer: Dialer,
    stop: CancellationToken,
}

impl Link {
    /// Connects and asks who answers.
    pub(crate) async fn open(
        config: &MysqlConfig,
        dialer: &Dialer,
        stop: CancellationToken,
    ) -> Result<Self, ConnectorError> {
        let connected = tokio::select! {
            biased;
            () = stop.cancelled() => return Err(ConnectorError::stopped()),
            connected = Box::pin(connect(config, dialer)) => connected,
        };
        let mut link = Self {
            conn: connected?,
            server: Server::new(""),
            config: config.clone(),
            dialer: dialer.clone(),
            stop,
        };
        let row = link
            .query_one("select version() as version", vec![])
            .await?;
        link.server = Server::new(&get::<String>(&row, "version")?);
        Ok(link)
    }

    pub(crate) fn server(&self) -> Server {
        self.server
    }

    /// Runs one statement without parameters.
    pub(crate) async fn execute(&mut self, sql: &str) -> Result<(), ConnectorError> {
        let outcome = unless_stopped(&self.stop, self.conn.query_drop(sql)).await;
        self.settle(outcome).await
    }

    /// Names every table by its schema all the same: the server only wants one to be chosen where a statement has a subquery.
    pub(crate) async fn use_schema(&mut self, schema: &str) -> Result<(), ConnectorError> {
        self.execute(&format!("use {}", quote_identifier(schema)))
            .await
    }

    /// Runs one statement; the number of rows it touched. An update to the same values touches nothing.
    pub(crate) async fn count(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<u64, ConnectorError> {
        let outcome = match parameters.is_empty() {
            true => unless_stopped(&self.stop, self.conn.query_drop(sql)).await,
            false => unless_stopped(&self.stop, self.conn.exec_drop(sql, parameters)).await,
        };
        self.settle(outcome).await?;
        Ok(self.conn.affected_rows())
    }

    /// [`Link::count`] for a statement that may fail with `code`, of which then nothing happened: `None`.
    pub(crate) async fn attempt(
        &mut self,
        sql: &str,
        code: u16,
    ) -> Result<Option<u64>, ConnectorError> {
        match self.count(sql, vec![]).await {
            Ok(rows) => Ok(Some(rows)),
            Err(error) if error.code.as_deref() == Some(code.to_string().as_str()) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn query(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<Vec<Row>, ConnectorError> {
        let outcome = match parameters.is_empty() {
            true => unless_stopped(&self.stop, self.conn.query(sql)).await,
            false => unless_stopped(&self.stop, self.conn.exec(sql, parameters)).await,
        };
        self.settle(outcome).await
    }

    /// The only row of a query that always has one.
    pub(crate) async fn query_one(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<Row, ConnectorError> {
        let rows = self.query(sql, parameters).await?;
        rows.into_iter()
            .next()
            .ok_or_else(|| ConnectorError::internal("the server answered without a row"))
    }

    /// Sends encoded rows into `columns`, a list, of `table`, a quoted name; the number of rows that arrived.
    ///
    /// With `LOCAL` the server turns what would be an error into a warning and bends or skips the value, even in strict mode.
    /// So a single warning fails the load.
    pub(crate) async fn load(
        &mut self,
        table: &str,
        columns: &str,
        rows: Bytes,
    ) -> Result<u64, ConnectorError> {
        let packets: Vec<_> = (0..rows.len())
            .step_by(PACKET)
            .map(|start| Ok(rows.slice(start..rows.len().min(start + PACKET))))
            .collect();
        self.conn
            .set_infile_handler(async move { Ok(stream::iter(packets).boxed()) });
        let statement = format!(
            "load data local infile 'selvedge' into table {table} character set utf8mb4
             fields terminated by '\\t' escaped by '\\\\' lines terminated by '\\n' ({columns})"
        );
        let outcome = unless_stopped(&self.stop, self.conn.query_drop(&statement)).await;
        self.settle(outcome).await?;
        let (arrived, warnings) = (self.conn.affected_rows(), self.conn.get_warnings());
        if warnings > 0 {
            let text = self.first_warning().await?;
            return Err(ConnectorError::new(
                ErrorKind::Data,
                "The server would have changed a value while loading it.",
            )
            .with_detail(text));
        }
        Ok(arrived)
    }

    async fn first_warning(&mut self) -> Result<String, ConnectorError> {
        let row = self.query_one("show warnings limit 1", vec![]).await?;
        Ok(without_values(&get::<String>(&row, "Message")?))
    }

    /// Whether the order to stop has come: then the session is of no use any more.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    pub(crate) async fn close(self) {
        if let Err(error) = self.conn.disconnect().await {
            debug!(%error, "the server did not hear the goodbye");
        }
    }

    /// After a stop the session is of no use any more: dropping it rolls back.
    async fn settle<T>(&self, outcome: Option<Result<T, Error>>) -> Result<T, ConnectorError> {
        match outcome {
            Some(result) => result.map_err(|error| connector_error(&error)),
            None => {
                // Otherwise the server would finish a long statement for nobody, holding its locks.
                let told = tokio::time::timeout(KILL_TIMEOUT, Box::pin(self.kill())).await;
                match told {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => debug!(%error, "the server was not told to stop"),
                    Err(_) => debug!("the server was not told to stop in time"),
                }
                Err(ConnectorError::stopped())
            }
        }
    }

    async fn kill(&self) -> Result<(), ConnectorError> {
        let mut messenger = connect(&self.config, &self.dialer).await?;
        let killed = messenger
            .query_drop(format!("kill {}", self.conn.id()))
            .await;
        killed.map_err(|error| connector_error(&error))
    }
}

async fn unless_stopped<T>(
    stop: &CancellationToken,
    work: impl Future<Output = Result<T, Error>> + Send,
) -> Option<Result<T, Error>> {
    tokio::select! {
        biased;
        () = stop.cancelled() => None,
        result = work.boxed() => Some(result),
    }
}

/// A value out of a row of our own queries; the type is known, so a failure is ours.
pub(crate) fn get<T: FromValue>(row: &Row, column: &str) -> Result<T, ConnectorError> {
    match row.get_opt(column) {
        Some(Ok(value)) => Ok(value),
        _ => Err(ConnectorError::internal(format!(
            "an answer of the server has no usable {column}"
        ))),
    }
}
