//! Moving staged rows into the table, inside the transaction of a commit.

use selvedge_connector::{ConnectorError, LoadMode};
use selvedge_shape::system::SEQUENCE;

use super::{Mode, Writer, writable_columns};
use crate::commits::TableState;
use crate::error::DUPLICATE_KEY;
use crate::sql::{column_list, quote_identifier};
use crate::stage::ARRIVAL;

/// Numbers of staged rows that a newer row of the same key replaces. Temporary, and of its own because no statement may name
/// one temporary table twice.
const SUPERSEDED: &str = "_sdc_superseded";

impl Writer {
    /// The greatest sequence of a key wins, and of equals the later; the stored row wins against its equal. Over all commits
    /// of a first pass, which are one load, the later wins.
    ///
    /// Whole rows are replaced: a column that the stream no longer has becomes NULL. Columns of types that are none of ours
    /// are left alone.
    pub(super) async fn insert_staged(&mut self) -> Result<(), ConnectorError> {
        let staged = self.stage.landed();
        if staged == 0 {
            return Ok(());
        }
        let insert = self.insert_statement(&self.table.clone());
        if self.mode == Mode::Append {
            self.books.written += self.link.count(&insert, vec![]).await?;
            return Ok(());
        }
        // Many loads hold new keys alone, first loads above all: then this is all there is to do.
        if self.link.attempt(&insert, DUPLICATE_KEY).await?.is_some() {
            self.books.written += staged;
            return Ok(());
        }
        let superseded = self.remove_superseded().await?;
        let (stage, table) = (self.stage.table(), &self.table);
        let same_key: Vec<String> = self
            .key
            .names()
            .map(quote_identifier)
            .map(|name| format!("t.{name} = s.{name}"))
            .collect();
        let same_key = same_key.join(" and ");
        // The server is told to go through the stage, which has no index on the key, and to look up the table.
        let matching = format!("{stage} as s straight_join {table} as t on {same_key}");
        let sequence = quote_identifier(SEQUENCE);
        let first_pass = self.is_first_pass();
        let not_newer = if first_pass { ">" } else { ">=" };
        let older = format!("delete s from {matching} where t.{sequence} {not_newer} s.{sequence}");
        let assignments: Vec<String> = writable_columns(&self.shape)
            .iter()
            .filter(|column| self.key.column(&column.name).is_none())
            .map(|column| quote_identifier(&column.name))
            .map(|name| format!("t.{name} = s.{name}"))
            .collect();
        let update = format!("update {matching} set {}", assignments.join(", "));
        let updated = format!("delete s from {matching}");
        let older = self.link.count(&older, vec![]).await?;
        self.link.execute(&update).await?;
        let updated = self.link.count(&updated, vec![]).await?;
        self.link.execute(&insert).await?;
        let left = staged.saturating_sub(superseded + older);
        match first_pass {
            // Each row of the table was written once: those that lost, whichever side they were on, are superseded.
            true => {
                self.books.superseded += superseded + older + updated;
                self.books.written += left.saturating_sub(updated);
            }
            false => {
                self.books.superseded += superseded;
                self.books.older_sequence += older;
                self.books.written += left;
            }
        }
        Ok(())
    }

    /// Whether the table is filled for the first time by a pass over the whole stream: then all its rows are of this run.
    fn is_first_pass(&self) -> bool {
        self.state == TableState::Loading && self.target.mode == LoadMode::Replace
    }

    /// The statement that moves all staged rows into `table`, a quoted name.
    pub(super) fn insert_statement(&self, table: &str) -> String {
        let columns = writable_columns(&self.shape);
        let columns = column_list(columns.iter().map(|column| column.name.as_str()));
        format!(
            "insert into {table} ({columns}) select {columns} from {} order by {}",
            self.stage.table(),
            quote_identifier(ARRIVAL)
        )
    }

    /// Leaves one staged row of each key; the number of rows that went. Temporary tables come and go without a commit.
    pub(super) async fn remove_superseded(&mut self) -> Result<u64, ConnectorError> {
        let stage = self.stage.table();
        let superseded = crate::sql::quote_qualified(&self.target.schema_name, SUPERSEDED);
        let (key, arrival) = (column_list(self.key.names()), quote_identifier(ARRIVAL));
        let sequence = quote_identifier(SEQUENCE);
        let create = format!(
            "create temporary table {superseded} ({arrival} bigint unsigned not null primary key) engine = InnoDB"
        );
        let fill = format!(
            "insert into {superseded} ({arrival})
             select arrival from (
               select {arrival} as arrival,
                      row_number() over (partition by {key} order by {sequence} desc, {arrival} desc) as place
               from {stage}
             ) as ranked
             where place > 1"
        );
        let remove = format!(
            "delete s from {superseded} as r straight_join {stage} as s on s.{arrival} = r.{arrival}"
        );
        let drop = format!("drop temporary table {superseded}");
        self.link.execute(&create).await?;
        let count = self.link.count(&fill, vec![]).await?;
        if count > 0 {
            self.link.execute(&remove).await?;
        }
        self.link.execute(&drop).await?;
        Ok(count)
    }
}
