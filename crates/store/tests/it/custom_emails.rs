//! Recipients of notification mails.

use selvedge_store::{StoreError, accounts, custom_emails};
use selvedge_types::FIRST_ID;

use crate::support::{Fixture, START, after};

on_both_databases!(
    a_recipient_is_kept_as_given_and_known_in_any_case,
    recipients_are_listed_with_the_disabled_ones_and_forgotten_for_good,
    a_deleted_account_notifies_nobody,
);

async fn a_recipient_is_kept_as_given_and_known_in_any_case(fixture: Fixture) {
    let (scope, other) = (fixture.account().await, fixture.account().await);
    let mut tx = fixture.store.begin().await.unwrap();
    let id = custom_emails::create(&mut tx, scope, "Ops@Acme.example", START)
        .await
        .unwrap();
    assert_eq!(id.0, FIRST_ID);
    let refused = custom_emails::create(&mut tx, scope, "ops@ACME.example", START).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))));
    let found = custom_emails::find_by_address(&mut tx, scope, "OPS@acme.EXAMPLE")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.id, found.email_address.as_str()),
        (id, "Ops@Acme.example")
    );
    // Another account may have the same recipient.
    custom_emails::create(&mut tx, other, "ops@acme.example", START)
        .await
        .unwrap();
    assert_eq!(custom_emails::count(&mut tx, scope).await.unwrap(), 1);
}

async fn recipients_are_listed_with_the_disabled_ones_and_forgotten_for_good(fixture: Fixture) {
    let scope = fixture.account().await;
    let mut tx = fixture.store.begin().await.unwrap();
    let mut ids = Vec::new();
    for name in ["c", "a", "b"] {
        let address = format!("{name}@acme.example");
        let id = custom_emails::create(&mut tx, scope, &address, START).await;
        ids.push(id.unwrap());
    }
    for disabled_at in [Some(after(1)), Some(after(2)), None, Some(after(3))] {
        let changed = custom_emails::set_disabled_at(&mut tx, scope, ids[0], disabled_at).await;
        assert!(changed.unwrap());
        let stored = custom_emails::find(&mut tx, scope, ids[0]).await.unwrap();
        assert_eq!(stored.unwrap().disabled_at, disabled_at);
    }
    let listed = custom_emails::list(&mut tx, scope).await.unwrap();
    let listed: Vec<_> = listed.iter().map(|record| record.id).collect();
    assert_eq!(listed, ids);

    assert!(custom_emails::delete(&mut tx, scope, ids[2]).await.unwrap());
    assert!(!custom_emails::delete(&mut tx, scope, ids[2]).await.unwrap());
    // Its id is not used again.
    let next = custom_emails::create(&mut tx, scope, "b@acme.example", START).await;
    assert_eq!(next.unwrap().0, ids[2].0 + 1);
}

async fn a_deleted_account_notifies_nobody(fixture: Fixture) {
    let scope = fixture.account().await;
    let mut tx = fixture.store.begin().await.unwrap();
    custom_emails::create(&mut tx, scope, "ops@acme.example", START)
        .await
        .unwrap();
    assert!(accounts::delete(&mut tx, scope, after(1)).await.unwrap());
    assert!(
        custom_emails::list(&mut tx, scope)
            .await
            .unwrap()
            .is_empty()
    );
}
