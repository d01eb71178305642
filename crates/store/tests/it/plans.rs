//! Which plan an account is on, and what a plan's accounts have.

use selvedge_store::{accounts, sources};
use selvedge_types::{AccountId, AccountScope};
use serde_json::json;

use crate::support::{Fixture, START, after, new_account, new_source, object};

on_both_databases!(
    an_account_is_on_one_plan_or_none,
    cron_expressions_are_found_by_plan,
);

async fn an_account_is_on_one_plan_or_none(fixture: Fixture) {
    let (one, two, gone) = (
        fixture.account().await,
        fixture.account().await,
        fixture.account().await,
    );
    let mut tx = fixture.store.begin().await.unwrap();
    let mut new = new_account("planned");
    new.plan = Some("basic".to_owned());
    let planned = accounts::create(&mut tx, &new, START).await.unwrap();
    let stored = accounts::find(&mut tx, planned).await.unwrap().unwrap();
    assert_eq!(stored.plan.as_deref(), Some("basic"));
    assert_eq!(accounts::plan(&mut tx, one).await.unwrap(), None);
    for scope in [one, two, gone] {
        assert!(
            accounts::set_plan(&mut tx, scope, Some("large"))
                .await
                .unwrap()
        );
    }
    assert_eq!(
        accounts::plan(&mut tx, two).await.unwrap().as_deref(),
        Some("large")
    );
    assert!(accounts::set_plan(&mut tx, two, None).await.unwrap());
    assert_eq!(accounts::plan(&mut tx, two).await.unwrap(), None);
    accounts::delete(&mut tx, gone, after(1)).await.unwrap();
    for nobody in [gone, AccountScope::of(AccountId(1))] {
        assert!(
            !accounts::set_plan(&mut tx, nobody, Some("basic"))
                .await
                .unwrap()
        );
    }
    assert_eq!(
        accounts::plans_in_use(&mut tx).await.unwrap(),
        [("basic".to_owned(), 1), ("large".to_owned(), 1)]
    );
}

async fn cron_expressions_are_found_by_plan(fixture: Fixture) {
    let (planned, other) = (fixture.account().await, fixture.account().await);
    let mut tx = fixture.store.begin().await.unwrap();
    let mut found = Vec::new();
    for scope in [planned, other] {
        for (name, properties) in [
            ("with", json!({"a": 1, "cron_expression": "0 15 6 ? * *"})),
            ("deleted", json!({"cron_expression": "0 15 6 ? * *"})),
            ("without", json!({"frequency_in_minutes": "60"})),
        ] {
            let mut new = new_source(name);
            new.properties = object(properties);
            let id = sources::create(&mut tx, scope, &new, START).await.unwrap();
            match name {
                "with" if scope == planned => found.push((scope, id)),
                "deleted" => assert!(sources::delete(&mut tx, scope, id, START).await.unwrap()),
                _ => {}
            }
        }
    }
    accounts::set_plan(&mut tx, planned, Some("basic"))
        .await
        .unwrap();
    let listed = sources::list_with_cron(&mut tx, "basic").await.unwrap();
    assert_eq!(listed, found);
    let nothing = sources::list_with_cron(&mut tx, "large").await.unwrap();
    assert!(nothing.is_empty());
}
