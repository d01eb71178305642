//! Loading prepared batches, against the server's own LOAD DATA INFILE of the same rows from a file of its machine.
//!
//! The server is the one that `SELVEDGE_TEST_MYSQL_URL` names, on this machine. `cargo xtask bench load` provides one.

use std::path::PathBuf;

use async_trait::async_trait;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use selvedge_connector::{ConnectionConfig, Destination};
use selvedge_dest_mysql::MysqlDestination;
use selvedge_testkit::bulk::{Bench, Contender};
use selvedge_testkit::mysql::{self, TestSchema};
use serde_json::{Value, json};

/// Schemas of its own.
struct Server {
    session: Conn,
    destination: MysqlDestination,
    schema: TestSchema,
    theirs: String,
    /// The server's, of whose files it may only write new ones.
    folder: PathBuf,
    files: Vec<PathBuf>,
}

impl Server {
    async fn new() -> Self {
        let schema = TestSchema::choose();
        let properties = json!({
            "host": schema.host, "port": schema.port, "username": schema.user, "password": schema.password,
        });
        let Value::Object(properties) = properties else {
            unreachable!("settings are an object")
        };
        let destination = MysqlDestination::new(&ConnectionConfig::new(properties));
        let mut session = schema.connect().await;
        let folder = mysql::rows(&mut session, "select @@datadir").await;
        Self {
            destination: destination.expect("settings are complete"),
            session,
            theirs: format!("{}_theirs", schema.name),
            schema,
            folder: PathBuf::from(&folder[0]),
            files: Vec::new(),
        }
    }

    async fn execute(&mut self, statement: &str) {
        let done = self.session.query_drop(statement).await;
        done.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    /// The file of this round.
    fn file(&self) -> String {
        let file = self.files.last().expect("unloaded before");
        file.display().to_string()
    }
}

#[async_trait]
impl Contender for Server {
    fn destination(&self) -> &dyn Destination {
        &self.destination
    }

    fn schema_name(&self) -> String {
        self.schema.name.clone()
    }

    async fn start_over(&mut self) {
        for schema in [self.schema.name.clone(), self.theirs.clone()] {
            let drop = format!("drop database if exists {schema}");
            self.execute(&drop).await;
        }
        let create = format!("create database {} character set utf8mb4", self.theirs);
        self.execute(&create).await;
    }

    async fn unload(&mut self) -> u64 {
        let name = format!("{}_{}.txt", self.schema.name, self.files.len());
        self.files.push(self.folder.join(name));
        let (file, schema) = (self.file(), &self.schema.name);
        let unload = format!("select * from {schema}.orders into outfile '{file}'");
        self.execute(&unload).await;
        let metadata = std::fs::metadata(self.file());
        metadata.expect("the server is on this machine").len()
    }

    async fn bulk_load(&mut self, key: &[&str]) {
        let (ours, theirs, file) = (self.schema.name.clone(), self.theirs.clone(), self.file());
        self.execute(&format!("create table {theirs}.orders like {ours}.orders"))
            .await;
        if !key.is_empty() {
            // As ours: the key comes when the rows are there.
            self.execute(&format!("alter table {theirs}.orders drop primary key"))
                .await;
        }
        self.execute(&format!(
            "load data infile '{file}' into table {theirs}.orders character set utf8mb4"
        ))
        .await;
        if !key.is_empty() {
            let key = key.join(", ");
            self.execute(&format!(
                "alter table {theirs}.orders add primary key ({key})"
            ))
            .await;
        }
    }

    async fn check(&mut self, rows: u64) {
        let mut sums = Vec::new();
        for schema in [self.schema.name.clone(), self.theirs.clone()] {
            let query = format!(
                "select count(*), sum(id), sum(quantity), sum(price), count(note), max(placed_at), sum(crc32(customer)),
                        sum(_sdc_sequence)
                 from {schema}.orders"
            );
            sums.extend(mysql::rows(&mut self.session, &query).await);
        }
        assert!(sums[0].starts_with(&format!("{rows}|")), "{sums:?}");
        assert_eq!(sums[0], sums[1]);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for file in &self.files {
            if let Err(error) = std::fs::remove_file(file) {
                eprintln!("{} is left behind: {error}", file.display());
            }
        }
    }
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let bench = Bench::start("MariaDB", "LOAD DATA of a file");
    runtime.block_on(async {
        let mut server = Server::new().await;
        bench.contest("with a key", &["id"], &mut server).await;
        bench.contest("without a key", &[], &mut server).await;
        server.start_over().await;
    });
}
