//! The cases that every destination has to pass alike.

use async_trait::async_trait;
use selvedge_connector::{Destination, LoadContext};
use selvedge_testkit::conformance;
use selvedge_testkit::conformance::{Character, OtherKey, Splits, Stored, Subject, canonical};
use tokio_util::sync::CancellationToken;

use crate::support::{SCHEMA, Warehouse, context};

#[async_trait]
impl Subject for Warehouse {
    fn character(&self) -> Character {
        Character {
            display_name: "PostgreSQL",
            splits: Splits::Renaming,
            other_key: OtherKey::Appends,
            shared_name: Some("cd"),
        }
    }

    fn destination(&self) -> &dyn Destination {
        &self.destination
    }

    fn context(&self, fence: i64) -> LoadContext {
        context(fence, CancellationToken::new())
    }

    fn schema_name(&self) -> String {
        SCHEMA.to_owned()
    }

    async fn stored(&self, table: &str) -> Option<Stored> {
        if !self.exists(table).await {
            return None;
        }
        let columns = self
            .rows(&format!(
                "select attname from pg_attribute
                 where attrelid = 'shop.{table}'::regclass and attnum > 0 and not attisdropped order by attnum"
            ))
            .await;
        let texts = "select array(select value from json_each_text(to_json(t)) with ordinality as c (name, value, place)
                                  order by place)";
        let rows = self
            .client
            .query(&format!("{texts} from shop.{table} as t"), &[])
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

conformance!(Warehouse::create().await; keyed, keyless, replaced, columns, names, items, values, runs);
