use std::sync::Arc;

use arrow_array::{Int32Array, StringArray};
use selvedge_connector::{LoadMode, LogicalType};

use crate::support::{Warehouse, batch_from, written};

#[tokio::test]
async fn a_thousand_columns_load() {
    let warehouse = Warehouse::create().await;
    let fields = |value: i32| {
        (0..1_000)
            .map(|column| {
                let array = Int32Array::from(vec![value, value + 1]);
                (
                    format!("c{column}"),
                    LogicalType::Int32,
                    Arc::new(array) as _,
                )
            })
            .collect::<Vec<_>>()
    };
    let mut target = warehouse.target(&["c0"], LoadMode::Merge);
    for round in 0..2 {
        let report = warehouse
            .run(target.clone(), vec![batch_from(fields(7), 10 + 10 * round)])
            .await;
        assert_eq!(report.books, written(2));
    }
    target.mode = LoadMode::Replace;
    warehouse.run(target, vec![batch_from(fields(9), 40)]).await;
    assert_eq!(
        warehouse
            .rows("select c0, c600, c999 from shop.orders order by c0")
            .await,
        ["9|9|9", "10|10|10"]
    );
}

#[tokio::test]
async fn records_beyond_the_column_limit_are_rejected() {
    let warehouse = Warehouse::create().await;
    let fields = (0..1_100)
        .map(|column| {
            // The columns at the end have a value in the first row only.
            let tail = (column < 1_000).then_some(1);
            let array = Int32Array::from(vec![Some(1), tail.map(|one| one + 1)]);
            (
                format!("c{column}"),
                LogicalType::Int32,
                Arc::new(array) as _,
            )
        })
        .collect();
    let report = warehouse
        .run(
            warehouse.target(&["c0"], LoadMode::Merge),
            vec![batch_from(fields, 1)],
        )
        .await;
    assert_eq!((report.books.written, report.books.rejected), (1, 1));
    assert_eq!(
        warehouse
            .rows("select reason from shop._sdc_rejected")
            .await,
        ["ERROR: too many columns"]
    );
}

#[tokio::test]
async fn values_of_five_megabytes_load() {
    let warehouse = Warehouse::create().await;
    let big = "é".repeat(2_500_000);
    let batch = |first| {
        batch_from(
            vec![
                (
                    "id",
                    LogicalType::Int32,
                    Arc::new(Int32Array::from(vec![1, 2, 3])) as _,
                ),
                (
                    "v",
                    LogicalType::Text,
                    Arc::new(StringArray::from(vec![
                        Some(big.as_str()),
                        None,
                        Some(big.as_str()),
                    ])) as _,
                ),
            ],
            first,
        )
    };
    for first in [1, 10] {
        warehouse
            .run(
                warehouse.target(&["id"], LoadMode::Merge),
                vec![batch(first)],
            )
            .await;
    }
    assert_eq!(
        warehouse
            .rows("select id, length(v), v = repeat('é', 2500000) from shop.orders order by id")
            .await,
        ["1|5000000|1", "2|-|-", "3|5000000|1"]
    );
}
