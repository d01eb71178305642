//! `--discover`.

use selvedge_connector::ErrorKind;

use crate::fake::FakeTap;

async fn message(script: &str) -> String {
    FakeTap::new(script).discover().await.unwrap_err().message
}

#[tokio::test]
async fn a_catalogue_is_read() {
    let mut tap = FakeTap::new(
        r#"
        cat "$2" > "$NOTES/config"; echo "$1 $3 $#" > "$NOTES/arguments"
        echo "INFO discovering" >&2
        echo '{"streams": [{"stream": "orders", "schema": {"properties": {"id": {}}}}]}'
        "#,
    );
    tap.config.insert("start_date".to_owned(), "2024".into());
    let catalog = tap.discover().await.unwrap();
    assert_eq!(catalog.streams[0].tap_stream_id, "orders");
    assert_eq!(catalog.document["streams"][0]["stream"], "orders");
    assert_eq!(tap.note("config"), r#"{"start_date":"2024"}"#);
    assert_eq!(tap.note("arguments"), "--config --discover 3\n");
    assert_eq!(tap.log(), ["INFO discovering"]);
}

#[tokio::test]
async fn lines_before_the_catalogue_are_told_of() {
    let tap = FakeTap::new(r#"echo hello; echo '{"streams": []}'"#);
    assert!(tap.discover().await.unwrap().streams.is_empty());
    assert!(tap.log()[0].contains("1 lines before its catalogue"));
}

#[tokio::test]
async fn a_discovery_that_prints_no_catalogue_fails_clearly() {
    assert_eq!(message("exit 0").await, "the tap printed no catalogue");
    assert_eq!(
        message(r#"printf '{"streams": [{"stream": "or'"#).await,
        "the tap printed a catalogue that ends in the middle"
    );
    assert_eq!(
        message("echo Fetching").await,
        "the tap printed something else than a catalogue"
    );
}

#[tokio::test]
async fn refused_credentials_are_told_from_other_failures() {
    let tap = FakeTap::new(
        "echo 'CRITICAL 401 Client Error: Unauthorized for url: https://a.example' >&2; exit 2",
    );
    let error = tap.discover().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Authentication);
    assert_eq!(error.code.as_deref(), Some("2"));
    assert_eq!(
        error.message,
        "401 Client Error: Unauthorized for url: https://a.example"
    );
}

#[tokio::test]
async fn a_catalogue_without_end_is_cut_off() {
    let mut tap = FakeTap::new("yes '{\"streams\": [' ");
    tap.limits.catalog_bytes = 1 << 20;
    let error = tap.discover().await.unwrap_err();
    assert_eq!(
        error.message,
        "the tap printed a catalogue of more than 1 MiB"
    );
}

#[tokio::test]
async fn a_missing_program_is_named() {
    let mut tap = FakeTap::new("");
    tap.program.program = tap.path("bin/tap-x");
    let error = tap.discover().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Configuration);
    assert!(
        error.message.ends_with("bin/tap-x does not exist"),
        "{error}"
    );
    tap.program.program = tap.path("tap.sh");
    let error = tap.discover().await.unwrap_err();
    assert!(
        error.message.ends_with("tap.sh is not executable"),
        "{error}"
    );
}
