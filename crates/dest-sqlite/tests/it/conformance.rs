//! The cases that every destination has to pass alike.

use async_trait::async_trait;
use selvedge_connector::{Destination, LoadContext};
use selvedge_dest_sqlite::SqliteDestination;
use selvedge_testkit::conformance;
use selvedge_testkit::conformance::{Character, OtherKey, Splits, Stored, Subject, canonical};

use crate::support::{Warehouse, context};

struct Opened {
    warehouse: Warehouse,
    destination: SqliteDestination,
}

fn opened() -> Opened {
    let warehouse = Warehouse::new();
    Opened {
        destination: warehouse.destination(),
        warehouse,
    }
}

#[async_trait]
impl Subject for Opened {
    fn character(&self) -> Character {
        Character {
            display_name: "SQLite",
            splits: Splits::Renaming,
            other_key: OtherKey::Appends,
            shared_name: Some("cd"),
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
        if !self.warehouse.path.exists() {
            return None;
        }
        let connection = self.warehouse.connection();
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

conformance!(opened(); keyed, keyless, replaced, columns, names, items, values, runs);
