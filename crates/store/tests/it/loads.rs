//! Loads.

use selvedge_store::{Page, loads};
use selvedge_types::SourceId;
use serde_json::json;

use crate::support::{Fixture, START, after};

on_both_databases!(
    the_newest_attempt_of_a_stream_counts,
    loads_are_ordered_by_stream_and_source_name_and_paged,
);

async fn the_newest_attempt_of_a_stream_counts(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    let mut tx = fixture.store.begin().await.unwrap();
    let error = json!({"notification_data": {"message": "refused"}});
    assert!(
        loads::record_failure(&mut tx, scope, source, "orders", &error, after(1))
            .await
            .unwrap()
    );
    let page = loads::list_page(&mut tx, scope, START, Page::number(1))
        .await
        .unwrap();
    assert_eq!(page.items[0].error_state, Some(error.clone()));
    assert_eq!(page.items[0].last_batch_loaded_at, None);

    assert!(
        loads::record_success(&mut tx, scope, source, "orders", 12, after(2))
            .await
            .unwrap()
    );
    let page = loads::list_page(&mut tx, scope, START, Page::number(1))
        .await
        .unwrap();
    assert_eq!(page.total, 1);
    let load = &page.items[0];
    assert_eq!((load.source, load.source_name.as_str()), (source, "shop"));
    assert_eq!((load.error_state.as_ref(), load.row_count), (None, 12));
    assert_eq!(load.last_batch_loaded_at, Some(after(2)));

    loads::record_failure(&mut tx, scope, source, "orders", &error, after(3))
        .await
        .unwrap();
    let page = loads::list_page(&mut tx, scope, START, Page::number(1))
        .await
        .unwrap();
    let load = &page.items[0];
    assert_eq!(
        (load.last_batch_loaded_at, load.updated_at),
        (None, after(3))
    );
    let later = loads::list_page(&mut tx, scope, after(4), Page::number(1))
        .await
        .unwrap();
    assert_eq!((later.total, later.items.len()), (0, 0));
    let unknown = loads::record_success(&mut tx, scope, SourceId(1), "orders", 1, START).await;
    assert!(!unknown.unwrap());
}

async fn loads_are_ordered_by_stream_and_source_name_and_paged(fixture: Fixture) {
    let scope = fixture.account().await;
    let (shop, crm) = (
        fixture.source(scope, "shop").await,
        fixture.source(scope, "crm").await,
    );
    let mut tx = fixture.store.begin().await.unwrap();
    for number in 0..100 {
        let name = format!("t{number:03}");
        loads::record_success(&mut tx, scope, shop, &name, 1, START)
            .await
            .unwrap();
    }
    // Bytes decide, whatever the database's locale says.
    for (source, name) in [(crm, "t000"), (crm, "a_b"), (crm, "aB"), (crm, "Z")] {
        loads::record_success(&mut tx, scope, source, name, 1, START)
            .await
            .unwrap();
    }
    let first = loads::list_page(&mut tx, scope, START, Page::number(1))
        .await
        .unwrap();
    let second = loads::list_page(&mut tx, scope, START, Page::number(2))
        .await
        .unwrap();
    assert_eq!((first.total, second.total), (104, 104));
    assert_eq!((first.items.len(), second.items.len()), (100, 4));
    let names: Vec<_> = first.items[..5]
        .iter()
        .map(|load| (load.stream_name.as_str(), load.source_name.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("Z", "crm"),
            ("aB", "crm"),
            ("a_b", "crm"),
            ("t000", "crm"),
            ("t000", "shop")
        ]
    );
    assert_eq!(second.items[3].stream_name, "t099");
}
