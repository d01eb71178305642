//! Reading one stream, on a blocking thread, in one read transaction.

use std::path::PathBuf;

use rusqlite::Connection;
use selvedge_connector::{
    ConnectorError, EventSender, KeyOrder, LogLevel, ReadContext, ReadMethod, SourceEvent,
    StreamRead,
};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::columns::BatchBuilder;
use crate::connect::open_snapshot;
use crate::declared::declared_scale;
use crate::error::explain;
use crate::key::{KeyCursor, Query, full_table};
use crate::structure::{self, TableColumn, quoted};

/// Reads the stream to its end. To be called on a blocking thread of the runtime behind `runtime`.
pub(crate) fn read_stream(
    path: PathBuf,
    ctx: ReadContext,
    stream: &StreamRead,
    out: EventSender,
    runtime: &Handle,
) -> Result<(), ConnectorError> {
    let connection = open_snapshot(&path, &ctx.stop)?;
    let table = &stream.location.table;
    let columns = chosen_columns(&connection, stream)?;
    let scales: Vec<Option<u32>> = columns
        .iter()
        .map(|column| declared_scale(&column.declared))
        .collect();
    let selected = columns
        .iter()
        .map(|column| format!("t.{}", quoted(&column.name)))
        .collect::<Vec<_>>()
        .join(", ");
    let (mut key, queries) = match &stream.method {
        ReadMethod::FullTable => (None, vec![full_table(&selected, table)]),
        ReadMethod::Incremental { key, from } => {
            let index = stream.schema.index_of(key).ok_or_else(|| {
                ConnectorError::configuration(format!(
                    "the replication key {key} is not among the selected columns"
                ))
            })?;
            let field = &stream.schema.fields[index];
            let cursor = KeyCursor::new(&columns[index], index, &field.logical_type)?;
            let queries = cursor.queries(&selected, table, from.as_ref())?;
            (Some(cursor), queries)
        }
    };
    let batch = BatchBuilder::new(stream.schema.clone(), &scales, ctx.fidelity)?;
    let mut reader = Reader {
        batch,
        order: KeyOrder::default(),
        batch_bytes: ctx.batch_bytes,
        batch_rows: ctx.batch_rows,
        outlet: Outlet {
            out,
            stop: ctx.stop,
            runtime: runtime.clone(),
        },
    };
    for query in &queries {
        let key = key.as_mut().filter(|_| query.advances);
        reader.run(&connection, query, key)?;
    }
    reader.say_what_changed(key.as_ref())
}

/// The columns of the table that the fields name, in the fields' order.
fn chosen_columns(
    connection: &Connection,
    stream: &StreamRead,
) -> Result<Vec<TableColumn>, ConnectorError> {
    let mut columns =
        structure::columns(connection, &stream.location.table).map_err(|error| explain(&error))?;
    if columns.is_empty() {
        return Err(ConnectorError::configuration(
            "the table is no longer in the SQLite file: deselect it, or restore it",
        ));
    }
    stream
        .schema
        .fields
        .iter()
        .map(|field| {
            let place = columns
                .iter()
                .position(|column| column.name == field.name)
                .ok_or_else(|| {
                    ConnectorError::configuration(format!(
                        "the column {} is no longer in the table: refresh the stream's structure",
                        field.name
                    ))
                })?;
            Ok(columns.swap_remove(place))
        })
        .collect()
}

/// Rows on their way out.
struct Reader {
    batch: BatchBuilder,
    order: KeyOrder,
    batch_bytes: usize,
    batch_rows: usize,
    outlet: Outlet,
}

impl Reader {
    fn run(
        &mut self,
        connection: &Connection,
        query: &Query,
        mut key: Option<&mut KeyCursor>,
    ) -> Result<(), ConnectorError> {
        let mut statement = connection
            .prepare(&query.sql)
            .map_err(|error| explain(&error))?;
        let mut rows = statement
            .query(rusqlite::params_from_iter(&query.parameter))
            .map_err(|error| explain(&error))?;
        while let Some(row) = rows.next().map_err(|error| explain(&error))? {
            let row_number = self.batch.rows();
            self.batch.push(row).map_err(|error| explain(&error))?;
            if let Some(key) = &mut key {
                key.observe(row, row_number)
                    .map_err(|error| explain(&error))?;
            }
            if self.batch.rows() >= self.batch_rows || self.batch.bytes() >= self.batch_bytes {
                self.flush(key.as_deref_mut())?;
            }
        }
        self.flush(key)?;
        for event in self.order.finish() {
            self.outlet.send(event)?;
        }
        Ok(())
    }

    /// Hands the rows on; those that follow a key, in an order that tells how far they reach.
    fn flush(&mut self, key: Option<&mut KeyCursor>) -> Result<(), ConnectorError> {
        if self.batch.rows() == 0 {
            return Ok(());
        }
        let batch = self.batch.take()?;
        let events = match key {
            Some(key) => self.order.push(batch, key.last_key()),
            None => vec![SourceEvent::Batch(batch)],
        };
        for event in events {
            self.outlet.send(event)?;
        }
        Ok(())
    }

    fn say_what_changed(&self, key: Option<&KeyCursor>) -> Result<(), ConnectorError> {
        let log = |level, text| self.outlet.send(SourceEvent::Log(level, text));
        for note in self.batch.notes() {
            log(LogLevel::Info, note)?;
        }
        for warning in self.batch.warnings() {
            log(LogLevel::Warning, warning)?;
        }
        for warning in key.into_iter().flat_map(KeyCursor::warnings) {
            log(LogLevel::Warning, warning)?;
        }
        Ok(())
    }
}

/// The channel to the engine, left when the run is stopped even while the channel is full.
struct Outlet {
    out: EventSender,
    stop: CancellationToken,
    runtime: Handle,
}

impl Outlet {
    fn send(&self, event: SourceEvent) -> Result<(), ConnectorError> {
        let sent = self.stop.run_until_cancelled(self.out.send(event));
        self.runtime
            .block_on(sent)
            .unwrap_or_else(|| Err(ConnectorError::stopped()))
    }
}
