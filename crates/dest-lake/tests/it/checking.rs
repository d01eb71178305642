//! Checks of settings.

use selvedge_connector::{CheckContext, ConnectorError, Destination, ErrorKind};
use selvedge_dest_lake::LakeDestination;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::{Lake, batch, checkpoint, config, context, dialer, load, merge};

#[tokio::test]
async fn a_check_of_a_directory_leaves_nothing_behind() {
    let lake = Lake::new(&json!({}));
    let ctx = CheckContext {
        dialer: dialer(false),
        stop: CancellationToken::new(),
    };
    let report = lake.destination.check(&ctx).await.unwrap();
    assert!(report.failure().is_none());
    assert!(lake.keys().is_empty() && !lake.root().exists());
}

#[tokio::test]
async fn a_file_in_the_place_of_the_directory_is_an_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let below = file.path().join("account");
    let destination = LakeDestination::local_files(&config(&json!({})), below).unwrap();
    let target = crate::support::merge("orders", &["id"]);
    let opened = destination.open(crate::support::context(1), target).await;
    assert_refused(&opened.err().expect("a refusal"));
}

#[tokio::test]
async fn a_file_in_the_place_of_a_tables_folder_stops_that_table_alone() {
    let lake = Lake::new(&json!({ "format": "csv" }));
    std::fs::create_dir_all(lake.root().join("shop")).unwrap();
    std::fs::write(lake.root().join("shop/orders"), "mine").unwrap();
    let rows = || batch(1, &[("id", vec![json!(1)])]);
    let target = merge("orders", &["id"]);
    let mut writer = lake.destination.open(context(1), target).await.unwrap();
    writer.write(rows()).await.unwrap();
    let refused = writer.finish(checkpoint(1)).await.unwrap_err();
    assert_refused(&refused);
    assert!(refused.message.contains("orders"), "{refused:?}");
    load(&lake.destination, merge("others", &["id"]), vec![rows()]).await;
    assert_eq!(lake.text("shop/orders"), "mine");
    assert!(
        lake.keys()
            .iter()
            .any(|key| key.starts_with("shop/others/"))
    );
}

#[track_caller]
fn assert_refused(error: &ConnectorError) {
    assert_eq!(error.kind, ErrorKind::Data, "{error:?}");
    let sentence = "a file is in the place of a directory: rename or remove it";
    assert!(error.message.contains(sentence), "{error:?}");
    assert!(error.detail.is_some());
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let local = |properties| LakeDestination::local_files(&config(&properties), "d".into());
    for (properties, why) in [
        (
            json!({ "format": "xml" }),
            "the property format must be parquet, csv or jsonl",
        ),
        (
            json!({ "format": "csv", "csv_delimiter": ";" }),
            "the property csv_delimiter must be a comma, a pipe (|) or a tab (\\t)",
        ),
        (
            json!({ "format": "csv", "csv_force_quote": "yes" }),
            "the property csv_force_quote must be true or false",
        ),
    ] {
        assert_eq!(local(properties).map(|_| ()).unwrap_err().message, why);
    }
    let bucket = |more: serde_json::Value| {
        let mut properties = json!({
            "output_file_format": "csv", "s3_bucket": "lake", "access_key_id": "a", "secret_access_key": "s",
            "s3_key_format_string": "[integration_name]/[table_name]/[table_version]_[timestamp_loaded].[csv|jsonl]",
        });
        for (name, value) in more.as_object().unwrap() {
            properties[name] = value.clone();
        }
        LakeDestination::s3(&config(&properties), "d".into())
    };
    assert!(bucket(json!({})).is_ok());
    for (more, why) in [
        (
            json!({ "s3_key_format_string": "[table_name].csv" }),
            "the property s3_key_format_string must contain the element [integration_name]",
        ),
        (
            json!({ "output_file_format": "xml" }),
            "the property output_file_format must be csv or jsonl",
        ),
        (
            json!({ "access_key_id": null }),
            "the property access_key_id is missing",
        ),
        (
            json!({ "endpoint": "ftp://host" }),
            "the property endpoint must be a host, or http:// or https:// with a host and perhaps a port",
        ),
        (
            json!({ "endpoint": "host/path" }),
            "the property endpoint must be a host, or http:// or https:// with a host and perhaps a port",
        ),
    ] {
        assert_eq!(bucket(more).map(|_| ()).unwrap_err().message, why);
    }
}
