//! Tables change with their data.

use selvedge_connector::LogicalType;

use crate::support::{Cell, Warehouse, batch, checkpoint, context, merge};

fn meters(
    sequence: i64,
    logical_type: LogicalType,
    id: i64,
    reading: Cell,
) -> selvedge_connector::ShapedBatch {
    batch(
        sequence,
        &[("id", LogicalType::Int64), ("reading", logical_type)],
        &[&[Cell::Int(id), reading]],
    )
}

#[tokio::test]
async fn a_value_of_another_type_splits_the_column() {
    let warehouse = Warehouse::new();
    let loads = [
        meters(1, LogicalType::Int64, 1, Cell::Int(12)),
        meters(2, LogicalType::Text, 2, Cell::Text("n/a")),
        meters(3, LogicalType::Int64, 3, Cell::Int(7)),
        meters(4, LogicalType::Boolean, 1, Cell::Bool(true)),
    ];
    for load in loads {
        warehouse.load(merge("meters", &["id"]), vec![load]).await;
    }
    assert_eq!(
        warehouse.columns("shop__meters"),
        [
            "id bigint",
            "reading__bi bigint",
            "reading__st text",
            "reading__bo boolean"
        ]
    );
    assert_eq!(
        warehouse
            .rows("select id, reading__bi, reading__st, reading__bo from shop__meters order by id"),
        ["1|null|null|1", "2|null|n/a|null", "3|7|null|null"]
    );
}

#[tokio::test]
async fn splits_inside_one_run_and_one_batch_work_too() {
    let warehouse = Warehouse::new();
    let mut writer = warehouse
        .open(context(1), merge("meters", &["id"]))
        .await
        .unwrap();
    writer
        .write(meters(1, LogicalType::Int64, 1, Cell::Int(12)))
        .await
        .unwrap();
    let fields: &[(&str, LogicalType)] = &[
        ("id", LogicalType::Int64),
        ("reading", LogicalType::Int64),
        ("reading", LogicalType::Float64),
        ("reading", LogicalType::Text),
    ];
    writer
        .write(batch(
            2,
            fields,
            &[
                &[Cell::Int(2), Cell::Int(5), Cell::Null, Cell::Null],
                &[Cell::Int(3), Cell::Null, Cell::Double(0.5), Cell::Null],
                &[Cell::Int(4), Cell::Null, Cell::Null, Cell::Text("x")],
                &[Cell::Int(5), Cell::Null, Cell::Null, Cell::Null],
            ],
        ))
        .await
        .unwrap();
    let report = writer.finish(checkpoint(1)).await.unwrap();
    assert_eq!(report.books.written, 5);
    assert!(
        report.notes[0].contains("reading__bi"),
        "{:?}",
        report.notes
    );
    assert_eq!(
        warehouse
            .rows("select id, reading__bi, reading__do, reading__st from shop__meters order by id"),
        [
            "1|12|null|null",
            "2|5|null|null",
            "3|null|0.5|null",
            "4|null|null|x",
            "5|null|null|null"
        ]
    );
}

#[tokio::test]
async fn new_columns_come_last_and_gone_ones_stay() {
    let warehouse = Warehouse::new();
    warehouse
        .load(
            merge("meters", &["id"]),
            vec![meters(1, LogicalType::Text, 1, Cell::Text("a"))],
        )
        .await;
    let other = batch(
        2,
        &[("id", LogicalType::Int64), ("unit", LogicalType::Text)],
        &[&[Cell::Int(2), Cell::Text("kWh")]],
    );
    warehouse.load(merge("meters", &["id"]), vec![other]).await;
    assert_eq!(
        warehouse.rows("select id, reading, unit from shop__meters order by id"),
        ["1|a|null", "2|null|kWh"]
    );
}

#[tokio::test]
async fn a_key_of_another_type_ends_the_key() {
    let warehouse = Warehouse::new();
    warehouse
        .load(
            merge("meters", &["id"]),
            vec![meters(1, LogicalType::Text, 1, Cell::Text("a"))],
        )
        .await;
    let text_key = batch(
        2,
        &[("id", LogicalType::Text)],
        &[&[Cell::Text("one")], &[Cell::Text("one")]],
    );
    let report = warehouse
        .load(merge("meters", &["id"]), vec![text_key])
        .await;
    assert_eq!(report.books.written, 2);
    assert_eq!(
        warehouse.rows("select id__bi, id__st from shop__meters order by _sdc_sequence"),
        ["1|null", "null|one", "null|one"]
    );
    assert!(
        !warehouse
            .objects()
            .contains(&"shop__meters_pkey".to_owned())
    );
}

#[tokio::test]
async fn odd_names_are_transformed_and_quoted() {
    let warehouse = Warehouse::new();
    let odd = batch(
        1,
        &[
            ("id", LogicalType::Int64),
            ("4 Größe's \"x\"", LogicalType::Text),
            ("select", LogicalType::Text),
        ],
        &[&[Cell::Int(1), Cell::Text("a"), Cell::Text("b")]],
    );
    warehouse
        .load(merge("Order \"Lines\"", &["id"]), vec![odd])
        .await;
    assert_eq!(
        warehouse.rows("select \"id\", \"Gres x\", \"select\" from \"shop__Order \"\"Lines\"\"\""),
        ["1|a|b"]
    );
}
