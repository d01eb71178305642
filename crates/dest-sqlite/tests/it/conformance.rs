//! The cases that every destination has to pass alike.

use std::path::PathBuf;

use async_trait::async_trait;
use rusqlite::Connection;
use selvedge_connector::{ConnectionConfig, Destination, LoadContext};
use selvedge_dest_sqlite::SqliteDestination;
use selvedge_testkit::conformance;
use selvedge_testkit::conformance::damaged::{Tampered, Touch};
use selvedge_testkit::conformance::{
    Character, Loading, OtherKey, Splits, Stored, Subject, canonical,
};

use crate::support::{Warehouse, context};

/// A file of its own, or one that somebody else keeps.
pub(crate) struct Opened {
    path: PathBuf,
    destination: SqliteDestination,
    _warehouse: Option<Warehouse>,
}

fn opened() -> Opened {
    let warehouse = Warehouse::new();
    Opened {
        destination: warehouse.destination(),
        path: warehouse.path.clone(),
        _warehouse: Some(warehouse),
    }
}

impl Opened {
    pub(crate) fn at(path: PathBuf) -> Self {
        let config = ConnectionConfig::default();
        Self {
            destination: SqliteDestination::new(&config, path.clone()).unwrap(),
            path,
            _warehouse: None,
        }
    }
}

#[async_trait]
impl Subject for Opened {
    fn character(&self) -> Character {
        Character {
            display_name: "SQLite",
            loading: Loading::Upsert,
            splits: Splits::Renaming,
            other_key: OtherKey::Appends,
            shared_name: Some("cd"),
            wide: false,
            keeps_json: false,
        }
    }

    fn destination(&self) -> &dyn Destination {
        &self.destination
    }

    fn context(&self, fence: i64) -> LoadContext {
        context(fence)
    }

    fn schema_name(&self) -> String {
        "shop".to_owned()
    }

    async fn stored(&self, table: &str) -> Option<Stored> {
        if !self.path.exists() {
            return None;
        }
        let connection = Connection::open(&self.path).unwrap();
        let columns = crate::support::rows(
            &connection,
            &format!("select name || ' ' || type from pragma_table_info('shop__{table}')"),
        );
        if columns.is_empty() {
            return None;
        }
        let (names, texts): (Vec<String>, Vec<String>) = columns
            .iter()
            .map(|column| match column.rsplit_once(' ').unwrap() {
                (name, "boolean") => (
                    name.to_owned(),
                    format!("iif(\"{name}\", 'true', iif(\"{name}\" is null, null, 'false'))"),
                ),
                (name, _) => (name.to_owned(), format!("cast(\"{name}\" as text)")),
            })
            .unzip();
        let mut statement = connection
            .prepare(&format!(
                "select {} from \"shop__{table}\"",
                texts.join(", ")
            ))
            .unwrap();
        let rows = statement
            .query_map([], |row| {
                let cell = |place| row.get::<_, Option<String>>(place);
                (0..names.len())
                    .map(|place| Ok(cell(place)?.map(|text| canonical(&text))))
                    .collect()
            })
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        Some(Stored {
            columns: names,
            rows,
        })
    }
}

#[async_trait]
impl Tampered for Opened {
    async fn touch(&self, touch: Touch) {
        let table = "shop__orders";
        let statements = match touch {
            Touch::DropColumn(name) => format!("alter table {table} drop column {name}"),
            Touch::MakeText(name) => format!(
                "alter table {table} drop column {name}; alter table {table} add column {name} text"
            ),
            Touch::AddUnique(name) => format!("create unique index by_hand on {table} ({name})"),
            Touch::DropUnique => "drop index by_hand".to_owned(),
            // A column that must have a value cannot be added to a table with rows.
            Touch::RefuseRows => format!(
                "create trigger by_hand before insert on {table} begin select raise(abort, 'closed'); end"
            ),
            Touch::DropTable => format!("drop table {table}"),
            Touch::PutView => format!("create view {table} as select 1 as id"),
        };
        Connection::open(&self.path)
            .unwrap()
            .execute_batch(&statements)
            .unwrap();
    }
}

conformance!(opened(); keyed, keyless, replaced, columns, damaged, names, items, values, runs);
