//! Settings that a tap replaces itself.

use std::sync::Arc;

use selvedge_singer::Mutable;
use serde_json::json;

use crate::fake::{FakeTap, Shelf};

fn rotating(script: &str, shelf: &Arc<Shelf>) -> FakeTap {
    let mut tap = FakeTap::new(script);
    tap.config
        .insert("refresh_token".to_owned(), "token-1".into());
    tap.config.insert("start_date".to_owned(), "2024".into());
    tap.mutable = vec![Mutable {
        config_key: "refresh_token".to_owned(),
        property: "refresh".to_owned(),
    }];
    tap.store = Some(Arc::clone(shelf) as _);
    tap
}

#[tokio::test]
async fn a_rotated_token_is_saved_although_the_tap_fails() {
    let shelf = Arc::new(Shelf::default());
    let tap = rotating(
        r#"
        echo '{"refresh_token": "token-2", "start_date": "2031"}' > "$2"
        echo 'CRITICAL refused with token-2 after token-1' >&2
        exit 1
        "#,
        &shelf,
    );
    let outcome = tap.read().await;
    assert_eq!(outcome.error().message, "refused with *** after ***");
    assert_eq!(*shelf.kept.lock().unwrap(), [json!({"refresh": "token-2"})]);
    assert_eq!(tap.log(), ["CRITICAL refused with *** after ***"]);
}

#[tokio::test]
async fn tokens_are_saved_while_the_tap_runs() {
    let shelf = Arc::new(Shelf::default());
    let tap = rotating(
        r#"
        for token in token-2 token-3; do
            echo "{\"refresh_token\": \"$token\"}" > "$2.new"; mv "$2.new" "$2"
            echo INFO rotated >&2
            until [ -e "$NOTES/$token" ]; do sleep 0.01; done
        done
        "#,
        &shelf,
    );
    let noting = {
        let (shelf, notes) = (Arc::clone(&shelf), tap.path(""));
        tokio::spawn(async move {
            let mut noted = 0;
            while noted < 2 {
                let kept = shelf.kept.lock().unwrap().clone();
                for saved in &kept[noted..] {
                    let token = saved["refresh"].as_str().unwrap();
                    std::fs::write(notes.join(token), "").unwrap();
                }
                noted = kept.len();
                tokio::task::yield_now().await;
            }
        })
    };
    let outcome = tap.read().await;
    assert!(outcome.result.is_ok(), "{:?}", outcome.result);
    noting.await.unwrap();
    let kept = shelf.kept.lock().unwrap();
    assert_eq!(
        *kept,
        [json!({"refresh": "token-2"}), json!({"refresh": "token-3"})]
    );
}

#[tokio::test]
async fn discovery_saves_a_rotated_token_too() {
    let shelf = Arc::new(Shelf::default());
    let script = r#"echo '{"refresh_token": "token-2"}' > "$2"; echo '{"streams": []}'"#;
    assert!(rotating(script, &shelf).discover().await.is_ok());
    assert_eq!(*shelf.kept.lock().unwrap(), [json!({"refresh": "token-2"})]);
}

#[tokio::test]
async fn a_token_that_cannot_be_saved_ends_the_run() {
    let shelf = Arc::new(Shelf {
        refuses: true,
        ..Shelf::default()
    });
    let script = r#"echo '{"refresh_token": "token-2"}' > "$2"; sleep 600"#;
    let outcome = rotating(script, &shelf).read().await;
    assert_eq!(
        outcome.error().message,
        "what the tap replaced in its settings (refresh) could not be saved: the shelf is full"
    );
}

#[tokio::test]
async fn a_file_that_is_left_unreadable_is_told_of() {
    let shelf = Arc::new(Shelf::default());
    let tap = rotating(r#"printf '{"refresh' > "$2""#, &shelf);
    assert!(tap.read().await.result.is_ok());
    assert!(shelf.kept.lock().unwrap().is_empty());
    assert!(tap.log()[0].starts_with("WARNING the tap left a configuration file"));
}
