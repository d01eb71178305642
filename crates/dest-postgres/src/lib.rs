//! PostgreSQL as a destination.
//!
//! Rows travel as `COPY … FROM STDIN (FORMAT binary)`, and each checkpoint is one transaction that holds the rows and the
//! mark of how far the stream has come. How rows get into their table:
//!
//! - **first load**: straight into the new table, which gets its key when the stream was read to its end;
//! - **upsert**: into a temporary table, from there into the target, where the greatest `_sdc_sequence` wins;
//! - **append**: straight into the table, for streams without key and for tables whose key is another one;
//! - **replace**: into a temporary table, and at the end in one transaction over all rows of the target.
//!
//! What the user of the connection needs: `CREATE` and `TEMPORARY` on the database; on schemas that were made by others
//! `USAGE` and `CREATE`; on tables that were made by others, their ownership. PostgreSQL 9.5 or newer.
//!
//! `_sdc_selvedge_commits` keeps the position of each commit with its rows, and a writer gives it back when it opens: by it
//! a run that follows a crash between a commit here and the saving of the position there appends no row twice.
//!
//! With native fidelity JSON becomes `jsonb`: the value is kept, its spelling is not.

mod check;
mod commits;
mod copy;
mod ddl;
mod encode;
mod inspect;
mod link;
mod open;
mod registry;
mod rejected;
mod types;
mod writer;

use async_trait::async_trait;
use selvedge_connector::{
    CheckContext, CheckReport, ConnectionConfig, ConnectorError, Destination, LoadContext, Nesting,
    TableTarget, TableWriter, TypeFidelity,
};
use selvedge_postgres::PostgresConfig;

/// A configured PostgreSQL database.
#[derive(Clone, Debug)]
pub struct PostgresDestination {
    config: PostgresConfig,
    fidelity: TypeFidelity,
}

impl PostgresDestination {
    /// Properties of type `postgres`, and `type_fidelity`: `stitch` (default) or `native`.
    pub fn new(config: &ConnectionConfig) -> Result<Self, ConnectorError> {
        let fidelity = match config.text("type_fidelity").as_deref() {
            None | Some("" | "stitch") => TypeFidelity::Stitch,
            Some("native") => TypeFidelity::Native,
            Some(_) => {
                return Err(ConnectorError::configuration(
                    "the property type_fidelity must be stitch or native",
                ));
            }
        };
        Ok(Self {
            config: PostgresConfig::from_destination(config)?,
            fidelity,
        })
    }
}

#[async_trait]
impl Destination for PostgresDestination {
    fn display_name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn nesting(&self) -> Nesting {
        match self.fidelity {
            TypeFidelity::Stitch => Nesting::Subtables,
            TypeFidelity::Native => Nesting::Json,
        }
    }

    fn fidelity(&self) -> TypeFidelity {
        self.fidelity
    }

    async fn check(&self, ctx: &CheckContext) -> Result<CheckReport, ConnectorError> {
        Box::pin(check::check(&self.config, ctx)).await
    }

    async fn open(
        &self,
        ctx: LoadContext,
        target: TableTarget,
    ) -> Result<Box<dyn TableWriter>, ConnectorError> {
        let table = format!("table {}.{}", target.schema_name, target.table_name);
        Box::pin(open::open(&self.config, ctx, target))
            .await
            .map_err(|error| error.within(table))
    }
}
