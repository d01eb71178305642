//! MySQL and MariaDB as a destination.
//!
//! Each source has a database of its own, made with its first row. Rows travel by `LOAD DATA LOCAL INFILE` into a temporary
//! table, and each checkpoint is one transaction that moves them on and writes the mark of how far the stream has come:
//!
//! - **upsert**: by key, where the greatest `_sdc_sequence` wins;
//! - **append**: behind one another, for streams without key;
//! - **replace**: at the end in one transaction in place of all rows, or, where the structure has changed, by exchanging the
//!   tables in one step. Readers see the old rows or the new ones.
//!
//! A key is the table's real primary key; a stream that comes with another one is stopped. Texts in keys are `VARCHAR`s, up
//! to 768 characters where one stands alone, that tell case and trailing blanks apart; longer ones are rejected.
//!
//! # Changes of structure and crashes
//!
//! MySQL commits whenever a table is changed. So no table is changed inside a transaction of rows: rows wait in the temporary
//! table, which no commit makes durable and no crash leaves behind, until the table is as they need it. All changes of a
//! batch are one `ALTER TABLE`. A crash therefore leaves the rows and the mark of one and the same commit, and at worst a
//! column that has no values yet. The module `swap` tells how tables are exchanged, `commits` what keeps a run
//! that was overtaken away from the table.
//!
//! # What the server must offer
//!
//! - MySQL 8.0.17 or MariaDB 10.3, or newer; tables are InnoDB.
//! - `local_infile = ON`. The driver sends nothing but the rows of the statement under way, whatever file a server asks for.
//! - The rights `CREATE, ALTER, DROP, INDEX, SELECT, INSERT, UPDATE, DELETE, CREATE TEMPORARY TABLES`, best on `*.*`; with
//!   rights on one database only it must bear the source's schema name, and the check of the connection, which makes and drops
//!   a database `selvedge_check_…`, fails.
//!
//! With `LOCAL` the server turns errors into warnings and bends the value, even in strict mode. Values are spelled so that
//! there is nothing to bend, and a load with a single warning fails.
//!
//! # Types
//!
//! Objects and arrays are `JSON`: MySQL keeps them in its own binary form, which does not preserve the order of members nor
//! the digits of numbers beyond a double; MariaDB keeps the text. JSON that the server would refuse (deeper than 100 levels
//! on MySQL, 31 on MariaDB, or with half a surrogate pair) is rejected.
//!
//! With `ssl` the connection is encrypted; who answers is not asked, because the settings name no certificate authority.

mod check;
mod commits;
mod config;
mod connect;
mod ddl;
mod encode;
mod error;
mod inspect;
mod key;
mod link;
mod open;
mod rejected;
mod server;
mod sql;
mod stage;
mod swap;
mod types;
mod writer;

use async_trait::async_trait;
use selvedge_connector::{
    CheckContext, CheckReport, ConnectionConfig, ConnectorError, Destination, LoadContext, Nesting,
    TableTarget, TableWriter, TypeFidelity,
};
use selvedge_shape::{Dialect, names};

use crate::config::MysqlConfig;

/// A configured MySQL or MariaDB server.
#[derive(Clone, Debug)]
pub struct MysqlDestination {
    config: MysqlConfig,
}

impl MysqlDestination {
    /// Properties of type `mysql_destination`.
    pub fn new(config: &ConnectionConfig) -> Result<Self, ConnectorError> {
        Ok(Self {
            config: MysqlConfig::new(config)?,
        })
    }
}

#[async_trait]
impl Destination for MysqlDestination {
    fn display_name(&self) -> &'static str {
        Dialect::MYSQL.display_name
    }

    fn fidelity(&self) -> TypeFidelity {
        TypeFidelity::Stitch
    }

    fn nesting(&self) -> Nesting {
        Nesting::Json
    }

    fn resolved_table_name(&self, table_name: &str) -> String {
        names::mysql(table_name)
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
        let opened = Box::pin(open::open(&self.config, ctx, target)).await;
        opened.map_err(|error| match open::is_other_key(&error) {
            true => error,
            false => error.within(table),
        })
    }
}
