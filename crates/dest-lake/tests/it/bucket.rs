//! Loads into a bucket of the S3 server that `SELVEDGE_TEST_S3_URL` names.

use std::sync::atomic::{AtomicU64, Ordering};

use selvedge_connector::{Destination, ErrorKind, LoadContext};
use selvedge_dest_lake::LakeDestination;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{batch, checkpoint, config, context, dialer, load, merge, without_system};

/// The emulator looks at who asks, not at the signature.
const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=tester/20310203/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

/// A bucket of its own, empty, and a destination that writes there.
pub(crate) struct Bucket {
    pub(crate) url: String,
    pub(crate) name: String,
    spool: TempDir,
    http: reqwest::Client,
}

impl Bucket {
    pub(crate) async fn create() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let url = std::env::var("SELVEDGE_TEST_S3_URL").expect(
            "SELVEDGE_TEST_S3_URL names no S3 server: run the tests with `cargo xtask test`",
        );
        let name = format!(
            "lake-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        selvedge_net::tls::install_provider();
        let bucket = Self {
            http: reqwest::Client::new(),
            spool: tempfile::tempdir().unwrap(),
            url: url.trim_end_matches('/').to_owned(),
            name,
        };
        bucket.put("", "").await;
        bucket
    }

    pub(crate) async fn put(&self, key: &str, content: &str) {
        let url = format!("{}/{}/{key}", self.url, self.name);
        let answer = self
            .http
            .put(url)
            .header("Authorization", SIGNED)
            .body(content.to_owned())
            .send()
            .await;
        assert!(answer.unwrap().status().is_success());
    }

    pub(crate) async fn text(&self, key: &str) -> String {
        let url = format!("{}/{}/{key}", self.url, self.name);
        let answer = self
            .http
            .get(url)
            .header("Authorization", SIGNED)
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{key}");
        answer.text().await.unwrap()
    }

    /// Keys of all objects, without the commit marks.
    pub(crate) async fn keys(&self) -> Vec<String> {
        let listing = self.text("?list-type=2").await;
        let mut keys: Vec<String> = listing
            .split("<Key>")
            .skip(1)
            .filter_map(|rest| rest.split("</Key>").next().map(str::to_owned))
            .filter(|key| !key.contains("_sdc_selvedge_commits"))
            .collect();
        keys.sort();
        keys
    }

    pub(crate) fn destination(&self, more: &Value) -> LakeDestination {
        let mut properties = json!({
            "s3_bucket": self.name, "endpoint": self.url, "access_key_id": "tester", "secret_access_key": "secret",
            "output_file_format": "jsonl", "sentinel_key": "stitch-challenge-file-1",
            "s3_key_format_string": "[integration_name]/[table_name]/[table_version]_[timestamp_loaded].[csv|jsonl]",
        });
        for (name, value) in more.as_object().unwrap() {
            properties[name] = value.clone();
        }
        LakeDestination::s3(&config(&properties), self.spool.path().to_owned()).unwrap()
    }

    /// Files that were left where rows are collected.
    pub(crate) fn spooled(&self) -> usize {
        std::fs::read_dir(self.spool.path()).unwrap().count()
    }
}

#[tokio::test]
async fn records_become_objects_under_the_template() {
    let bucket = Bucket::create().await;
    let destination = bucket.destination(&json!({
        "s3_key_format_string":
            "raw/[year_loaded]-[month_loaded]-[day_loaded]T[hour_loaded]/[integration_name]/[table_name]/\
             [table_version]_[timestamp_loaded].jsonl",
    }));
    let rows = batch(
        1,
        &[
            ("id", vec![json!(1), json!(2)]),
            ("_sdc_x", vec![json!(null), json!(true)]),
        ],
    );
    let report = load(&destination, merge("orders", &["id"]), vec![rows]).await;
    assert!(report.durable);
    assert_eq!((report.books.written, report.books.rejected), (1, 1));
    let folder = "raw/2031-02-03T04/shop";
    let order = format!("{folder}/orders/0_1927857906789.jsonl");
    let told = format!("{}/{order}", bucket.name);
    assert_eq!(report.objects, Some(vec![told]));
    assert_eq!(
        bucket.keys().await,
        [
            format!("{folder}/_sdc_rejected/0_1927857906789.jsonl"),
            order.clone()
        ]
    );
    assert_eq!(
        without_system(bucket.text(&order).await.trim_end()),
        json!({"id": 1, "_sdc_sequence": 1, "_sdc_table_version": 0})
    );
    let mark: Value = serde_json::from_str(
        &bucket
            .text("raw/shop/_sdc_selvedge_commits/100001_orders.json")
            .await,
    )
    .unwrap();
    assert_eq!(mark["committed"]["position"], "position 1");
    assert_eq!(mark["pending"], json!(null));
    assert_eq!(bucket.spooled(), 0);
}

#[tokio::test]
async fn an_object_that_is_there_is_never_overwritten() {
    let bucket = Bucket::create().await;
    bucket
        .put("shop/orders/0_1927857906789.jsonl", "mine")
        .await;
    let rows = batch(1, &[("id", vec![json!(1)])]);
    load(
        &bucket.destination(&json!({})),
        merge("orders", &["id"]),
        vec![rows],
    )
    .await;
    assert_eq!(
        bucket.text("shop/orders/0_1927857906789.jsonl").await,
        "mine"
    );
    assert_eq!(
        bucket.keys().await,
        [
            "shop/orders/0_1927857906789.jsonl",
            "shop/orders/0_1927857906790.jsonl"
        ]
    );
}

#[tokio::test]
async fn a_large_load_goes_up_in_parts_and_arrives_whole() {
    let bucket = Bucket::create().await;
    let destination = bucket.destination(&json!({ "output_file_format": "csv" }));
    let mut writer = destination
        .open(context(1), merge("large", &["id"]))
        .await
        .unwrap();
    let text = "x".repeat(1_000);
    let (batches, rows) = (10_i64, 2_000_i64);
    for number in 0..batches {
        let first = number * rows;
        writer
            .write(batch(
                first,
                &[
                    ("id", (first..first + rows).map(|id| json!(id)).collect()),
                    ("text", (0..rows).map(|_| json!(text)).collect()),
                ],
            ))
            .await
            .unwrap();
    }
    let report = writer.finish(checkpoint(1)).await.unwrap();
    assert_eq!(report.books.written, 20_000);
    let content = bucket.text("shop/large/0_1927857906789.csv").await;
    assert!(content.len() > 20_000_000);
    let mut lines = content.lines();
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("id,text,_sdc_extracted_at")
    );
    for (id, line) in lines.enumerate() {
        assert!(line.starts_with(&format!("{id},xxx")), "{line}");
    }
    assert_eq!(content.lines().count(), 20_001);
}

#[tokio::test]
async fn a_bucket_that_is_not_there_fails_the_load_with_what_to_do() {
    let bucket = Bucket::create().await;
    let destination = bucket.destination(&json!({ "s3_bucket": "no-such-bucket-here" }));
    let attempt = async {
        let target = merge("orders", &["id"]);
        let mut writer = destination.open(context(1), target).await?;
        writer.write(batch(1, &[("id", vec![json!(1)])])).await?;
        writer.finish(checkpoint(1)).await.map(drop)
    };
    let error = attempt.await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Configuration, "{error:?}");
    let sentence = "there is no bucket no-such-bucket-here: check the property s3_bucket";
    assert!(error.message.contains(sentence), "{error:?}");
    assert!(error.detail.is_some(), "{error:?}");
    assert_eq!(error.code.as_deref(), Some("NoSuchBucket"));
}

#[tokio::test]
async fn the_next_run_finds_the_last_commit() {
    let bucket = Bucket::create().await;
    let destination = bucket.destination(&json!({ "columnar_file_format": "parquet" }));
    let target = merge("orders", &["id"]);
    let mut writer = destination.open(context(1), target.clone()).await.unwrap();
    assert_eq!(writer.committed_position(), None);
    for number in 1..=2 {
        let rows = batch(number, &[("id", vec![json!(number)])]);
        writer.write(rows).await.unwrap();
        writer.commit(checkpoint(number)).await.unwrap();
    }
    drop(writer);
    let again = destination.open(context(2), target.clone()).await.unwrap();
    assert_eq!(again.committed_position(), Some("position 2"));
    let mut other_life = target;
    other_life.identity.epoch = 2;
    let fresh = destination.open(context(2), other_life).await.unwrap();
    assert_eq!(fresh.committed_position(), None);
    assert_eq!(
        bucket.keys().await,
        [
            "shop/orders/0_1927857906789.parquet",
            "shop/orders/0_1927857906790.parquet"
        ]
    );
}

#[tokio::test]
async fn the_operators_networks_hold_for_the_endpoint() {
    let bucket = Bucket::create().await;
    let guarded = LoadContext {
        dialer: dialer(false),
        ..context(1)
    };
    let opened = bucket
        .destination(&json!({}))
        .open(guarded, merge("orders", &["id"]))
        .await;
    let error = opened.map(|_| ()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Configuration);
    assert_eq!(
        error.message,
        "the address of 127.0.0.1 is in a network that this server may not reach"
    );
}
