//! The cases that every destination has to pass alike.

use async_trait::async_trait;
use selvedge_connector::{Destination, LoadContext};
use selvedge_testkit::conformance;
use selvedge_testkit::conformance::damaged::{Tampered, Touch};
use selvedge_testkit::conformance::{
    Character, Loading, OtherKey, Splits, Stored, Subject, canonical,
};
use tokio_util::sync::CancellationToken;

use crate::support::{SCHEMA, Warehouse, context};

/// A schema of a database.
pub(crate) struct Room {
    pub(crate) warehouse: Warehouse,
    pub(crate) schema: String,
}

impl Room {
    async fn create() -> Self {
        Self {
            warehouse: Warehouse::create().await,
            schema: SCHEMA.to_owned(),
        }
    }
}

#[async_trait]
impl Subject for Room {
    fn character(&self) -> Character {
        Character {
            display_name: "PostgreSQL",
            loading: Loading::Upsert,
            splits: Splits::Renaming,
            other_key: OtherKey::Appends,
            shared_name: Some("cd"),
            wide: false,
            keeps_json: false,
        }
    }

    fn destination(&self) -> &dyn Destination {
        &self.warehouse.destination
    }

    fn context(&self, fence: i64) -> LoadContext {
        context(fence, CancellationToken::new())
    }

    fn schema_name(&self) -> String {
        self.schema.clone()
    }

    async fn stored(&self, table: &str) -> Option<Stored> {
        let columns = self
            .warehouse
            .rows(&format!(
                "select attname from pg_attribute
                 where attrelid = to_regclass('{}.{table}') and attnum > 0 and not attisdropped order by attnum",
                self.schema
            ))
            .await;
        if columns.is_empty() {
            return None;
        }
        let texts = "select array(select value from json_each_text(to_json(t)) with ordinality as c (name, value, place)
                                  order by place)";
        let rows = self
            .warehouse
            .client
            .query(&format!("{texts} from {}.{table} as t", self.schema), &[])
            .await
            .unwrap();
        let rows = rows
            .iter()
            .map(|row| {
                let cells: Vec<Option<String>> = row.get(0);
                let canonical = |cell: Option<String>| cell.map(|text| canonical(&text));
                cells.into_iter().map(canonical).collect()
            })
            .collect();
        Some(Stored { columns, rows })
    }
}

#[async_trait]
impl Tampered for Room {
    async fn touch(&self, touch: Touch) {
        let table = format!("{}.orders", self.schema_name());
        let statements = match touch {
            Touch::DropColumn(name) => format!("alter table {table} drop column {name}"),
            Touch::MakeText(name) => format!("alter table {table} alter column {name} type text"),
            Touch::AddUnique(name) => format!("create unique index by_hand on {table} ({name})"),
            Touch::DropUnique => format!("drop index {}.by_hand", self.schema_name()),
            Touch::RefuseRows => format!(
                "alter table {table} add column must integer not null default 0;
                 alter table {table} alter column must drop default"
            ),
            Touch::DropTable => format!("drop table {table}"),
            Touch::PutView => format!("create view {table} as select 1 as id"),
        };
        self.warehouse
            .client
            .batch_execute(&statements)
            .await
            .unwrap();
    }
}

conformance!(Room::create().await; keyed, keyless, replaced, columns, damaged, names, items, values, runs);
