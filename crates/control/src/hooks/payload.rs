//! What a post-load hook is told, version 1.0.

use selvedge_types::Timestamp;
use selvedge_types::load::{BookmarkRange, FinishedLoad, LoadedTable};
use serde::Serialize;

const VERSION: &str = "1.0";

#[derive(Serialize)]
struct Payload<'a> {
    version: &'static str,
    minimum_sdc_batched_at: String,
    integration_name: &'a str,
    new_version: bool,
    source_root_table_name: &'a str,
    destination_root_table_name: &'a str,
    table_version: i64,
    tables: Vec<Table<'a>>,
}

#[derive(Serialize)]
struct Table<'a> {
    source_table_name: &'a str,
    destination_table_name: &'a str,
    num_rows: u64,
    num_rows_rejected: u64,
    /// This and the next of object storage only.
    #[serde(skip_serializing_if = "Option::is_none")]
    s3_objects: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_keys: Option<&'a [String]>,
    /// One for each replication key; `None` without any.
    bookmark_metadata: Option<Vec<Bookmark<'a>>>,
    max_time_extracted: Option<String>,
}

#[derive(Serialize)]
struct Bookmark<'a> {
    key: &'a str,
    min_value: &'a str,
    max_value: &'a str,
}

/// The body of the request that tells of a load of the source called `integration_name`.
pub(crate) fn payload(integration_name: &str, load: &FinishedLoad) -> Vec<u8> {
    let mut tables = vec![Table {
        primary_keys: load.root.objects.is_some().then_some(&load.primary_keys),
        bookmark_metadata: (!load.bookmarks.is_empty()).then(|| bookmarks(&load.bookmarks)),
        ..table(load, &load.root)
    }];
    tables.extend(load.subtables.iter().map(|subtable| table(load, subtable)));
    let payload = Payload {
        version: VERSION,
        minimum_sdc_batched_at: load.min_batched_at.to_millis_string(),
        integration_name,
        new_version: load.new_version,
        source_root_table_name: &load.root.source_name,
        destination_root_table_name: &load.root.destination_name,
        table_version: load.table_version,
        tables,
    };
    serde_json::to_vec(&payload).expect("names, texts and integers are always JSON")
}

fn bookmarks(ranges: &[BookmarkRange]) -> Vec<Bookmark<'_>> {
    let ranges = ranges.iter();
    ranges
        .map(|range| Bookmark {
            key: &range.key,
            min_value: &range.min_value,
            max_value: &range.max_value,
        })
        .collect()
}

/// A table without keys of its own.
fn table<'a>(load: &FinishedLoad, table: &'a LoadedTable) -> Table<'a> {
    Table {
        source_table_name: &table.source_name,
        destination_table_name: &table.destination_name,
        num_rows: table.row_count,
        num_rows_rejected: table.rejected_count,
        s3_objects: table.objects.as_deref(),
        primary_keys: table.objects.is_some().then_some(&[]),
        bookmark_metadata: None,
        max_time_extracted: load.max_extracted_at.map(Timestamp::to_millis_string),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn table(source_name: &str, destination_name: &str, row_count: u64) -> LoadedTable {
        LoadedTable {
            source_name: source_name.to_owned(),
            destination_name: destination_name.to_owned(),
            row_count,
            rejected_count: 0,
            objects: None,
        }
    }

    fn range(key: &str, min_value: &str, max_value: &str) -> BookmarkRange {
        BookmarkRange {
            key: key.to_owned(),
            min_value: min_value.to_owned(),
            max_value: max_value.to_owned(),
        }
    }

    fn load() -> FinishedLoad {
        FinishedLoad {
            table_version: 0,
            new_version: false,
            min_batched_at: instant("2031-03-01T12:00:08.026Z"),
            max_extracted_at: Some(instant("2031-03-01T11:59:31.4Z")),
            bookmarks: vec![range(
                "changed_at",
                "2031-02-28T00:00:00.000000Z",
                "2031-03-01T00:00:00.000000Z",
            )],
            primary_keys: vec!["id".to_owned()],
            root: LoadedTable {
                rejected_count: 2,
                ..table("Orders", "orders", 120)
            },
            subtables: vec![table("lines", "orders__lines", 7)],
        }
    }

    fn text(load: &FinishedLoad) -> String {
        String::from_utf8(payload("shop", load)).unwrap()
    }

    #[test]
    fn a_load_into_a_database_names_its_tables_root_first() {
        assert_eq!(
            text(&load()),
            concat!(
                r#"{"version":"1.0","minimum_sdc_batched_at":"2031-03-01T12:00:08.026Z","integration_name":"shop","#,
                r#""new_version":false,"source_root_table_name":"Orders","destination_root_table_name":"orders","#,
                r#""table_version":0,"tables":[{"source_table_name":"Orders","destination_table_name":"orders","#,
                r#""num_rows":120,"num_rows_rejected":2,"bookmark_metadata":[{"key":"changed_at","#,
                r#""min_value":"2031-02-28T00:00:00.000000Z","max_value":"2031-03-01T00:00:00.000000Z"}],"#,
                r#""max_time_extracted":"2031-03-01T11:59:31.400Z"},"#,
                r#"{"source_table_name":"lines","destination_table_name":"orders__lines","num_rows":7,"#,
                r#""num_rows_rejected":0,"bookmark_metadata":null,"max_time_extracted":"2031-03-01T11:59:31.400Z"}]}"#,
            )
        );
    }

    #[test]
    fn a_load_into_a_bucket_names_its_objects_and_keys() {
        let mut load = load();
        load.root.objects = Some(vec!["lake/shop/orders/0_1.csv".to_owned()]);
        load.subtables[0].objects = Some(vec!["lake/shop/orders/lines/0_1.csv".to_owned()]);
        let text = text(&load);
        assert!(text.contains(
            r#""num_rows_rejected":2,"s3_objects":["lake/shop/orders/0_1.csv"],"primary_keys":["id"],"bookmark_metadata":[{"#
        ));
        assert!(text.contains(
            r#""num_rows_rejected":0,"s3_objects":["lake/shop/orders/lines/0_1.csv"],"primary_keys":[],"bookmark_metadata":null"#
        ));
    }

    #[test]
    fn each_replication_key_has_a_range() {
        let mut load = load();
        load.bookmarks = vec![range("day", "1", "2"), range("id", "-7", "9")];
        assert!(text(&load).contains(concat!(
            r#""bookmark_metadata":[{"key":"day","min_value":"1","max_value":"2"},"#,
            r#"{"key":"id","min_value":"-7","max_value":"9"}],"#,
        )));
    }

    #[test]
    fn a_load_of_rejections_alone_has_no_rows_and_no_bookmark() {
        let load = FinishedLoad {
            new_version: true,
            table_version: 1_700_000_000_000,
            max_extracted_at: None,
            bookmarks: Vec::new(),
            root: LoadedTable {
                rejected_count: 3,
                ..table("orders", "orders", 0)
            },
            subtables: Vec::new(),
            ..load()
        };
        assert_eq!(
            text(&load),
            concat!(
                r#"{"version":"1.0","minimum_sdc_batched_at":"2031-03-01T12:00:08.026Z","integration_name":"shop","#,
                r#""new_version":true,"source_root_table_name":"orders","destination_root_table_name":"orders","#,
                r#""table_version":1700000000000,"tables":[{"source_table_name":"orders","#,
                r#""destination_table_name":"orders","num_rows":0,"num_rows_rejected":3,"#,
                r#""bookmark_metadata":null,"max_time_extracted":null}]}"#,
            )
        );
    }
}
