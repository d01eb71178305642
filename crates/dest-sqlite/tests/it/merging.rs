//! Rows into a table that is there.

use selvedge_connector::{Books, LogicalType};

use crate::support::{
    Cell, ID_NAME, Warehouse, batch, checkpoint, context, merge, people, written,
};

async fn loaded() -> Warehouse {
    let warehouse = Warehouse::new();
    warehouse
        .load(
            merge("people", &["id"]),
            vec![people(100, &[(1, "a"), (2, "b")])],
        )
        .await;
    warehouse
}

#[tokio::test]
async fn the_newest_sequence_wins_whatever_the_order() {
    let warehouse = loaded().await;
    let report = warehouse
        .load(
            merge("people", &["id"]),
            vec![
                people(50, &[(1, "late")]),
                people(200, &[(2, "new"), (3, "c"), (3, "cc")]),
            ],
        )
        .await;
    assert_eq!(
        report.books,
        Books {
            written: 2,
            superseded: 1,
            older_sequence: 1,
            ..Books::default()
        }
    );
    assert_eq!(
        warehouse.rows("select id, name, _sdc_sequence from shop__people order by id"),
        ["1|a|100", "2|new|200", "3|cc|202"]
    );
}

#[tokio::test]
async fn a_repeated_load_changes_nothing() {
    let warehouse = loaded().await;
    let report = warehouse
        .load(
            merge("people", &["id"]),
            vec![people(100, &[(1, "a"), (2, "b")])],
        )
        .await;
    assert_eq!(report.books.older_sequence, 2);
    assert_eq!(report.books.total(), 2);
}

#[tokio::test]
async fn a_newer_row_replaces_the_whole_row() {
    let warehouse = loaded().await;
    warehouse.execute("alter table shop__people add column users_own varchar(9); update shop__people set users_own = 'x'");
    let partial = batch(200, &[("id", LogicalType::Int64)], &[&[Cell::Int(1)]]);
    warehouse
        .load(merge("people", &["id"]), vec![partial])
        .await;
    assert_eq!(
        warehouse.rows("select id, name, users_own from shop__people order by id"),
        ["1|null|x", "2|b|x"]
    );
}

#[tokio::test]
async fn rows_without_a_complete_key_are_left_out_and_counted() {
    let warehouse = loaded().await;
    let rows = batch(
        200,
        ID_NAME,
        &[
            &[Cell::Null, Cell::Text("nobody")],
            &[Cell::Int(3), Cell::Text("c")],
        ],
    );
    let report = warehouse.load(merge("people", &["id"]), vec![rows]).await;
    assert_eq!(
        report.books,
        Books {
            written: 1,
            null_key: 1,
            ..Books::default()
        }
    );
    assert!(
        report.notes[0].contains("no complete key"),
        "{:?}",
        report.notes
    );
}

#[tokio::test]
async fn composite_keys_are_compared_exactly() {
    let warehouse = Warehouse::new();
    let fields: &[(&str, LogicalType)] = &[
        ("shelf", LogicalType::Text),
        ("place", LogicalType::DecimalText),
    ];
    let rows = |sequence, cells: &[&[Cell]]| batch(sequence, fields, cells);
    let report = warehouse
        .load(
            merge("books", &["shelf", "place"]),
            vec![rows(
                1,
                &[
                    &[Cell::Text("a"), Cell::Text("1.0")],
                    &[Cell::Text("A"), Cell::Text("1.0")],
                    &[Cell::Text("a "), Cell::Text("1.0")],
                    &[Cell::Text(""), Cell::Text("1.0")],
                    &[Cell::Text("a"), Cell::Text("1.00")],
                ],
            )],
        )
        .await;
    assert_eq!(report.books.written, 4);
    assert_eq!(report.books.superseded, 1, "1.0 and 1.00 are one number");
}

#[tokio::test]
async fn another_key_makes_the_table_append_only() {
    let warehouse = loaded().await;
    let report = warehouse
        .load(
            merge("people", &["name"]),
            vec![people(200, &[(1, "a"), (1, "a")])],
        )
        .await;
    assert_eq!(report.books, written(2));
    assert!(report.notes[0].contains("appended"), "{:?}", report.notes);
    assert!(
        !warehouse
            .objects()
            .contains(&"shop__people_pkey".to_owned())
    );
    assert_eq!(warehouse.rows("select count(*) from shop__people"), ["4"]);
}

#[tokio::test]
async fn a_stream_that_lost_its_key_is_appended() {
    let warehouse = loaded().await;
    warehouse
        .load(merge("people", &[]), vec![people(200, &[(1, "a")])])
        .await;
    assert_eq!(
        warehouse
            .rows("select id, __sdc_primary_key is null from shop__people order by _sdc_sequence"),
        ["1|1", "2|1", "1|0"]
    );
}

#[tokio::test]
async fn a_key_index_that_a_user_removed_ends_the_key() {
    let warehouse = loaded().await;
    warehouse.execute("drop index shop__people_pkey");
    let report = warehouse
        .load(merge("people", &["id"]), vec![people(200, &[(1, "again")])])
        .await;
    assert_eq!(report.books, written(1));
    assert_eq!(warehouse.rows("select count(*) from shop__people"), ["3"]);
}

#[tokio::test]
async fn a_missing_system_column_stops_the_table() {
    let warehouse = loaded().await;
    warehouse.execute("alter table shop__people drop column _sdc_sequence");
    let error = warehouse
        .open(context(1), merge("people", &["id"]))
        .await
        .err()
        .unwrap();
    assert!(error.message.contains("_sdc_sequence"), "{error}");
}

#[tokio::test]
async fn writers_of_one_file_wait_for_each_other() {
    let warehouse = loaded().await;
    let mut first = warehouse
        .open(context(1), merge("people", &["id"]))
        .await
        .unwrap();
    let mut second = warehouse
        .open(context(1), merge("places", &["id"]))
        .await
        .unwrap();
    first.write(people(200, &[(3, "c")])).await.unwrap();
    let waiting = tokio::spawn(async move {
        second.write(people(200, &[(1, "x")])).await.unwrap();
        second.finish(checkpoint(1)).await.unwrap()
    });
    tokio::task::yield_now().await;
    first.finish(checkpoint(1)).await.unwrap();
    assert_eq!(waiting.await.unwrap().books, written(1));
    assert_eq!(warehouse.rows("select count(*) from shop__people"), ["3"]);
}

#[tokio::test]
async fn marks_keep_position_and_epoch_with_the_rows() {
    let warehouse = loaded().await;
    let mut writer = warehouse
        .open(context(3), merge("people", &["id"]))
        .await
        .unwrap();
    writer.write(people(200, &[(3, "c")])).await.unwrap();
    writer.commit(checkpoint(5)).await.unwrap();
    let mark = "select source_id, tap_stream_id, epoch, checkpoint, position, fence, table_name, loading from shop___sdc_selvedge_commits";
    assert_eq!(
        warehouse.rows(mark),
        ["100001|db-public-people|1|5|position 5|3|shop__people|0"]
    );
    writer.commit(checkpoint(6)).await.unwrap();
    assert_eq!(
        warehouse.rows("select checkpoint from shop___sdc_selvedge_commits"),
        ["6"],
        "a commit without rows moves the mark too"
    );
}

#[tokio::test]
async fn the_position_of_the_last_commit_is_given_back_to_the_same_life_of_the_stream() {
    let warehouse = Warehouse::new();
    let opened = async |target| {
        let writer = warehouse.open(context(9), target).await.unwrap();
        writer.committed_position().map(str::to_owned)
    };
    assert_eq!(opened(merge("people", &[])).await, None);
    let mut writer = warehouse
        .open(context(1), merge("people", &[]))
        .await
        .unwrap();
    writer.write(people(200, &[(3, "c")])).await.unwrap();
    writer.commit(checkpoint(5)).await.unwrap();
    // A row that no commit covers takes no position along.
    writer.write(people(300, &[(4, "d")])).await.unwrap();
    drop(writer);
    let last = Some("position 5".to_owned());
    assert_eq!(opened(merge("people", &[])).await, last);
    let mut next_life = merge("people", &[]);
    next_life.identity.epoch += 1;
    assert_eq!(opened(next_life).await, None);
    let mut another = merge("people", &[]);
    another.identity.source_id += 1;
    assert_eq!(opened(another).await, None);
    warehouse.execute("drop table shop__people");
    let without_its_rows = opened(merge("people", &[])).await;
    assert_eq!(without_its_rows, None);
}
