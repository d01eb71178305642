//! Checks of buckets.

use selvedge_connector::{CheckContext, CheckReport, Destination};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::bucket::Bucket;
use crate::support::dialer;

async fn check(bucket: &Bucket, more: &Value) -> CheckReport {
    let ctx = CheckContext {
        dialer: dialer(true),
        stop: CancellationToken::new(),
    };
    bucket.destination(more).check(&ctx).await.unwrap()
}

#[tokio::test]
async fn a_bucket_with_its_challenge_file_passes_and_stays_as_it_is() {
    let bucket = Bucket::create().await;
    bucket.put("stitch-challenge-file-1", "").await;
    let report = check(&bucket, &json!({})).await;
    assert_eq!(report.failure_text(), None);
    assert_eq!(report.steps.len(), 3);
    assert_eq!(bucket.keys().await, ["stitch-challenge-file-1"]);
    let uploads = bucket.text("?uploads").await;
    assert!(!uploads.contains("<Upload>"), "{uploads}");
}

#[tokio::test]
async fn a_missing_challenge_file_has_the_documented_text() {
    let bucket = Bucket::create().await;
    let report = check(&bucket, &json!({})).await;
    let failure = report.failure().unwrap();
    assert_eq!(
        failure.error.as_ref().unwrap().message,
        "An error occurred (404) when calling the HeadObject operation: Not Found"
    );
    assert!(failure.remedy.as_ref().unwrap().contains("sentinel_key"));
}

#[tokio::test]
async fn a_missing_bucket_and_a_closed_port_are_told() {
    let bucket = Bucket::create().await;
    let report = check(&bucket, &json!({ "s3_bucket": "no-such-bucket-here" })).await;
    let text = report.failure_text().unwrap();
    assert!(
        text.starts_with("there is no bucket no-such-bucket-here: check the property s3_bucket"),
        "{text}"
    );
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let report = check(&bucket, &json!({ "endpoint": endpoint })).await;
    assert_eq!(
        report.failure_text().unwrap(),
        "the connection was refused: check the host name and port of the endpoint"
    );
}
