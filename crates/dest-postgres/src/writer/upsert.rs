//! Upsert: rows are staged in a temporary table and merged by key, the greatest sequence winning.

use selvedge_connector::ConnectorError;
use selvedge_postgres::quote_identifier;
use selvedge_shape::SchemaChange;
use selvedge_shape::system::SEQUENCE;

use super::{STAGE, Writer, temporary, writable_columns};
use crate::ddl;
use crate::link::get;

/// SQLSTATE of `on conflict` meeting a row that the same statement has written.
const SECOND_TIME: &str = "21000";

impl Writer {
    pub(super) async fn make_stage(&mut self) -> Result<(), ConnectorError> {
        if self.stage.is_some() {
            return Ok(());
        }
        let columns = writable_columns(&self.shape);
        self.link
            .execute(&format!(
                "create temporary table {STAGE} ({}) on commit delete rows",
                ddl::column_definitions(&columns)
            ))
            .await?;
        self.stage = Some(columns);
        Ok(())
    }

    /// Lets the stage follow a change of the table.
    pub(super) async fn change_stage(
        &mut self,
        change: &SchemaChange,
    ) -> Result<(), ConnectorError> {
        let Some(columns) = &mut self.stage else {
            return Ok(());
        };
        let statement = ddl::statement(&temporary(STAGE), change)?;
        self.link.execute(&statement).await?;
        match change {
            SchemaChange::AddColumn(column) => columns.push(column.clone()),
            SchemaChange::RenameColumn { from, to } => columns
                .iter_mut()
                .filter(|column| column.name == *from)
                .for_each(|column| column.name.clone_from(to)),
            // The rest changes no name, and the planner changes nothing else of a table with rows.
            _ => {}
        }
        Ok(())
    }

    pub(super) async fn drop_stage(&mut self) -> Result<(), ConnectorError> {
        match self.stage.take() {
            None => Ok(()),
            Some(_) => {
                self.link
                    .execute(&format!("drop table {}", temporary(STAGE)))
                    .await
            }
        }
    }

    /// Moves the staged rows into the table. The stage is not emptied: the commit that follows does so, or it is dropped.
    ///
    /// Whole rows are replaced: a column that the stream no longer has becomes NULL. Columns of types that are none of ours
    /// are left alone.
    pub(super) async fn merge_stage(&mut self) -> Result<(), ConnectorError> {
        self.land().await?;
        let staged = std::mem::take(&mut self.landed);
        let (Some(columns), Some(primary_key)) = (&self.stage, &self.primary_key) else {
            return Ok(());
        };
        if staged == 0 {
            return Ok(());
        }
        let key_list = ddl::column_list(primary_key.columns.iter().map(String::as_str));
        let column_list = ddl::column_list(columns.iter().map(|column| column.name.as_str()));
        let assignments: Vec<String> = columns
            .iter()
            .filter(|column| !primary_key.columns.contains(&column.name))
            .map(|column| {
                let name = quote_identifier(&column.name);
                format!("{name} = excluded.{name}")
            })
            .collect();
        let stage = temporary(STAGE);
        let insert = |rows: &str| {
            format!(
                "insert into {table} as target ({column_list})
                 {rows}
                 on conflict ({key_list}) do update set {assignments}
                 where target.{SEQUENCE} is null or excluded.{SEQUENCE} > target.{SEQUENCE}",
                table = self.table,
                assignments = assignments.join(", "),
            )
        };
        // Sources with a key seldom send one twice, so the rows are ranked only when the server has met a repeated key.
        let plain = insert(&format!("select {column_list} from {stage}"));
        let applied = match self.link.attempt_count(&plain, SECOND_TIME).await? {
            Some(applied) => applied,
            None => {
                let ranked = insert(&format!(
                    "select distinct on ({key_list}) {column_list} from {stage}
                     order by {key_list}, {SEQUENCE} desc, ctid desc"
                ));
                self.link.count(&ranked, &[]).await?
            }
        };
        let mut superseded = 0;
        if applied < staged {
            let row = self
                .link
                .query_one(
                    &format!("select count(*) as keys from (select distinct {key_list} from {stage}) as keys"),
                    &[],
                )
                .await?;
            let keys: i64 = get(&row, "keys")?;
            superseded = staged.saturating_sub(keys.unsigned_abs());
        }
        self.books.written += applied;
        self.books.superseded += superseded;
        self.books.older_sequence += staged.saturating_sub(applied + superseded);
        Ok(())
    }
}
