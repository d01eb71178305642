//! A table that was not there before.

use selvedge_connector::{Books, ErrorKind, LogicalType};

use crate::support::{
    Cell, ID_NAME, Warehouse, batch, checkpoint, context, json, merge, people, replace, written,
};

#[tokio::test]
async fn nothing_is_created_before_the_first_row() {
    let warehouse = Warehouse::new();
    let mut writer = warehouse
        .open(context(1), merge("people", &["id"]))
        .await
        .unwrap();
    let report = writer.commit(checkpoint(1)).await.unwrap();
    assert!(report.durable);
    writer.finish(checkpoint(2)).await.unwrap();
    assert!(!warehouse.path.exists());
}

#[tokio::test]
async fn rows_go_straight_in_and_the_key_is_built_at_the_end() {
    for target in [merge("people", &["id"]), replace("people", &["id"], 7)] {
        let warehouse = Warehouse::new();
        let mut writer = warehouse.open(context(1), target).await.unwrap();
        writer
            .write(people(100, &[(1, "a"), (2, "b")]))
            .await
            .unwrap();
        writer.commit(checkpoint(1)).await.unwrap();
        assert_eq!(
            warehouse.rows("select id, name from shop__people order by id"),
            ["1|a", "2|b"],
            "a first load is visible as it comes"
        );
        assert!(
            !warehouse
                .objects()
                .contains(&"shop__people_pkey".to_owned())
        );
        writer.write(people(102, &[(3, "c")])).await.unwrap();
        writer.finish(checkpoint(2)).await.unwrap();
        assert!(
            warehouse
                .objects()
                .contains(&"shop__people_pkey".to_owned())
        );
        assert_eq!(
            warehouse.rows("select _sdc_sequence, _sdc_received_at, _sdc_table_version from shop__people where id = 3"),
            ["102|2031-02-03T04:05:06.000007Z|0"]
        );
    }
}

#[tokio::test]
async fn books_are_exact_at_every_commit_of_a_merge() {
    let warehouse = Warehouse::new();
    let mut writer = warehouse
        .open(context(1), merge("people", &["id"]))
        .await
        .unwrap();
    writer
        .write(people(1, &[(2, "old"), (1, "a"), (2, "new")]))
        .await
        .unwrap();
    let report = writer.commit(checkpoint(1)).await.unwrap();
    assert_eq!(
        report.books,
        Books {
            written: 2,
            superseded: 1,
            ..Books::default()
        }
    );
    // A row of an earlier commit was written there; replacing it supersedes nothing of this load.
    writer.write(people(4, &[(2, "newest")])).await.unwrap();
    let report = writer.finish(checkpoint(2)).await.unwrap();
    assert_eq!(report.books, written(1));
    assert_eq!(
        warehouse.rows("select id, name from shop__people order by id"),
        ["1|a", "2|newest"]
    );
}

#[tokio::test]
async fn a_replacement_settles_its_books_at_the_end() {
    let warehouse = Warehouse::new();
    let mut writer = warehouse
        .open(context(1), replace("people", &["id"], 7))
        .await
        .unwrap();
    writer.write(people(1, &[(1, "old")])).await.unwrap();
    let report = writer.commit(checkpoint(1)).await.unwrap();
    assert!(!report.durable, "a cut-short replacement starts over");
    let mut books = report.books;
    writer
        .write(people(2, &[(2, "b"), (1, "new")]))
        .await
        .unwrap();
    books += writer.finish(checkpoint(2)).await.unwrap().books;
    assert_eq!(
        books,
        Books {
            written: 2,
            superseded: 1,
            ..Books::default()
        }
    );
    assert_eq!(
        warehouse.rows("select id, name from shop__people order by id"),
        ["1|new", "2|b"]
    );
}

#[tokio::test]
async fn dropping_the_writer_leaves_the_last_commit() {
    let warehouse = Warehouse::new();
    let mut writer = warehouse
        .open(context(1), merge("people", &["id"]))
        .await
        .unwrap();
    writer.write(people(1, &[(1, "a")])).await.unwrap();
    writer.commit(checkpoint(1)).await.unwrap();
    writer.write(people(2, &[(2, "b")])).await.unwrap();
    drop(writer);
    assert_eq!(warehouse.rows("select id from shop__people"), ["1"]);
}

#[tokio::test]
async fn an_interrupted_first_load_that_merges_recovers_its_key_and_goes_on() {
    let warehouse = Warehouse::new();
    let mut writer = warehouse
        .open(context(1), merge("people", &["id"]))
        .await
        .unwrap();
    writer
        .write(people(1, &[(1, "a"), (2, "b")]))
        .await
        .unwrap();
    writer.commit(checkpoint(1)).await.unwrap();
    drop(writer);
    // As if two runs had put the same row there before the key was built.
    warehouse.execute(
        "insert into shop__people (id, name, _sdc_sequence) values (2, 'newest', 50), (2, 'older', 49)",
    );
    let report = warehouse
        .load(
            merge("people", &["id"]),
            vec![people(10, &[(2, "late"), (3, "c")])],
        )
        .await;
    assert_eq!(
        report.books,
        Books {
            written: 1,
            older_sequence: 1,
            ..Books::default()
        }
    );
    assert_eq!(
        warehouse.rows("select id, name from shop__people order by id"),
        ["1|a", "2|newest", "3|c"]
    );
    assert!(
        warehouse
            .objects()
            .contains(&"shop__people_pkey".to_owned())
    );
}

#[tokio::test]
async fn an_interrupted_first_load_that_replaces_starts_over() {
    let warehouse = Warehouse::new();
    let mut writer = warehouse
        .open(context(1), replace("people", &["id"], 7))
        .await
        .unwrap();
    writer
        .write(people(1, &[(1, "a"), (2, "b")]))
        .await
        .unwrap();
    writer.commit(checkpoint(1)).await.unwrap();
    drop(writer);
    let mut writer = warehouse
        .open(context(2), replace("people", &["id"], 7))
        .await
        .unwrap();
    assert_eq!(
        warehouse.rows("select id from shop__people order by id"),
        ["1", "2"],
        "opening changes nothing"
    );
    writer.write(people(10, &[(3, "c")])).await.unwrap();
    writer.commit(checkpoint(1)).await.unwrap();
    assert_eq!(
        warehouse.rows("select id from shop__people"),
        ["3"],
        "rows are visible as they come"
    );
    writer.finish(checkpoint(2)).await.unwrap();
    assert_eq!(warehouse.rows("select id from shop__people"), ["3"]);
}

#[tokio::test]
async fn a_column_of_nulls_comes_with_its_first_value() {
    let warehouse = Warehouse::new();
    let mut writer = warehouse
        .open(context(1), merge("people", &["id"]))
        .await
        .unwrap();
    writer
        .write(batch(1, ID_NAME, &[&[Cell::Int(1), Cell::Null]]))
        .await
        .unwrap();
    writer.commit(checkpoint(1)).await.unwrap();
    assert_eq!(warehouse.columns("shop__people"), ["id bigint"]);
    writer.write(people(2, &[(2, "b")])).await.unwrap();
    writer.finish(checkpoint(2)).await.unwrap();
    assert_eq!(
        warehouse.rows("select id, name from shop__people order by id"),
        ["1|null", "2|b"]
    );
}

#[tokio::test]
async fn a_table_of_nulls_only_is_not_created() {
    let warehouse = Warehouse::new();
    let nulls = batch(
        1,
        &[("note", LogicalType::Text)],
        &[&[Cell::Null], &[Cell::Null]],
    );
    let report = warehouse.load(merge("notes", &[]), vec![nulls]).await;
    assert_eq!((report.books.written, report.books.null_key), (0, 2));
    assert!(!warehouse.path.exists());
}

#[tokio::test]
async fn records_without_a_key_create_no_table_that_could_not_have_one() {
    let warehouse = Warehouse::new();
    let nobody = json(&["site", "id"], &[(1, r#"{"id":1,"name":"a"}"#)]);
    let report = warehouse
        .load(merge("people", &["site", "id"]), vec![nobody])
        .await;
    assert_eq!(report.books.null_key, 1);
    assert!(!warehouse.path.exists());
    for sequence in [2, 3] {
        let somebody = json(&["site", "id"], &[(sequence, r#"{"site":"n","id":1}"#)]);
        warehouse
            .load(merge("people", &["site", "id"]), vec![somebody])
            .await;
    }
    assert_eq!(
        warehouse.rows("select site, id, _sdc_sequence from shop__people"),
        ["n|1|3"]
    );
}

#[tokio::test]
async fn rows_without_a_key_get_a_generated_one() {
    let warehouse = Warehouse::new();
    warehouse
        .load(
            merge("people", &[]),
            vec![people(1, &[(1, "a"), (1, "a")]), people(3, &[(1, "a")])],
        )
        .await;
    assert_eq!(
        warehouse.rows("select count(*), count(distinct __sdc_primary_key), min(length(__sdc_primary_key)) from shop__people"),
        ["3|3|36"]
    );
}

#[tokio::test]
async fn a_writer_that_failed_does_not_commit() {
    let warehouse = Warehouse::new();
    warehouse
        .load(merge("people", &["id"]), vec![people(1, &[(1, "a")])])
        .await;
    warehouse.execute(
        "create trigger refuse before insert on shop__people when new.name = 'bad' begin select raise(abort, 'no'); end",
    );
    let mut writer = warehouse
        .open(context(1), merge("people", &["id"]))
        .await
        .unwrap();
    let error = writer
        .write(people(5, &[(2, "good"), (3, "bad")]))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Data);
    assert!(writer.commit(checkpoint(1)).await.is_err());
    drop(writer);
    assert_eq!(warehouse.rows("select id from shop__people"), ["1"]);
}
