//! Every scoped function with another account's scope.

use selvedge_store::jobs::Enqueued;
use selvedge_store::streams::PositionUpdate;
use selvedge_store::{
    Connection, Page, StoreError, connections, custom_emails, destinations, ephemeral_tokens,
    hooks, import_tokens, jobs, loads, sources, streams, tokens,
};
use selvedge_types::job::{JobMode, JobState};
use serde_json::json;
use uuid::Uuid;

use crate::support::{Fixture, START, after, discovered, password};

on_both_databases!(strangers_see_nothing, strangers_change_nothing,);

async fn strangers_see_nothing(fixture: Fixture) {
    let (owner, stranger) = (fixture.account().await, fixture.account().await);
    let destination = fixture.destination(owner).await;
    let source = fixture.source(owner, "shop").await;
    fixture.streams(owner, source).await;
    fixture.enqueue(owner, source, JobMode::Check).await;
    let check = fixture.claim(START).await.unwrap();
    fixture.finish(&check, START).await;
    fixture.enqueue(owner, source, JobMode::Sync).await;
    let sync = fixture.claim(START).await.unwrap();
    fixture.finish(&sync, START).await;
    let pending = fixture.enqueue(owner, source, JobMode::Sync).await;
    let mut tx = fixture.store.begin().await.unwrap();
    tokens::mint(&mut tx, owner, None, START).await.unwrap();
    import_tokens::mint(&mut tx, owner, source, START)
        .await
        .unwrap();
    sources::map_unmapped(&mut tx, owner, destination, START)
        .await
        .unwrap();
    loads::record_success(&mut tx, owner, source, "orders", 1, START)
        .await
        .unwrap();
    let stream = streams::list(&mut tx, owner, source).await.unwrap()[0].id;
    let email = custom_emails::create(&mut tx, owner, "ops@acme.example", START)
        .await
        .unwrap();
    let (hook, _) = hooks::create(&mut tx, owner, destination, "https://a.example", START)
        .await
        .unwrap();
    tx.commit().await.unwrap();

    let mut tx = fixture.store.read().await.unwrap();
    let tx = &mut tx;
    let connection = Connection::Source(source);
    let page = Page::number(1);
    for (scope, seen) in [(owner, true), (stranger, false)] {
        assert_eq!(!tokens::list(tx, scope).await.unwrap().is_empty(), seen);
        let import_tokens = import_tokens::list_active(tx, scope, source).await.unwrap();
        assert_eq!(!import_tokens.is_empty(), seen);
        assert_eq!(
            destinations::find(tx, scope, destination)
                .await
                .unwrap()
                .is_some(),
            seen
        );
        assert_eq!(
            !destinations::list(tx, scope).await.unwrap().is_empty(),
            seen
        );
        assert_eq!(
            destinations::find_for_source(tx, scope, source)
                .await
                .unwrap()
                .is_some(),
            seen
        );
        for connection in [source.into(), destination.into()] {
            let live = connections::is_live(tx, scope, connection).await;
            assert_eq!(live.unwrap(), seen);
        }
        assert_eq!(destinations::count_live(tx, scope).await.unwrap() > 0, seen);
        assert_eq!(
            !destinations::live_names(tx, scope)
                .await
                .unwrap()
                .is_empty(),
            seen
        );
        assert_eq!(
            sources::find(tx, scope, source).await.unwrap().is_some(),
            seen
        );
        assert_eq!(!sources::list(tx, scope).await.unwrap().is_empty(), seen);
        assert_eq!(sources::name_taken(tx, scope, "shop").await.unwrap(), seen);
        assert_eq!(
            !streams::list(tx, scope, source).await.unwrap().is_empty(),
            seen
        );
        let records = streams::list_records(tx, scope, source, None, 10)
            .await
            .unwrap();
        assert_eq!(!records.is_empty(), seen);
        assert_eq!(
            streams::find(tx, scope, source, stream)
                .await
                .unwrap()
                .is_some(),
            seen
        );
        let by_name = streams::find_by_tap_stream_id(tx, scope, source, "a")
            .await
            .unwrap();
        assert_eq!(by_name.is_some(), seen);
        assert_eq!(
            jobs::find(tx, scope, &pending).await.unwrap().is_some(),
            seen
        );
        let active = jobs::active(tx, scope, connection, JobMode::Sync)
            .await
            .unwrap();
        assert_eq!(active.is_some(), seen);
        assert_eq!(
            jobs::latest_check(tx, scope, connection)
                .await
                .unwrap()
                .is_some(),
            seen
        );
        assert_eq!(
            jobs::newest_sync_start(tx, scope, source)
                .await
                .unwrap()
                .is_some(),
            seen
        );
        let with_newest = sources::list_with_newest(tx, scope).await.unwrap();
        assert!(seen || with_newest.is_empty());
        let with_newest = sources::find_with_newest(tx, scope, source).await.unwrap();
        assert_eq!(with_newest.is_some(), seen);
        let completed = jobs::last_completed_per_source(tx, scope, START, page)
            .await
            .unwrap();
        assert_eq!(
            (completed.total > 0, !completed.items.is_empty()),
            (seen, seen)
        );
        let found = custom_emails::find(tx, scope, email).await.unwrap();
        assert_eq!(found.is_some(), seen);
        let found = custom_emails::find_by_address(tx, scope, "ops@acme.example")
            .await
            .unwrap();
        assert_eq!(found.is_some(), seen);
        assert_eq!(
            !custom_emails::list(tx, scope).await.unwrap().is_empty(),
            seen
        );
        assert_eq!(custom_emails::count(tx, scope).await.unwrap() > 0, seen);
        assert_eq!(hooks::find(tx, scope, hook).await.unwrap().is_some(), seen);
        assert_eq!(
            hooks::signing_secret(tx, scope, hook)
                .await
                .unwrap()
                .is_some(),
            seen
        );
        assert_eq!(!hooks::list(tx, scope).await.unwrap().is_empty(), seen);
        assert_eq!(hooks::count(tx, scope).await.unwrap() > 0, seen);
        let loaded = loads::list_page(tx, scope, START, page).await.unwrap();
        assert_eq!((loaded.total > 0, !loaded.items.is_empty()), (seen, seen));
    }
}

async fn strangers_change_nothing(fixture: Fixture) {
    let (owner, stranger) = (fixture.account().await, fixture.account().await);
    let destination = fixture.destination(owner).await;
    let foreign_destination = fixture.destination(stranger).await;
    let source = fixture.source(owner, "shop").await;
    fixture.streams(owner, source).await;
    let sync = fixture.enqueue(owner, source, JobMode::Sync).await;
    let job = fixture.claim(START).await.unwrap();
    let check = fixture.enqueue(owner, source, JobMode::Check).await;

    let mut tx = fixture.store.begin().await.unwrap();
    let tx_ref = &mut tx;
    let (token, _) = tokens::mint(tx_ref, owner, None, START).await.unwrap();
    let before_source = sources::find(tx_ref, owner, source).await.unwrap().unwrap();
    let before_destination = destinations::find(tx_ref, owner, destination)
        .await
        .unwrap()
        .unwrap();
    let before_streams = streams::list_records(tx_ref, owner, source, None, 10)
        .await
        .unwrap();

    let email = custom_emails::create(tx_ref, owner, "ops@acme.example", START)
        .await
        .unwrap();
    let (hook, _) = hooks::create(tx_ref, owner, destination, "https://a.example", START)
        .await
        .unwrap();
    let before_notified = (
        custom_emails::list(tx_ref, owner).await.unwrap(),
        hooks::list(tx_ref, owner).await.unwrap(),
    );

    assert!(
        !tokens::revoke(tx_ref, stranger, token, after(1))
            .await
            .unwrap()
    );
    let minted = ephemeral_tokens::mint(tx_ref, stranger, token, START, after(60)).await;
    assert!(minted.unwrap().is_none());
    let (import_token, _) = import_tokens::mint(tx_ref, owner, source, START)
        .await
        .unwrap()
        .unwrap();
    let minted = import_tokens::mint(tx_ref, stranger, source, START).await;
    assert!(minted.unwrap().is_none());
    let revoked = import_tokens::revoke(tx_ref, stranger, source, import_token, after(1)).await;
    assert!(!revoked.unwrap());
    assert!(
        !sources::touch(tx_ref, stranger, source, after(1))
            .await
            .unwrap()
    );
    assert!(
        !custom_emails::set_disabled_at(tx_ref, stranger, email, Some(after(1)))
            .await
            .unwrap()
    );
    assert!(
        !custom_emails::delete(tx_ref, stranger, email)
            .await
            .unwrap()
    );
    let created = hooks::create(tx_ref, stranger, destination, "https://b.example", START).await;
    assert!(matches!(created, Err(StoreError::Conflict(_))));
    hooks::set_enabled(tx_ref, stranger, hook, false, after(1))
        .await
        .unwrap();
    assert!(!hooks::delete(tx_ref, stranger, hook).await.unwrap());
    hooks::delete_of_destination(tx_ref, stranger, destination)
        .await
        .unwrap();
    assert_eq!(
        before_notified,
        (
            custom_emails::list(tx_ref, owner).await.unwrap(),
            hooks::list(tx_ref, owner).await.unwrap(),
        )
    );
    let mut changed = before_destination.clone();
    changed.credentials = password("stolen");
    assert!(
        !destinations::update(tx_ref, stranger, &changed, after(1))
            .await
            .unwrap()
    );
    assert!(
        !connections::set_check_job(tx_ref, stranger, destination.into(), &check)
            .await
            .unwrap()
    );
    assert!(
        !destinations::delete(tx_ref, stranger, destination, after(1))
            .await
            .unwrap()
    );
    assert!(
        destinations::find_for_update(tx_ref, stranger, destination)
            .await
            .unwrap()
            .is_none()
    );
    let mut changed = before_source.clone();
    changed.destination_id = Some(foreign_destination);
    assert!(
        !sources::update(tx_ref, stranger, &changed, after(1))
            .await
            .unwrap()
    );
    assert!(
        !connections::set_check_job(tx_ref, stranger, source.into(), &check)
            .await
            .unwrap()
    );
    assert!(
        !sources::mark_discovered(tx_ref, stranger, source, after(1))
            .await
            .unwrap()
    );
    assert!(
        !sources::set_ready_at(tx_ref, stranger, source, Some(after(1)))
            .await
            .unwrap()
    );
    assert!(
        !sources::delete(tx_ref, stranger, source, after(1))
            .await
            .unwrap()
    );
    assert!(
        sources::find_for_update(tx_ref, stranger, source)
            .await
            .unwrap()
            .is_none()
    );
    for mapped in [destination, foreign_destination] {
        let changed = sources::map_unmapped(tx_ref, stranger, mapped, after(1))
            .await
            .unwrap();
        assert!(changed.is_empty());
        let changed = sources::unmap_from(tx_ref, stranger, mapped, after(1))
            .await
            .unwrap();
        assert!(changed.is_empty());
    }
    let rows = [discovered("z")];
    assert!(
        !streams::replace_discovered(tx_ref, stranger, source, &rows, after(1))
            .await
            .unwrap()
    );
    let choices = json!({"selected": true});
    assert!(
        !streams::set_choices(tx_ref, stranger, source, "a", &choices)
            .await
            .unwrap()
    );
    assert!(!streams::reset(tx_ref, stranger, source, "a").await.unwrap());
    streams::start_new_epochs(tx_ref, stranger, source)
        .await
        .unwrap();
    let saved = streams::save_position(tx_ref, stranger, source, "a", 1, &choices, job.fence)
        .await
        .unwrap();
    assert_ne!(saved, PositionUpdate::Saved);
    let connection = Connection::Source(source);
    let enqueued = jobs::enqueue(
        tx_ref,
        stranger,
        connection,
        JobMode::Sync,
        Uuid::new_v4(),
        START,
    )
    .await;
    assert_eq!(enqueued.unwrap(), Enqueued::NoConnection);
    for connection in [source.into(), destination.into()] {
        assert!(
            !connections::lock(tx_ref, stranger, connection)
                .await
                .unwrap()
        );
        assert!(
            !connections::lock_live(tx_ref, stranger, connection)
                .await
                .unwrap()
        );
    }
    for mode in [JobMode::Sync, JobMode::Check] {
        assert!(
            !jobs::end_pending(tx_ref, stranger, connection, mode, after(1))
                .await
                .unwrap()
        );
        assert!(
            !jobs::request_stop(tx_ref, stranger, connection, mode, after(1))
                .await
                .unwrap()
        );
    }
    assert!(
        !jobs::supersede_checks(tx_ref, stranger, connection, after(1))
            .await
            .unwrap()
    );
    let error = json!({});
    assert!(
        !loads::record_success(tx_ref, stranger, source, "t", 1, START)
            .await
            .unwrap()
    );
    assert!(
        !loads::record_failure(tx_ref, stranger, source, "t", &error, START)
            .await
            .unwrap()
    );

    let source = sources::find(tx_ref, owner, source).await.unwrap().unwrap();
    assert_eq!(format!("{source:?}"), format!("{before_source:?}"));
    let stored = destinations::find(tx_ref, owner, destination)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(format!("{stored:?}"), format!("{before_destination:?}"));
    assert_eq!(stored.credentials, before_destination.credentials);
    let stored = streams::list_records(tx_ref, owner, source.id, None, 10)
        .await
        .unwrap();
    assert_eq!(stored, before_streams);
    let stored = import_tokens::list_active(tx_ref, owner, source.id)
        .await
        .unwrap();
    assert_eq!(stored.len(), 1);
    tx.commit().await.unwrap();
    assert_eq!(fixture.state(&sync).await, JobState::Running);
    assert_eq!(fixture.state(&check).await, JobState::Pending);
}
