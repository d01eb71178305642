//! Random loads of nested records against the model that all destinations with subtables are held against.

use async_trait::async_trait;
use selvedge_connector::{LoadMode, TableWriter};
use selvedge_testkit::nested::{Ground, KEY, play_lives};

use crate::support::Warehouse;

#[async_trait]
impl Ground for Warehouse {
    async fn open(&self, run: i64, mode: LoadMode) -> Box<dyn TableWriter> {
        let target = self.target(&KEY, mode);
        Warehouse::open(self, target, run).await.unwrap()
    }

    async fn stored(&self) -> Vec<String> {
        let key = "_sdc_source_key_k1, _sdc_source_key_k2";
        let mut stored = Vec::new();
        for (table, columns) in [
            ("orders", "'orders', k1, k2, name, _sdc_sequence".to_owned()),
            (
                "orders__lines",
                format!("'lines', {key}, _sdc_level_0_id, at, _sdc_sequence"),
            ),
            (
                "orders__lines__marks",
                format!("'marks', {key}, _sdc_level_0_id, _sdc_level_1_id, value, _sdc_sequence"),
            ),
            (
                "orders__tags",
                format!("'tags', {key}, _sdc_level_0_id, value, _sdc_sequence"),
            ),
        ] {
            if !self.exists(table).await {
                continue;
            }
            // A column that was only NULL so far is not there.
            let has_value = self
                .rows(&format!(
                    "select count(*) from pg_attribute where attrelid = 'shop.{table}'::regclass and attname = 'value'"
                ))
                .await
                == ["1"];
            let columns = match columns.contains(" value,") && !has_value {
                true => columns.replace(" value,", " null,"),
                false => columns,
            };
            let rows = self
                .rows(&format!(
                    "select concat_ws('|', {}) from shop.{table}",
                    as_text(&columns)
                ))
                .await;
            stored.extend(rows);
        }
        stored.sort();
        stored
    }
}

/// Every column as text, `null` for NULL.
fn as_text(columns: &str) -> String {
    let texts: Vec<String> = columns
        .split(", ")
        .map(|column| format!("coalesce(({column})::text, 'null')"))
        .collect();
    texts.join(", ")
}

#[test]
fn records_and_items_are_what_a_slow_model_says() {
    play_lives(16, async || Warehouse::create().await);
}
