//! Incremental reads: what is asked for, and how far it has come.
//!
//! Keys are compared as they are stored, which is what an index on the key can do: integers as integers, times as their
//! ISO text. The position of a time key is therefore the stored text itself, and all texts of the column should be
//! spelled alike; where they are not, the order of the texts is not the order of the instants, and the job's log says so.
//!
//! SQLite orders NULL before numbers before text before blobs. Values that are no keys at all are read in every run, so
//! that none of them is lost: those behind the keys because `>=` finds them, those in front by a statement of their own.

use rusqlite::Row;
use rusqlite::types::{Value, ValueRef};
use selvedge_connector::{ConnectorError, KeyBound, LastKey, LogicalType};

use crate::structure::{TableColumn, quoted};
use crate::timestamp::{self, Instant};

/// A statement with its one parameter.
pub(crate) struct Query {
    pub(crate) sql: String,
    pub(crate) parameter: Option<Value>,
    /// Whether its rows come in key order behind the position, so that they advance it.
    pub(crate) advances: bool,
}

/// The statement that reads all rows.
pub(crate) fn full_table(columns: &str, table: &str) -> Query {
    Query {
        sql: format!("select {columns} from main.{} as t", quoted(table)),
        parameter: None,
        advances: false,
    }
}

/// Follows the replication key through the rows.
pub(crate) struct KeyCursor {
    name: String,
    index: usize,
    integer: bool,
    /// The greatest key so far, and the one before it.
    position: Option<String>,
    before: Option<String>,
    /// The row of the present batch with which the rows of the greatest key begin; 0 when they began earlier.
    first_row: usize,
    /// Whether the present batch has a key.
    seen: bool,
    scratch: String,
    greatest_instant: i64,
    unusable: u64,
    out_of_order: u64,
}

impl KeyCursor {
    /// `index` is the key's place among the fields.
    pub(crate) fn new(
        column: &TableColumn,
        index: usize,
        logical_type: &LogicalType,
    ) -> Result<Self, ConnectorError> {
        let integer = match logical_type {
            LogicalType::Int64 => true,
            LogicalType::Timestamp | LogicalType::TimestampTz | LogicalType::Date => false,
            _ => {
                let declared = match column.declared.as_str() {
                    "" => "a column without type",
                    declared => declared,
                };
                return Err(ConnectorError::configuration(format!(
                    "{declared} is not a supported replication key type"
                ))
                .within(format_args!("column {}", column.name)));
            }
        };
        Ok(Self {
            name: column.name.clone(),
            index,
            integer,
            position: None,
            before: None,
            first_row: 0,
            seen: false,
            scratch: String::new(),
            greatest_instant: i64::MIN,
            unusable: 0,
            out_of_order: 0,
        })
    }

    /// The statements that read on from the bound, in this order.
    pub(crate) fn queries(
        &self,
        columns: &str,
        table: &str,
        bound: Option<&KeyBound>,
    ) -> Result<Vec<Query>, ConnectorError> {
        let key = format!("t.{}", quoted(&self.name));
        let from = format!("select {columns} from main.{} as t", quoted(table));
        let Some(KeyBound { value, inclusive }) = bound else {
            return Ok(vec![Query {
                sql: format!("{from} order by {key}"),
                parameter: None,
                advances: true,
            }]);
        };
        let parameter = match value.parse::<i64>() {
            Ok(number) => Value::Integer(number),
            Err(_) if !self.integer && timestamp::parse(value.as_bytes()) != Instant::NotATime => {
                Value::Text(value.clone())
            }
            Err(_) => {
                return Err(ConnectorError::configuration(format!(
                    "the saved position {value:?} is no value of the replication key {}: reset the stream",
                    self.name
                )));
            }
        };
        let mut queries = Vec::with_capacity(2);
        if matches!(parameter, Value::Text(_)) {
            // Every time begins with a digit; '/' is the character before '0'.
            queries.push(Query {
                sql: format!("{from} where {key} < '/'"),
                parameter: None,
                advances: false,
            });
        }
        let comparison = if *inclusive { ">=" } else { ">" };
        queries.push(Query {
            sql: format!("{from} where {key} {comparison} ?1 order by {key}"),
            parameter: Some(parameter),
            advances: true,
        });
        Ok(queries)
    }

    /// Looks at the key of a row that advances the position; `row_number` is its place in the batch, from 0.
    pub(crate) fn observe(&mut self, row: &Row<'_>, row_number: usize) -> rusqlite::Result<()> {
        match row.get_ref(self.index)? {
            ValueRef::Null => {}
            ValueRef::Integer(value) => {
                use std::fmt::Write;
                self.scratch.clear();
                // Writing into a String cannot fail.
                let _ = write!(self.scratch, "{value}");
                self.advance(row_number);
            }
            ValueRef::Text(bytes) if !self.integer => match timestamp::parse(bytes) {
                Instant::At(micros) => {
                    if micros < self.greatest_instant {
                        self.out_of_order += 1;
                    }
                    self.greatest_instant = self.greatest_instant.max(micros);
                    // A time is ASCII only.
                    let text = std::str::from_utf8(bytes)?;
                    self.scratch.clear();
                    self.scratch.push_str(text);
                    self.advance(row_number);
                }
                Instant::OutOfRange | Instant::NotATime => self.unusable += 1,
            },
            ValueRef::Text(_) | ValueRef::Real(_) | ValueRef::Blob(_) => self.unusable += 1,
        }
        Ok(())
    }

    /// `scratch` is the key of a row. Keys that a collation of SQLite may take for equal count as one.
    fn advance(&mut self, row_number: usize) {
        self.seen = true;
        let same = |known: &String| {
            known
                .trim_end()
                .eq_ignore_ascii_case(self.scratch.trim_end())
        };
        if self.position.as_ref().is_some_and(same) {
            return;
        }
        let free = self.before.take().unwrap_or_default();
        let key = std::mem::replace(&mut self.scratch, free);
        self.before = self.position.replace(key);
        self.first_row = row_number;
    }

    /// Where the greatest key of the batch begins that is taken now, if it has one.
    pub(crate) fn last_key(&mut self) -> Option<LastKey> {
        let first_row = std::mem::take(&mut self.first_row);
        if !std::mem::take(&mut self.seen) {
            return None;
        }
        Some(LastKey {
            first_row,
            value: self.position.clone()?,
            before: self.before.clone(),
        })
    }

    /// What the customer should know about the key's values.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = String> {
        let unusable = (self.unusable > 0).then(|| {
            format!(
                "replication key {}: {} row(s) have a value that is no key of its type; they may be read again in every run",
                self.name, self.unusable
            )
        });
        let out_of_order = (self.out_of_order > 0).then(|| {
            format!(
                "replication key {}: times are spelled in different ways, so their stored order is not their order in \
                 time and changed rows may be missed; spell them alike or replicate the full table",
                self.name
            )
        });
        unusable.into_iter().chain(out_of_order)
    }
}
