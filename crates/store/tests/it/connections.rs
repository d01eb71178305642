//! Sources and destinations.

use selvedge_store::sources::{self, NewSource};
use selvedge_store::{StoreError, connections, destinations};
use selvedge_types::DestinationId;
use selvedge_types::job::JobMode;
use serde_json::json;

use crate::support::{Fixture, START, after, new_destination, new_source, object, password};

on_both_databases!(
    a_destination_round_trips,
    a_source_round_trips,
    a_source_name_is_unique_among_live_sources_whatever_its_case,
    a_source_maps_only_to_a_live_destination_of_its_account,
    a_new_destination_takes_the_unmapped_sources,
    a_lost_destination_pauses_its_sources,
    deleted_connections_stay_findable_and_cannot_change,
    a_deleted_connection_can_be_locked_but_is_not_live,
    a_deleted_source_leads_to_no_destination,
    only_ready_mapped_and_unpaused_sources_are_scheduled,
    the_scheduler_sees_starts_and_activity,
    property_order_is_kept,
);

async fn a_destination_round_trips(fixture: Fixture) {
    let scope = fixture.account().await;
    let id = fixture.destination(scope).await;
    let mut tx = fixture.store.begin().await.unwrap();
    let mut destination = destinations::find_for_update(&mut tx, scope, id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(destination.name, "warehouse");
    assert_eq!(destination.updated_at, START);
    destination.name = "lake".to_owned();
    destination.description = Some("everything".to_owned());
    destination.properties = object(json!({"path": "lake.db", "fidelity": null}));
    destination.credentials = password("newer");
    destination.system_paused_at = Some(after(1));
    assert!(
        destinations::update(&mut tx, scope, &destination, after(2))
            .await
            .unwrap()
    );

    let stored = destinations::find(&mut tx, scope, id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.name, "lake");
    assert_eq!(stored.description.as_deref(), Some("everything"));
    assert_eq!(stored.properties, destination.properties);
    assert_eq!(stored.credentials, password("newer"));
    assert_eq!(stored.system_paused_at, Some(after(1)));
    assert_eq!((stored.created_at, stored.updated_at), (START, after(2)));
    assert_eq!(
        destinations::live_names(&mut tx, scope).await.unwrap(),
        ["lake"]
    );
    assert_eq!(destinations::count_live(&mut tx, scope).await.unwrap(), 1);
}

async fn a_source_round_trips(fixture: Fixture) {
    let scope = fixture.account().await;
    let destination = fixture.destination(scope).await;
    let id = fixture.source(scope, "shop").await;
    let check = fixture.enqueue(scope, id, JobMode::Check).await;
    let mut tx = fixture.store.begin().await.unwrap();
    let mut source = sources::find_for_update(&mut tx, scope, id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(source.name, "shop");
    source.display_name = "The Shop".to_owned();
    source.properties = object(json!({"host": "other.example.com"}));
    source.destination_id = Some(destination);
    source.paused_at = Some("tomorrow, as sent".to_owned());
    source.ready_at = Some(after(1));
    assert!(
        sources::update(&mut tx, scope, &source, after(2))
            .await
            .unwrap()
    );
    assert!(
        connections::set_check_job(&mut tx, scope, id.into(), &check)
            .await
            .unwrap()
    );
    assert!(
        sources::mark_discovered(&mut tx, scope, id, after(3))
            .await
            .unwrap()
    );

    let stored = sources::find(&mut tx, scope, id).await.unwrap().unwrap();
    assert_eq!(stored.display_name, "The Shop");
    assert_eq!(stored.properties, source.properties);
    assert_eq!(stored.destination_id, Some(destination));
    assert_eq!(stored.paused_at.as_deref(), Some("tomorrow, as sent"));
    assert_eq!(stored.ready_at, Some(after(1)));
    assert_eq!(stored.check_job_name, Some(check));
    assert_eq!(stored.discovered_at, Some(after(3)));
    assert_eq!((stored.created_at, stored.updated_at), (START, after(2)));
    let mapped = destinations::find_for_source(&mut tx, scope, id)
        .await
        .unwrap();
    assert_eq!(mapped.unwrap().id, destination);
    assert!(
        sources::set_ready_at(&mut tx, scope, id, None)
            .await
            .unwrap()
    );
    let stored = sources::find(&mut tx, scope, id).await.unwrap().unwrap();
    assert_eq!(stored.ready_at, None);
}

async fn a_source_name_is_unique_among_live_sources_whatever_its_case(fixture: Fixture) {
    let (scope, other) = (fixture.account().await, fixture.account().await);
    let first = fixture.source(scope, "shop").await;
    fixture.source(other, "shop").await;
    let mut tx = fixture.store.begin().await.unwrap();
    assert!(sources::name_taken(&mut tx, scope, "SHOP").await.unwrap());
    let refused = sources::create(&mut tx, scope, &new_source("Shop"), START).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))));
    assert!(
        sources::delete(&mut tx, scope, first, after(1))
            .await
            .unwrap()
    );
    assert!(!sources::name_taken(&mut tx, scope, "shop").await.unwrap());
    sources::create(&mut tx, scope, &new_source("shop"), after(2))
        .await
        .unwrap();
}

async fn a_source_maps_only_to_a_live_destination_of_its_account(fixture: Fixture) {
    let (scope, other) = (fixture.account().await, fixture.account().await);
    let foreign = fixture.destination(other).await;
    let deleted = fixture.destination(scope).await;
    let mut tx = fixture.store.begin().await.unwrap();
    destinations::delete(&mut tx, scope, deleted, START)
        .await
        .unwrap();
    for destination in [foreign, deleted, DestinationId(1)] {
        let new = NewSource {
            destination_id: Some(destination),
            ..new_source("shop")
        };
        let refused = sources::create(&mut tx, scope, &new, START).await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))));
        let mapped = sources::map_unmapped(&mut tx, scope, destination, START)
            .await
            .unwrap();
        assert!(mapped.is_empty());
    }
}

async fn a_new_destination_takes_the_unmapped_sources(fixture: Fixture) {
    let scope = fixture.account().await;
    let old = fixture.destination(scope).await;
    let mut tx = fixture.store.begin().await.unwrap();
    let mapped = NewSource {
        destination_id: Some(old),
        ..new_source("mapped")
    };
    let mapped = sources::create(&mut tx, scope, &mapped, START)
        .await
        .unwrap();
    let unmapped = sources::create(&mut tx, scope, &new_source("unmapped"), START)
        .await
        .unwrap();
    let deleted = sources::create(&mut tx, scope, &new_source("deleted"), START)
        .await
        .unwrap();
    sources::delete(&mut tx, scope, deleted, START)
        .await
        .unwrap();
    let new = destinations::create(&mut tx, scope, &new_destination(), START)
        .await
        .unwrap();
    let changed = sources::map_unmapped(&mut tx, scope, new, after(1))
        .await
        .unwrap();
    assert_eq!(changed, [unmapped]);
    let listed = sources::list(&mut tx, scope).await.unwrap();
    let mapping: Vec<_> = listed
        .iter()
        .map(|source| (source.id, source.destination_id))
        .collect();
    assert_eq!(
        mapping,
        [(mapped, Some(old)), (unmapped, Some(new)), (deleted, None)]
    );
}

async fn a_lost_destination_pauses_its_sources(fixture: Fixture) {
    let scope = fixture.account().await;
    let destination = fixture.destination(scope).await;
    let source = fixture.source(scope, "shop").await;
    let mut tx = fixture.store.begin().await.unwrap();
    sources::map_unmapped(&mut tx, scope, destination, START)
        .await
        .unwrap();
    assert!(
        destinations::delete(&mut tx, scope, destination, after(1))
            .await
            .unwrap()
    );
    let lost = sources::unmap_from(&mut tx, scope, destination, after(1))
        .await
        .unwrap();
    assert_eq!(lost, [source]);
    let stored = sources::find(&mut tx, scope, source)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.destination_id, None);
    assert_eq!(stored.system_paused_at, Some(after(1)));

    let next = destinations::create(&mut tx, scope, &new_destination(), after(2))
        .await
        .unwrap();
    sources::map_unmapped(&mut tx, scope, next, after(2))
        .await
        .unwrap();
    let stored = sources::find(&mut tx, scope, source)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (stored.destination_id, stored.system_paused_at),
        (Some(next), None)
    );
}

async fn deleted_connections_stay_findable_and_cannot_change(fixture: Fixture) {
    let scope = fixture.account().await;
    let destination = fixture.destination(scope).await;
    let source = fixture.source(scope, "shop").await;
    let mut tx = fixture.store.begin().await.unwrap();
    assert!(
        sources::delete(&mut tx, scope, source, after(1))
            .await
            .unwrap()
    );
    assert!(
        !sources::delete(&mut tx, scope, source, after(2))
            .await
            .unwrap()
    );
    assert!(
        destinations::delete(&mut tx, scope, destination, after(1))
            .await
            .unwrap()
    );
    assert!(
        !destinations::delete(&mut tx, scope, destination, after(2))
            .await
            .unwrap()
    );

    let stored = sources::find(&mut tx, scope, source)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.deleted_at, Some(after(1)));
    assert!(
        !sources::update(&mut tx, scope, &stored, after(3))
            .await
            .unwrap()
    );
    assert_eq!(sources::list(&mut tx, scope).await.unwrap().len(), 1);
    let stored = destinations::find(&mut tx, scope, destination)
        .await
        .unwrap()
        .unwrap();
    assert!(
        !destinations::update(&mut tx, scope, &stored, after(3))
            .await
            .unwrap()
    );
    assert!(destinations::list(&mut tx, scope).await.unwrap().is_empty());
}

async fn a_deleted_connection_can_be_locked_but_is_not_live(fixture: Fixture) {
    let scope = fixture.account().await;
    let destination = fixture.destination(scope).await;
    let source = fixture.source(scope, "shop").await;
    let mut tx = fixture.store.begin().await.unwrap();
    for deleted in [false, true] {
        for connection in [source.into(), destination.into()] {
            assert!(connections::lock(&mut tx, scope, connection).await.unwrap());
            let locked = connections::lock_live(&mut tx, scope, connection).await;
            let live = connections::is_live(&mut tx, scope, connection).await;
            assert_eq!((locked.unwrap(), live.unwrap()), (!deleted, !deleted));
        }
        sources::delete(&mut tx, scope, source, after(1))
            .await
            .unwrap();
        destinations::delete(&mut tx, scope, destination, after(1))
            .await
            .unwrap();
    }
}

async fn a_deleted_source_leads_to_no_destination(fixture: Fixture) {
    let scope = fixture.account().await;
    let destination = fixture.destination(scope).await;
    let source = fixture.source(scope, "shop").await;
    let mut tx = fixture.store.begin().await.unwrap();
    sources::map_unmapped(&mut tx, scope, destination, START)
        .await
        .unwrap();
    sources::delete(&mut tx, scope, source, after(1))
        .await
        .unwrap();
    let mapped = destinations::find_for_source(&mut tx, scope, source).await;
    assert!(mapped.unwrap().is_none());
}

async fn only_ready_mapped_and_unpaused_sources_are_scheduled(fixture: Fixture) {
    let scope = fixture.account().await;
    let destination = fixture.destination(scope).await;
    let mut tx = fixture.store.begin().await.unwrap();
    let mut ids = Vec::new();
    for name in ["ready", "unready", "unmapped", "paused", "held", "deleted"] {
        let new = NewSource {
            destination_id: Some(destination),
            ready_at: Some(START),
            ..new_source(name)
        };
        let id = sources::create(&mut tx, scope, &new, START).await.unwrap();
        let mut source = sources::find(&mut tx, scope, id).await.unwrap().unwrap();
        match name {
            "unready" => source.ready_at = None,
            "unmapped" => source.destination_id = None,
            "paused" => source.paused_at = Some("now".to_owned()),
            "held" => source.system_paused_at = Some(START),
            _ => {}
        }
        sources::update(&mut tx, scope, &source, START)
            .await
            .unwrap();
        if name == "deleted" {
            sources::delete(&mut tx, scope, id, START).await.unwrap();
        }
        ids.push(id);
    }
    let unverified = sources::list_scheduled(&mut tx, None, 100).await.unwrap();
    assert!(
        unverified.is_empty(),
        "the destination has not passed a check"
    );
    destinations::mark_verified(&mut tx, scope, destination, START)
        .await
        .unwrap();
    let scheduled = sources::list_scheduled(&mut tx, None, 100).await.unwrap();
    assert_eq!(scheduled.len(), 1);
    assert_eq!((scheduled[0].id, scheduled[0].scope), (ids[0], scope));
    assert_eq!(scheduled[0].properties["frequency_in_minutes"], "60");
    assert!(
        sources::list_scheduled(&mut tx, Some(ids[0]), 100)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn the_scheduler_sees_starts_and_activity(fixture: Fixture) {
    let scope = fixture.account().await;
    let destination = fixture.destination(scope).await;
    let mut tx = fixture.store.begin().await.unwrap();
    let new = NewSource {
        destination_id: Some(destination),
        ready_at: Some(START),
        ..new_source("shop")
    };
    let source = sources::create(&mut tx, scope, &new, START).await.unwrap();
    destinations::mark_verified(&mut tx, scope, destination, START)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let seen = || async {
        let mut tx = fixture.store.read().await.unwrap();
        let scheduled = sources::list_scheduled(&mut tx, None, 100).await.unwrap();
        (scheduled[0].newest_start, scheduled[0].active)
    };
    assert_eq!(seen().await, (None, false));
    fixture.enqueue(scope, source, JobMode::Sync).await;
    assert_eq!(seen().await, (Some(START), true));
    let job = fixture.claim(after(7)).await.unwrap();
    assert_eq!(seen().await, (Some(after(7)), true));
    assert!(fixture.finish(&job, after(9)).await);
    assert_eq!(seen().await, (Some(after(7)), false));
    // A check is no run.
    fixture.enqueue(scope, source, JobMode::Check).await;
    assert_eq!(seen().await, (Some(after(7)), false));
}

async fn property_order_is_kept(fixture: Fixture) {
    let scope = fixture.account().await;
    let mut tx = fixture.store.begin().await.unwrap();
    let new = NewSource {
        properties: object(json!({"z": "1", "a": "\u{0}ü\"", "m": [1, null]})),
        ..new_source("shop")
    };
    let id = sources::create(&mut tx, scope, &new, START).await.unwrap();
    let stored = sources::find(&mut tx, scope, id).await.unwrap().unwrap();
    let names: Vec<_> = stored.properties.keys().collect();
    assert_eq!(names, ["z", "a", "m"]);
    assert_eq!(stored.properties, new.properties);
}
