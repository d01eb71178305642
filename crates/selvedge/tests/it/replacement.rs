//! Full-table replication: the new content takes the place of the old in one step.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::pipeline::{Pipeline, execute, rows};

#[tokio::test]
async fn readers_see_the_old_rows_or_the_new_ones_and_nothing_between() {
    let pipeline = Pipeline::start(
        "create table items (id integer primary key, note text);
         insert into items select i, 'old' from generate_series(1, 5000) i;
         create table visits (page text);
         insert into visits select 'old' from generate_series(1, 3000);",
    )
    .await;
    pipeline.select_full("items").await;
    pipeline.select_full("visits").await;
    pipeline.sync().await;

    pipeline
        .change(
            "delete from items where id <= 1000;
             update items set note = 'new';
             insert into items select i, 'new' from generate_series(5001, 9000) i;
             delete from visits;
             insert into visits select 'new' from generate_series(1, 7000);",
        )
        .await;
    let reader = pipeline.to.connect().await;
    let done = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&done);
    let reading = tokio::spawn(async move {
        let (mut items, mut visits): (Vec<String>, Vec<String>) = Default::default();
        loop {
            let last = told.load(Ordering::SeqCst);
            for (table, column, seen) in [
                ("items", "note", &mut items),
                ("visits", "page", &mut visits),
            ] {
                let sql =
                    format!("select count(*), min({column}), max({column}) from shop.{table}");
                let now = rows(&reader, &sql).await.remove(0);
                if seen.last() != Some(&now) {
                    seen.push(now);
                }
            }
            if last {
                return [items, visits];
            }
        }
    });
    pipeline.sync().await;
    done.store(true, Ordering::SeqCst);
    let [items, visits] = reading.await.expect("the reader does not fail");
    assert_eq!(items, ["5000|old|old", "8000|new|new"]);
    assert_eq!(visits, ["3000|old|old", "7000|new|new"]);
}

#[tokio::test]
async fn grants_views_and_indexes_of_users_survive() {
    let pipeline = Pipeline::start(
        "create table items (id integer primary key, note text);
         insert into items values (1, 'old'), (2, 'old');",
    )
    .await;
    pipeline.select_full("items").await;
    pipeline.sync().await;
    let reader = format!("reader_{}", pipeline.to.name);
    let granted = format!(
        "create role {reader};
         grant select on shop.items to {reader};
         create view report as select count(*) as number from shop.items where note = 'new';
         create index items_by_note on shop.items (note);"
    );
    execute(&pipeline.replica, &granted).await;
    pipeline
        .change("update items set note = 'new'; delete from items where id = 1")
        .await;
    pipeline.sync().await;
    let may_read = format!("select has_table_privilege('{reader}', 'shop.items', 'select')");
    let kept = pipeline.arrived(&may_read).await;
    let cleanup = format!("drop owned by {reader}; drop role {reader}");
    execute(&pipeline.replica, &cleanup).await;
    assert_eq!(kept, ["t"]);
    assert_eq!(pipeline.count("select number from report").await, 1);
    assert_eq!(
        pipeline
            .arrived("select to_regclass('shop.items_by_note')")
            .await,
        ["shop.items_by_note"]
    );
}

#[tokio::test]
async fn an_emptied_table_is_empty_in_the_destination() {
    let pipeline = Pipeline::start(
        "create table items (id integer primary key, note text);
         insert into items values (1, 'a'), (2, 'b');",
    )
    .await;
    pipeline.select_full("items").await;
    pipeline.sync().await;
    pipeline.change("delete from items").await;
    pipeline.sync().await;
    assert_eq!(pipeline.count("select count(*) from shop.items").await, 0);
    pipeline.change("insert into items values (3, 'c')").await;
    pipeline.sync().await;
    assert_eq!(
        pipeline.arrived("select id, note from shop.items").await,
        ["3|c"]
    );
}

#[tokio::test]
async fn every_pass_has_a_version_of_its_own() {
    let pipeline = Pipeline::start(
        "create table items (id integer primary key); insert into items values (1), (2);",
    )
    .await;
    pipeline.select_full("items").await;
    let versions = "select string_agg(distinct _sdc_table_version::text, ' ') from shop.items";
    pipeline.sync().await;
    let first = pipeline.arrived(versions).await.remove(0);
    pipeline.sync().await;
    let second = pipeline.arrived(versions).await.remove(0);
    assert!(
        first.parse::<i64>().is_ok() && second.parse::<i64>().is_ok(),
        "{first} {second}"
    );
    assert!(first < second, "{first} {second}");
}
