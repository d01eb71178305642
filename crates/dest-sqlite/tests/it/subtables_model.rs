//! Random loads of nested records against the model that all destinations with subtables are held against.

use async_trait::async_trait;
use selvedge_connector::{LoadMode, TableWriter};
use selvedge_testkit::nested::{Ground, KEY, play_lives};

use crate::support::{Warehouse, context, merge, replace};

#[async_trait]
impl Ground for Warehouse {
    async fn open(&self, run: i64, mode: LoadMode) -> Box<dyn TableWriter> {
        let target = match mode {
            LoadMode::Merge => merge("orders", &KEY),
            LoadMode::Replace => replace("orders", &KEY, run),
        };
        Warehouse::open(self, context(run), target).await.unwrap()
    }

    async fn stored(&self) -> Vec<String> {
        stored(self)
    }
}

fn stored(warehouse: &Warehouse) -> Vec<String> {
    if !warehouse.path.exists() {
        return Vec::new();
    }
    let objects = warehouse.objects();
    let key = "_sdc_source_key_k1, _sdc_source_key_k2";
    let mut rows = Vec::new();
    for (table, query) in [
        (
            "shop__orders",
            "'orders', k1, k2, name, _sdc_sequence".to_owned(),
        ),
        (
            "shop__orders__lines",
            format!("'lines', {key}, _sdc_level_0_id, at, _sdc_sequence"),
        ),
        (
            "shop__orders__lines__marks",
            format!("'marks', {key}, _sdc_level_0_id, _sdc_level_1_id, value, _sdc_sequence"),
        ),
        (
            "shop__orders__tags",
            format!("'tags', {key}, _sdc_level_0_id, value, _sdc_sequence"),
        ),
    ] {
        if objects.contains(&table.to_owned()) {
            let columns = warehouse.columns(table);
            let has_value = columns.iter().any(|column| column.starts_with("value "));
            // A column that was only NULL so far is not there.
            let query = match query.contains(" value,") && !has_value {
                true => query.replace(" value,", " null,"),
                false => query,
            };
            rows.extend(warehouse.rows(&format!("select {query} from {table}")));
        }
    }
    rows.sort();
    rows
}

#[test]
fn records_and_items_are_what_a_slow_model_says() {
    play_lives(32, async || Warehouse::new());
}
