//! Streams: discovery, choices, positions.

use selvedge_store::streams::{self, DiscoveredRow, PositionUpdate};
use selvedge_types::job::JobMode;
use serde_json::json;

use crate::support::{Fixture, LEASE_SECONDS, START, after, discovered, object};

on_both_databases!(
    discovery_adds_updates_and_removes_streams,
    a_stream_that_comes_back_is_the_same_stream,
    many_streams_are_discovered_and_change_together,
    choices_are_kept_over_discoveries,
    a_position_is_saved_under_the_newest_fence_only,
    a_reset_ends_the_epoch_of_a_running_job,
    a_new_epoch_keeps_positions,
);

async fn discovery_adds_updates_and_removes_streams(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    fixture.streams(scope, source).await;
    let mut tx = fixture.store.begin().await.unwrap();
    let before = streams::list(&mut tx, scope, source).await.unwrap();
    assert_eq!(before.len(), 2);
    assert_eq!(before[0].tap_stream_id, "a");
    assert_eq!(before[0].metadata, discovered("a").metadata);
    assert_eq!(before[0].choices, json!({}));

    let changed = DiscoveredRow {
        metadata: object(json!({"row-count": 4})),
        schema: json!({"type": "object"}),
        ..discovered("b")
    };
    // A source that lists a stream twice does not break discovery; the first row counts.
    let rows = [changed.clone(), discovered("c"), discovered("b")];
    streams::replace_discovered(&mut tx, scope, source, &rows, after(1))
        .await
        .unwrap();
    let listed = streams::list(&mut tx, scope, source).await.unwrap();
    let names: Vec<_> = listed
        .iter()
        .map(|stream| stream.tap_stream_id.as_str())
        .collect();
    assert_eq!(names, ["b", "c"]);
    assert_eq!(listed[0].id, before[1].id);
    let record = streams::find(&mut tx, scope, source, listed[0].id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(record.schema, changed.schema);
    assert_eq!(record.metadata, changed.metadata);
    assert_eq!(record.field_metadata, changed.field_metadata);
    assert_eq!(record.discovered_at, after(1));
    assert!(
        streams::find(&mut tx, scope, source, before[0].id)
            .await
            .unwrap()
            .is_none()
    );
    let removed = streams::find_by_tap_stream_id(&mut tx, scope, source, "a")
        .await
        .unwrap();
    assert!(removed.is_none());
}

async fn a_stream_that_comes_back_is_the_same_stream(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    fixture.streams(scope, source).await;
    let mut tx = fixture.store.begin().await.unwrap();
    streams::set_choices(&mut tx, scope, source, "a", &json!({"selected": true}))
        .await
        .unwrap();
    let before = streams::find_by_tap_stream_id(&mut tx, scope, source, "a")
        .await
        .unwrap();
    for rows in [&[discovered("b")][..], &[discovered("a"), discovered("b")]] {
        streams::replace_discovered(&mut tx, scope, source, rows, START)
            .await
            .unwrap();
    }
    let after = streams::find_by_tap_stream_id(&mut tx, scope, source, "a")
        .await
        .unwrap();
    assert!(after.is_some());
    assert_eq!(after, before);
}

async fn many_streams_are_discovered_and_change_together(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    let mut rows: Vec<_> = (0..1_000)
        .map(|number| discovered(&format!("t{number}")))
        .collect();
    let mut tx = fixture.store.begin().await.unwrap();
    streams::replace_discovered(&mut tx, scope, source, &rows, START)
        .await
        .unwrap();
    let before = streams::list(&mut tx, scope, source).await.unwrap();
    for (number, row) in rows.iter_mut().enumerate() {
        if number % 7 != 0 {
            row.metadata = object(json!({"row-count": number}));
            row.stream_name = format!("renamed_{number}");
        }
    }
    streams::replace_discovered(&mut tx, scope, source, &rows, after(1))
        .await
        .unwrap();

    let (mut seen, mut last) = (Vec::new(), None);
    loop {
        let page = streams::list_records(&mut tx, scope, source, last, 300)
            .await
            .unwrap();
        let Some(stream) = page.last() else { break };
        last = Some(stream.id);
        seen.extend(page);
    }
    assert_eq!(seen.len(), 1_000);
    for ((stream, row), before) in seen.iter().zip(&rows).zip(&before) {
        assert_eq!(
            (&stream.id, &stream.tap_stream_id),
            (&before.id, &row.tap_stream_id)
        );
        assert_eq!(
            (&stream.stream_name, &stream.metadata),
            (&row.stream_name, &row.metadata)
        );
        assert_eq!(
            (&stream.schema, &stream.field_metadata),
            (&row.schema, &row.field_metadata)
        );
        assert_eq!(stream.discovered_at, after(1));
    }
}

async fn choices_are_kept_over_discoveries(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    fixture.streams(scope, source).await;
    let mut tx = fixture.store.begin().await.unwrap();
    let choices = json!({"selected": true, "fields": {"id": {"selected": false}}});
    assert!(
        streams::set_choices(&mut tx, scope, source, "b", &choices)
            .await
            .unwrap()
    );
    assert!(
        !streams::set_choices(&mut tx, scope, source, "z", &choices)
            .await
            .unwrap()
    );
    let changed = DiscoveredRow {
        schema: json!({}),
        ..discovered("b")
    };
    streams::replace_discovered(&mut tx, scope, source, &[changed], after(1))
        .await
        .unwrap();
    let listed = streams::list(&mut tx, scope, source).await.unwrap();
    assert_eq!(listed[0].choices, choices);
}

async fn a_position_is_saved_under_the_newest_fence_only(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    fixture.streams(scope, source).await;
    fixture.enqueue(scope, source, JobMode::Sync).await;
    let loser = fixture.claim(START).await.unwrap();
    let winner = fixture.claim(after(LEASE_SECONDS)).await.unwrap();
    assert_eq!(winner.name, loser.name);
    assert!(winner.fence > loser.fence);

    let mut tx = fixture.store.begin().await.unwrap();
    let (new, late) = (json!({"id": 9}), json!({"id": 5}));
    let saved = streams::save_position(&mut tx, scope, source, "a", 1, &new, winner.fence).await;
    assert_eq!(saved.unwrap(), PositionUpdate::Saved);
    let refused = streams::save_position(&mut tx, scope, source, "a", 1, &late, loser.fence).await;
    assert_eq!(refused.unwrap(), PositionUpdate::FenceLost);
    let record = streams::find_by_tap_stream_id(&mut tx, scope, source, "a")
        .await
        .unwrap();
    assert_eq!(record.unwrap().position, Some(new));
}

async fn a_reset_ends_the_epoch_of_a_running_job(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    fixture.streams(scope, source).await;
    fixture.enqueue(scope, source, JobMode::Sync).await;
    let job = fixture.claim(START).await.unwrap();
    let mut tx = fixture.store.begin().await.unwrap();
    let position = json!({"id": 9});
    streams::save_position(&mut tx, scope, source, "a", 1, &position, job.fence)
        .await
        .unwrap();
    assert!(streams::reset(&mut tx, scope, source, "a").await.unwrap());
    assert!(!streams::reset(&mut tx, scope, source, "z").await.unwrap());
    let refused =
        streams::save_position(&mut tx, scope, source, "a", 1, &position, job.fence).await;
    assert_eq!(refused.unwrap(), PositionUpdate::EpochOver);
    let record = streams::find_by_tap_stream_id(&mut tx, scope, source, "a")
        .await
        .unwrap()
        .unwrap();
    assert_eq!((record.position, record.epoch), (None, 2));
    let saved = streams::save_position(&mut tx, scope, source, "a", 2, &position, job.fence).await;
    assert_eq!(saved.unwrap(), PositionUpdate::Saved);
}

async fn a_new_epoch_keeps_positions(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    fixture.streams(scope, source).await;
    fixture.enqueue(scope, source, JobMode::Sync).await;
    let job = fixture.claim(START).await.unwrap();
    let mut tx = fixture.store.begin().await.unwrap();
    let position = json!({"id": 9});
    streams::save_position(&mut tx, scope, source, "a", 1, &position, job.fence)
        .await
        .unwrap();
    streams::start_new_epochs(&mut tx, scope, source)
        .await
        .unwrap();
    let record = streams::find_by_tap_stream_id(&mut tx, scope, source, "a")
        .await
        .unwrap()
        .unwrap();
    assert_eq!((record.position, record.epoch), (Some(position), 2));
}
