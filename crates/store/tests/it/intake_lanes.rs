//! Lanes: how far what was pushed is loaded.

use selvedge_store::intake_lanes::{self, LaneKey, LanePosition};
use selvedge_store::sources;
use selvedge_types::SourceId;

use crate::support::{Fixture, after};

on_both_databases!(lanes_that_are_not_used_any_more_are_forgotten,);

fn lane(source: SourceId, table_name: &str) -> LaneKey {
    LaneKey {
        source,
        destination: 0,
        table_name: table_name.to_owned(),
        log_id: "log".to_owned(),
    }
}

async fn lanes_that_are_not_used_any_more_are_forgotten(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "pushed").await;
    let gone = fixture.source(scope, "gone").await;
    let mut tx = fixture.store.begin().await.unwrap();
    for (source, table, table_version, at) in [
        (source, "old", None, 1),
        (source, "opened", None, 1),
        (source, "versioned", Some(7), 1),
        (source, "used", None, 100),
        (gone, "versioned", Some(7), 1),
    ] {
        let key = lane(source, table);
        let opened = intake_lanes::open(&mut tx, scope, &key, after(at)).await;
        let (fence, _) = opened.unwrap().unwrap();
        let position = LanePosition {
            upto: 5,
            through: 5,
            table_version,
        };
        let saved = intake_lanes::save(&mut tx, scope, &key, fence, position, after(at)).await;
        assert!(saved.unwrap());
    }
    // A load of it is under way.
    let opened = lane(source, "opened");
    let (fence, position) = intake_lanes::open(&mut tx, scope, &opened, after(99))
        .await
        .unwrap()
        .unwrap();
    sources::delete(&mut tx, scope, gone, after(2))
        .await
        .unwrap();

    assert_eq!(intake_lanes::prune(&mut tx, after(99)).await.unwrap(), 2);
    let mut left: Vec<String> = intake_lanes::list_loaded(&mut tx)
        .await
        .unwrap()
        .into_iter()
        .map(|(lane, _)| lane.table_name)
        .collect();
    left.sort();
    assert_eq!(left, ["opened", "used", "versioned"]);
    let saved = intake_lanes::save(&mut tx, scope, &opened, fence, position, after(100)).await;
    assert!(saved.unwrap(), "its load goes on");
    // A lane that comes back begins anew, with a greater fence.
    let old = lane(source, "old");
    let reopened = intake_lanes::open(&mut tx, scope, &old, after(101)).await;
    let (fence_again, position) = reopened.unwrap().unwrap();
    assert_eq!(position, LanePosition::default());
    assert!(fence_again > fence);
}
