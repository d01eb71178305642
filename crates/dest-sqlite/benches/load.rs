//! Loading prepared batches, against the `.import` of the sqlite3 program from a CSV file of the same rows.
//!
//! Both write through the log with full synchronization. `.import` knows no NULL, its empty cells are empty texts.

use std::path::PathBuf;
use std::process::Command;

use async_trait::async_trait;
use rusqlite::Connection;
use selvedge_connector::{ConnectionConfig, Destination};
use selvedge_dest_sqlite::SqliteDestination;
use selvedge_testkit::bulk::{Bench, Contender};
use tempfile::TempDir;

struct Files {
    folder: TempDir,
    destination: SqliteDestination,
}

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = ConnectionConfig::default();
        let destination = SqliteDestination::new(&config, folder.path().join("ours.db"));
        Self {
            destination: destination.expect("no property is needed"),
            folder,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the program does with a database, the first line that it says.
    fn sqlite3(&self, database: &str, commands: &[&str]) -> String {
        let mut program = Command::new("sqlite3");
        program.current_dir(self.folder.path()).arg(database);
        // Our writer closes its file behind the end of the load.
        program.args(["-cmd", ".timeout 10000"]);
        let ran = program.args(commands).output().expect("sqlite3 is in PATH");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success() && said.is_empty(), "sqlite3: {said}");
        String::from_utf8_lossy(&ran.stdout).trim().to_owned()
    }
}

#[async_trait]
impl Contender for Files {
    fn destination(&self) -> &dyn Destination {
        &self.destination
    }

    fn schema_name(&self) -> String {
        "shop".to_owned()
    }

    async fn start_over(&mut self) {
        for name in ["ours.db", "theirs.db"] {
            for suffix in ["", "-wal", "-shm"] {
                let path = self.path(&format!("{name}{suffix}"));
                if path.exists() {
                    std::fs::remove_file(path).expect("nobody has it open");
                }
            }
        }
    }

    async fn unload(&mut self) -> u64 {
        let commands = [
            ".mode csv",
            ".once orders.csv",
            "select * from shop__orders",
        ];
        self.sqlite3("ours.db", &commands);
        let file = std::fs::metadata(self.path("orders.csv"));
        file.expect("the program wrote it").len()
    }

    async fn bulk_load(&mut self, key: &[&str]) {
        let ours = Connection::open(self.path("ours.db")).expect("our file");
        let create: String = ours
            .query_row(
                "select sql from sqlite_schema where name = 'shop__orders'",
                [],
                |row| row.get(0),
            )
            .expect("our table");
        let index = match key {
            [] => String::new(),
            key => format!("create unique index k on shop__orders ({})", key.join(", ")),
        };
        let commands = [
            "pragma journal_mode = wal",
            "pragma synchronous = full",
            &create,
            ".import --csv orders.csv shop__orders",
            &index,
        ];
        self.sqlite3("theirs.db", &commands);
    }

    async fn check(&mut self, rows: u64) {
        let sums = "select count(*), sum(id), sum(quantity), sum(price), count(nullif(note, '')), max(placed_at),
                           count(distinct customer), sum(_sdc_sequence % 1000003)
                    from shop__orders";
        let ours = self.sqlite3("ours.db", &[sums]);
        assert!(ours.starts_with(&format!("{rows}|")), "{ours}");
        assert_eq!(ours, self.sqlite3("theirs.db", &[sums]));
    }
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let bench = Bench::start("SQLite", ".import of a file");
    runtime.block_on(async {
        let mut files = Files::new();
        bench.contest("with a key", &["id"], &mut files).await;
        bench.contest("without a key", &[], &mut files).await;
    });
}
