//! A destination that is a directory of files, over HTTP.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::platform::{Platform, settings};

#[tokio::test]
async fn sqlite_arrives_in_json_lines_on_this_server() {
    let files = tempfile::tempdir().unwrap();
    let shop = files.path().join("shop.db");
    let origin = Connection::open(&shop).unwrap();
    origin
        .execute_batch(
            "create table orders (id integer primary key, note text, total decimal(12,2));
             insert into orders values (1, 'one', 10.50), (2, null, null);",
        )
        .unwrap();
    let config = files.path().join("selvedge.toml");
    let allowed = format!(
        "[local_files]\nallowed_directories = [{:?}]\n",
        files.path()
    );
    std::fs::write(&config, allowed).unwrap();
    let platform = Platform::start_with(
        settings().environment("SELVEDGE_CONFIG", config.display().to_string()),
    )
    .await;
    platform
        .destination(&json!({
            "type": "local_files", "properties": { "format": "jsonl", "directory": "lake" },
        }))
        .await;
    let source = platform
        .source(&json!({
            "type": "platform.sqlite", "display_name": "Shop", "properties": { "path": shop },
        }))
        .await;
    let by_id = json!([{ "breadcrumb": [], "metadata": {
        "selected": true, "replication-method": "INCREMENTAL", "replication-key": "id",
    } }]);
    platform.set_metadata(source, "orders", by_id).await;
    platform.sync(source).await.succeeded();
    origin
        .execute_batch("insert into orders values (3, 'three', 3.00)")
        .unwrap();
    platform.sync(source).await.succeeded();

    let account = platform.account.to_string();
    let folder = platform
        .server
        .data_dir()
        .join("files")
        .join(account)
        .join("lake/shop/orders");
    let mut objects: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    objects.sort();
    assert_eq!(objects.len(), 2, "one object for each run: {objects:?}");
    let rows: Vec<Vec<Value>> = objects
        .iter()
        .map(|object| {
            let text = std::fs::read_to_string(object).unwrap();
            text.lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect()
        })
        .collect();
    let shown = |row: &Value| {
        (
            row["id"].clone(),
            row["note"].clone(),
            row["total"].to_string(),
        )
    };
    assert_eq!(
        rows[0].iter().map(shown).collect::<Vec<_>>(),
        [
            (json!(1), json!("one"), "10.5".to_owned()),
            (json!(2), json!(null), "null".to_owned()),
        ]
    );
    // The boundary is read again, and appended.
    assert_eq!(
        rows[1].iter().map(shown).collect::<Vec<_>>(),
        [
            (json!(2), json!(null), "null".to_owned()),
            (json!(3), json!("three"), "3.0".to_owned()),
        ]
    );
    let text = std::fs::read_to_string(&objects[0]).unwrap();
    assert!(
        text.contains("\"total\":10.50,\"_sdc_extracted_at\":\""),
        "{text}"
    );
}
