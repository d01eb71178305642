//! Files that cannot be written: the kind, the sentence and SQLite's or the system's own words of each.

use rusqlite::Connection;
use selvedge_connector::{ConnectorError, ErrorKind, LogicalType, ShapedBatch};

use crate::support::{Cell, Warehouse, batch, checkpoint, context, merge};

fn rows(first_sequence: i64, ids: &[i64]) -> ShapedBatch {
    let cells: Vec<[Cell; 1]> = ids.iter().map(|id| [Cell::Int(*id)]).collect();
    let rows: Vec<&[Cell]> = cells.iter().map(|row| &row[..]).collect();
    batch(first_sequence, &[("id", LogicalType::Int64)], &rows)
}

/// One run that fails, wherever in it.
async fn fail(warehouse: &Warehouse) -> ConnectorError {
    let attempt = async {
        let mut writer = warehouse.open(context(1), merge("orders", &["id"])).await?;
        writer.write(rows(100, &[7])).await?;
        writer.finish(checkpoint(2)).await.map(drop)
    };
    attempt.await.expect_err("a refusal")
}

#[track_caller]
fn assert_told(error: &ConnectorError, kind: ErrorKind, sentence: &str, words: &str) {
    assert_eq!(error.kind, kind, "{error:?}");
    assert!(error.message.contains(sentence), "{error:?}");
    let detail = error.detail.as_deref().unwrap_or_default();
    assert!(detail.contains(words), "{error:?}");
}

#[tokio::test]
async fn a_file_of_another_kind_stays_as_it_is() {
    let warehouse = Warehouse::new();
    std::fs::create_dir_all(warehouse.path.parent().unwrap()).unwrap();
    let text = "not a database, but long enough".repeat(99);
    std::fs::write(&warehouse.path, &text).unwrap();
    let sentence = "is not a SQLite database: move it away";
    assert_told(
        &fail(&warehouse).await,
        ErrorKind::Configuration,
        sentence,
        "file is not a database",
    );
    assert_eq!(std::fs::read_to_string(&warehouse.path).unwrap(), text);
}

#[tokio::test]
async fn a_directory_in_the_place_of_the_file_is_told() {
    let warehouse = Warehouse::new();
    std::fs::create_dir_all(&warehouse.path).unwrap();
    assert_told(
        &fail(&warehouse).await,
        ErrorKind::Permission,
        "the SQLite file cannot be opened for writing",
        "unable to open",
    );
}

#[tokio::test]
async fn a_file_in_the_place_of_the_directory_is_told() {
    let warehouse = Warehouse::new();
    std::fs::write(warehouse.path.parent().unwrap(), "mine").unwrap();
    assert_told(
        &fail(&warehouse).await,
        ErrorKind::Permission,
        "the directory of the SQLite file cannot be created",
        "exists",
    );
}

#[tokio::test]
async fn a_damaged_file_is_told_with_what_repairs_it() {
    let warehouse = Warehouse::new();
    let target = merge("orders", &["id"]);
    let ids: Vec<i64> = (0..5_000).collect();
    warehouse.load(target, vec![rows(1, &ids)]).await;
    // Into one file, and all pages of tables and indexes but the first into noise.
    let folded = "pragma wal_checkpoint(truncate)";
    Connection::open(&warehouse.path)
        .unwrap()
        .query_row(folded, [], |_| Ok(()))
        .unwrap();
    let mut bytes = std::fs::read(&warehouse.path).unwrap();
    bytes[4_096..].fill(0xa5);
    std::fs::write(&warehouse.path, bytes).unwrap();
    assert_told(
        &fail(&warehouse).await,
        ErrorKind::Data,
        "the SQLite file is damaged: restore it",
        "malformed",
    );
}
