//! The destination itself.

use std::path::PathBuf;

use async_trait::async_trait;
use selvedge_connector::{
    CheckContext, CheckReport, ConnectionConfig, ConnectorError, Destination, LoadContext, Nesting,
    TableTarget, TableWriter, TypeFidelity,
};

use crate::check::check;
use crate::load::Load;
use crate::writer::SqliteWriter;

/// The SQLite file of one account.
#[derive(Clone, Debug)]
pub struct SqliteDestination {
    file: PathBuf,
    fidelity: TypeFidelity,
}

impl SqliteDestination {
    /// `file` is chosen by the server, never by the account; it is created with the first row. The only property is
    /// `type_fidelity`, `stitch` (the default) or `native`.
    pub fn new(config: &ConnectionConfig, file: PathBuf) -> Result<Self, ConnectorError> {
        let fidelity = match config.text("type_fidelity").as_deref() {
            None | Some("" | "stitch") => TypeFidelity::Stitch,
            Some("native") => TypeFidelity::Native,
            Some(_) => {
                return Err(ConnectorError::configuration(
                    "the property type_fidelity must be stitch or native",
                ));
            }
        };
        Ok(Self { file, fidelity })
    }
}

#[async_trait]
impl Destination for SqliteDestination {
    fn display_name(&self) -> &'static str {
        "SQLite"
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

    /// SQLite compares names without regard to ASCII case.
    fn resolved_table_name(&self, table_name: &str) -> String {
        table_name.to_ascii_lowercase()
    }

    async fn check(&self, ctx: &CheckContext) -> Result<CheckReport, ConnectorError> {
        let (file, stop) = (self.file.clone(), ctx.stop.clone());
        on_blocking_thread(move || Ok(check(&file, &stop))).await
    }

    async fn open(
        &self,
        ctx: LoadContext,
        target: TableTarget,
    ) -> Result<Box<dyn TableWriter>, ConnectorError> {
        let file = self.file.clone();
        let load = on_blocking_thread(move || Load::open(file, ctx, target)).await?;
        Ok(Box::new(SqliteWriter::new(load)))
    }
}

async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ConnectorError> + Send + 'static,
) -> Result<T, ConnectorError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        ConnectorError::internal("opening the SQLite file ended unexpectedly")
            .with_detail(error.to_string())
    })?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_that_differ_in_case_alone_are_one_table() {
        let config = ConnectionConfig::default();
        let destination = SqliteDestination::new(&config, PathBuf::from("w.db"));
        let destination = destination.expect("no property is needed");
        let resolved = |name: &str| destination.resolved_table_name(name);
        assert_eq!(resolved("Orders"), resolved("orders"));
        assert_ne!(resolved("orders"), resolved("order"));
    }
}
