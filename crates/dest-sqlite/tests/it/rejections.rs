//! Records that do not get in are kept, with a reason.

use selvedge_connector::{Books, LogicalType};

use crate::support::{Cell, Warehouse, batch, merge, people};

#[tokio::test]
async fn colliding_fields_reject_the_record() {
    let warehouse = Warehouse::new();
    let rows = batch(
        1,
        &[
            ("id", LogicalType::Int64),
            ("Name", LogicalType::Text),
            ("name", LogicalType::Text),
        ],
        &[
            &[Cell::Int(1), Cell::Text("a"), Cell::Null],
            &[Cell::Int(2), Cell::Text("a"), Cell::Text("b")],
        ],
    );
    let report = warehouse.load(merge("people", &["id"]), vec![rows]).await;
    assert_eq!(
        report.books,
        Books {
            written: 1,
            rejected: 1,
            ..Books::default()
        }
    );
    assert_eq!(
        warehouse
            .rows("select table_name, reason, record, _sdc_rejected_at from shop___sdc_rejected"),
        [
            "shop__people|Field collision on Name|{\"id\":2,\"Name\":\"a\",\"name\":\"b\"}|2031-02-03T04:05:06.000000Z"
        ]
    );
    assert!(
        report.notes[0].contains("1 record(s) rejected"),
        "{:?}",
        report.notes
    );
}

#[tokio::test]
async fn a_reserved_table_name_rejects_every_record() {
    let warehouse = Warehouse::new();
    let report = warehouse
        .load(
            merge("_sdc_mine", &["id"]),
            vec![people(1, &[(1, "a"), (2, "b")])],
        )
        .await;
    assert_eq!(report.books.rejected, 2);
    assert_eq!(
        warehouse.rows("select distinct reason from shop___sdc_rejected"),
        ["Table name [_sdc_mine] uses a reserved prefix"]
    );
}

#[tokio::test]
async fn rejections_stay_when_the_run_is_repeated() {
    let warehouse = Warehouse::new();
    for _ in 0..2 {
        warehouse
            .load(merge("_sdc_mine", &["id"]), vec![people(1, &[(1, "a")])])
            .await;
    }
    assert_eq!(
        warehouse.rows("select count(*) from shop___sdc_rejected"),
        ["2"]
    );
}
