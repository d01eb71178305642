//! The cases that every destination has to pass alike.

use async_trait::async_trait;
use mysql_async::prelude::Queryable;
use selvedge_connector::{Destination, LoadContext};
use selvedge_testkit::conformance;
use selvedge_testkit::conformance::damaged::{Tampered, Touch};
use selvedge_testkit::conformance::{
    Character, Loading, OtherKey, Splits, Stored, Subject, canonical,
};
use tokio_util::sync::CancellationToken;

use crate::support::{Warehouse, context};

#[async_trait]
impl Subject for Warehouse {
    fn character(&self) -> Character {
        Character {
            display_name: "MySQL",
            loading: Loading::Upsert,
            splits: Splits::Renaming,
            other_key: OtherKey::Stops(
                "Incoming Primary Keys do not match Primary Keys in existing table",
            ),
            shared_name: Some("c_d"),
            wide: false,
            keeps_json: false,
        }
    }

    fn destination(&self) -> &dyn Destination {
        &self.destination
    }

    fn context(&self, fence: i64) -> LoadContext {
        context(fence, CancellationToken::new())
    }

    fn schema_name(&self) -> String {
        self.schema.name.clone()
    }

    async fn stored(&self, table: &str) -> Option<Stored> {
        if !self.exists(table).await {
            return None;
        }
        let mut session = self.schema.connect().await;
        let columns: Vec<(String, String)> = session
            .exec(
                "select column_name, column_type from information_schema.columns
                 where table_schema = ? and table_name = ? order by ordinal_position",
                (&self.schema.name, table),
            )
            .await
            .unwrap();
        let texts: Vec<String> = columns
            .iter()
            .map(|(name, column_type)| match column_type.as_str() {
                "tinyint(1)" => {
                    format!("if(`{name}` is null, null, if(`{name}`, 'true', 'false'))")
                }
                "datetime(6)" => format!("date_format(`{name}`, '%Y-%m-%dT%H:%i:%s.%f')"),
                _ => format!("convert(cast(`{name}` as char) using utf8mb4)"),
            })
            .collect();
        let query = format!(
            "select {} from `{}`.`{table}`",
            texts.join(", "),
            self.schema.name
        );
        let rows: Vec<mysql_async::Row> = session.query(query).await.unwrap();
        let cell = |value| mysql_async::from_value::<Option<String>>(value);
        let rows = rows.into_iter().map(|row| {
            let cells = row.unwrap().into_iter().map(cell);
            cells
                .map(|text| text.map(|text| canonical(&text)))
                .collect()
        });
        Some(Stored {
            columns: columns.into_iter().map(|(name, _)| name).collect(),
            rows: rows.collect(),
        })
    }
}

#[async_trait]
impl Tampered for Warehouse {
    async fn touch(&self, touch: Touch) {
        let table = format!("`{}`.orders", self.schema.name);
        let statements = match touch {
            Touch::DropColumn(name) => format!("alter table {table} drop column {name}"),
            Touch::MakeText(name) => format!("alter table {table} modify column {name} longtext"),
            Touch::AddUnique(name) => {
                format!("create unique index by_hand on {table} ({name}(20))")
            }
            Touch::DropUnique => format!("drop index by_hand on {table}"),
            Touch::RefuseRows => format!(
                "alter table {table} add column must integer not null default 0, alter column must drop default"
            ),
            Touch::DropTable => format!("drop table {table}"),
            Touch::PutView => format!("create view {table} as select 1 as id"),
        };
        let mut session = self.schema.connect().await;
        session.query_drop(&statements).await.unwrap();
    }
}

conformance!(Warehouse::create().await; keyed, keyless, replaced, columns, damaged, names, whole, values, runs);
