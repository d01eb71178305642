//! `_sdc_selvedge_commits`: what each stream committed last, in the same transaction as its rows.
//!
//! | Column | Content |
//! | --- | --- |
//! | `source_id`, `tap_stream_id` | the stream |
//! | `epoch`, `checkpoint`, `position` | how far it came, and in which of its lives |
//! | `fence` | the fencing number of the run; a smaller one may not commit any more |
//! | `table_name`, `table_version` | the table, and the version that is complete in it |
//! | `loading` | 1 from the first row of a first load until its key is built |
//! | `committed_at` | when |

use rusqlite::{Connection, OptionalExtension, params};
use selvedge_connector::{ConnectorError, ErrorKind, StreamIdentity};
use selvedge_types::Timestamp;

use crate::connect::File;
use crate::error::explain;
use crate::structure::quoted;

/// The marks of one schema.
#[derive(Clone, Debug)]
pub(crate) struct Marks {
    /// Name of the marks' table.
    pub(crate) table: String,
    pub(crate) identity: StreamIdentity,
    pub(crate) fence: i64,
}

/// What the marks say about a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct TableMark {
    /// A first load of the table was begun and not finished.
    pub(crate) loading: bool,
    /// The newest version that the stream completed in its present life.
    pub(crate) table_version: i64,
    /// The position of the stream's last commit to the table in its present life.
    pub(crate) position: Option<String>,
}

impl Marks {
    /// What is known of `data_table`.
    pub(crate) fn about(
        &self,
        connection: &Connection,
        data_table: &str,
    ) -> Result<TableMark, ConnectorError> {
        if !self.exist(connection)? {
            return Ok(TableMark::default());
        }
        connection
            .query_row(
                &format!(
                    "select coalesce(max(loading), 0),
                            coalesce(max(table_version) filter (
                              where source_id = ?2 and tap_stream_id = ?3 and epoch = ?4
                            ), 0),
                            max(position) filter (
                              where source_id = ?2 and tap_stream_id = ?3 and epoch = ?4
                            )
                     from {}
                     where table_name = ?1",
                    quoted(&self.table)
                ),
                params![
                    data_table,
                    self.identity.source_id,
                    self.identity.tap_stream_id,
                    self.identity.epoch
                ],
                |row| {
                    Ok(TableMark {
                        loading: row.get(0)?,
                        table_version: row.get(1)?,
                        position: row.get(2)?,
                    })
                },
            )
            .map_err(|error| explain(&error))
    }

    /// Whether anything was ever committed in the schema.
    pub(crate) fn exist(&self, connection: &Connection) -> Result<bool, ConnectorError> {
        connection
            .query_row(
                "select exists (select 1 from sqlite_schema where type = 'table' and name = ?1)",
                params![self.table],
                |row| row.get(0),
            )
            .map_err(|error| explain(&error))
    }

    /// Refuses when a newer run of the stream was here.
    pub(crate) fn check_fence(&self, connection: &Connection) -> Result<(), ConnectorError> {
        if !self.exist(connection)? {
            return Ok(());
        }
        let seen: Option<i64> = connection
            .query_row(
                &format!(
                    "select fence from {} where source_id = ?1 and tap_stream_id = ?2",
                    quoted(&self.table)
                ),
                params![self.identity.source_id, self.identity.tap_stream_id],
                |row| row.get(0),
            )
            .optional()
            .map_err(|error| explain(&error))?;
        match seen {
            Some(seen) if seen > self.fence => Err(ConnectorError::new(
                ErrorKind::Stopped,
                "a newer run of this stream has written to the destination",
            )),
            _ => Ok(()),
        }
    }

    pub(crate) fn create(&self, file: &File) -> Result<(), ConnectorError> {
        file.execute(&format!(
            "create table if not exists {} (
               source_id bigint not null,
               tap_stream_id text not null,
               epoch bigint not null,
               checkpoint bigint not null,
               position text,
               fence bigint not null,
               table_name text not null,
               table_version bigint not null,
               loading boolean not null,
               committed_at timestamp_text not null,
               primary key (source_id, tap_stream_id)
             )",
            quoted(&self.table)
        ))
    }

    /// Notes a commit.
    pub(crate) fn put(
        &self,
        connection: &Connection,
        data_table: &str,
        mark: &TableMark,
        checkpoint: i64,
        now: Timestamp,
    ) -> Result<(), ConnectorError> {
        let table = quoted(&self.table);
        let put = || {
            connection.execute(
                &format!(
                    "insert or replace into {table}
                       (source_id, tap_stream_id, epoch, checkpoint, position, fence, table_name, table_version, loading, committed_at)
                     values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
                ),
                params![
                    self.identity.source_id,
                    self.identity.tap_stream_id,
                    self.identity.epoch,
                    checkpoint,
                    mark.position,
                    self.fence,
                    data_table,
                    mark.table_version,
                    mark.loading,
                    now.to_micros_string(),
                ],
            )?;
            // Another stream may have begun the table that this one has finished.
            connection.execute(
                &format!("update {table} set loading = ?2 where table_name = ?1 and loading <> ?2"),
                params![data_table, mark.loading],
            )
        };
        put().map(|_| ()).map_err(|error| explain(&error))
    }
}
