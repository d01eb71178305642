//! Names of tables that make no key, or more than one.

use serde_json::json;

use crate::support::{Lake, batch, config, load, merge};
use selvedge_dest_lake::LakeDestination;

#[tokio::test]
async fn a_table_whose_name_is_too_long_is_rejected_as_a_whole() {
    let lake = Lake::new(&json!({ "format": "jsonl" }));
    let table = "t".repeat(250);
    let rows = batch(1, &[("id", vec![json!(1), json!(2)])]);
    let report = load(&lake.destination, merge(&table, &["id"]), vec![rows]).await;
    assert_eq!((report.books.written, report.books.rejected), (0, 2));
    let rejected = lake.text("shop/_sdc_rejected/0_1927857906789.jsonl");
    assert!(
        rejected.contains(&format!("Table name [{table}] is too long for local files")),
        "{rejected}"
    );
}

#[tokio::test]
async fn a_name_is_one_folder_whatever_is_in_it() {
    let lake = Lake::new(&json!({ "format": "jsonl" }));
    for name in ["../../escape", "a/b", ".."] {
        let rows = batch(1, &[("id", vec![json!(1)])]);
        load(&lake.destination, merge(name, &["id"]), vec![rows]).await;
    }
    assert_eq!(
        lake.keys(),
        [
            "shop/%2E%2E/0_1927857906789.jsonl",
            "shop/..%2F..%2Fescape/0_1927857906789.jsonl",
            "shop/a%2Fb/0_1927857906789.jsonl",
        ]
    );
}

#[test]
fn a_directory_is_below_the_accounts_own() {
    let build = |directory: &str| {
        let properties = config(&json!({ "directory": directory }));
        LakeDestination::local_files(&properties, "/data/files/1".into())
    };
    assert!(build("lake/raw").is_ok());
    for bad in ["/etc", "..", "a/../b", ".spool", "a//b", "a\\b"] {
        let error = build(bad).map(|_| ()).unwrap_err();
        assert!(
            error.message.starts_with("the property directory must be"),
            "{bad}"
        );
    }
}
