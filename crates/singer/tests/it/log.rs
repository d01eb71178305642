//! What a tap says on stderr.

use crate::fake::FakeTap;

#[tokio::test]
async fn lines_get_their_levels_and_tracebacks_stay_together() {
    let tap = FakeTap::new(
        r#"
        cat >&2 <<'END'
INFO Starting
INFO METRIC: {"type":"counter","metric":"record_count","value":5,"tags":{"endpoint":"a"}}
2024-05-01 10:00:00,123 - tap_shop - WARNING - slow
Traceback (most recent call last):
  File "tap.py", line 3, in <module>
shop.errors.ShopError: the shop is closed
END
        exit 1
        "#,
    );
    let outcome = tap.read().await;
    assert_eq!(
        outcome.error().message,
        "shop.errors.ShopError: the shop is closed"
    );
    assert_eq!(
        tap.log(),
        [
            "INFO Starting",
            r#"INFO METRIC: {"type":"counter","metric":"record_count","value":5,"tags":{"endpoint":"a"}}"#,
            "WARNING tap_shop: slow",
            "ERROR Traceback (most recent call last):",
            "ERROR   File \"tap.py\", line 3, in <module>",
            "ERROR shop.errors.ShopError: the shop is closed",
        ]
    );
}

#[tokio::test]
async fn a_leaked_token_is_masked_in_lines_chunks_and_errors() {
    let mut tap = FakeTap::new(
        r#"
        printf 'INFO got tok' >&2; sleep 0.2; printf 'en-12345 and \"token-12345\"\n' >&2
        echo 'CRITICAL refused: token=token-12345' >&2
        exit 1
        "#,
    );
    tap.secrets = vec!["token-12345".to_owned()];
    let outcome = tap.read().await;
    assert_eq!(outcome.error().message, "refused: token=***");
    assert!(
        tap.log().iter().all(|line| !line.contains("12345")),
        "{:?}",
        tap.log()
    );
}

#[tokio::test]
async fn a_token_is_masked_where_a_long_line_is_cut() {
    let mut tap = FakeTap::new(
        "printf 'INFO %0300d' 0 >&2; printf 'token-12345 %09000d\n' 0 >&2; echo INFO done >&2",
    );
    tap.secrets = vec!["token-12345".to_owned()];
    tap.limits.log_line = 308;
    assert!(tap.read().await.result.is_ok());
    let log = tap.log();
    assert!(log[0].ends_with("0*** … (9009 more bytes)"), "{}", log[0]);
    assert_eq!(log[1], "INFO done");
}

#[tokio::test]
async fn a_flood_does_not_stop_the_tap_and_is_counted() {
    let mut tap = FakeTap::new(
        r#"
        yes 'INFO flood' | head -n 20000 >&2
        echo 'CRITICAL the last word' >&2
        exit 1
        "#,
    );
    tap.limits.log_lines_per_second = 10;
    let outcome = tap.read().await;
    // Not in the log, but heard.
    assert_eq!(outcome.error().message, "the last word");
    let log = tap.log();
    assert!(log.len() < 1000, "{}", log.len());
    let left_out: u64 = log
        .iter()
        .filter_map(|line| {
            line.strip_prefix("WARNING ")?
                .split_once(" lines of the tap's log left out")
        })
        .filter_map(|(count, _)| count.parse::<u64>().ok())
        .sum();
    let lines = log.iter().filter(|line| !line.contains("left out")).count();
    assert_eq!(left_out + lines as u64, 20_001);
}

#[tokio::test]
async fn a_megabyte_without_line_end_is_one_short_line() {
    let tap = FakeTap::new("head -c 1000000 /dev/zero | tr '\\0' x >&2");
    assert!(tap.read().await.result.is_ok());
    let log = tap.log();
    assert_eq!(log.len(), 1);
    assert!(log[0].ends_with("x … (983616 more bytes)"));
}
