//! CSV: header, delimiters, quotes, subtables, late columns.

use std::sync::Arc;

use selvedge_connector::{Destination, Nesting, SubtableBatch, SubtableReport};
use serde_json::json;

use crate::support::{
    Lake, batch, batch_of_every_type, checkpoint, columns, context, every_type, load, merge,
};

const AT: &str = "2031-02-03T04:05:06.789000Z";

#[tokio::test]
async fn columns_are_a_union_in_the_order_they_were_first_seen() {
    let lake = Lake::new(&json!({ "format": "csv" }));
    assert_eq!(lake.destination.nesting(), Nesting::Subtables);
    let first = batch(
        1,
        &[
            ("id", vec![json!(1), json!(2)]),
            ("size.cm", vec![json!(30), json!(null)]),
        ],
    );
    let second = batch(
        3,
        &[
            ("label", vec![json!("say \"hi\", you"), json!("")]),
            ("id", vec![json!(3), json!(4)]),
        ],
    );
    let report = load(
        &lake.destination,
        merge("parcels", &["id"]),
        vec![first, second],
    )
    .await;
    assert_eq!(report.books.written, 4);
    assert_eq!(lake.keys(), ["shop/parcels/0_1927857906789.csv"]);
    assert_eq!(
        lake.text("shop/parcels/0_1927857906789.csv"),
        format!(
            "id,size__cm,label,_sdc_extracted_at,_sdc_received_at,_sdc_batched_at,_sdc_sequence,_sdc_table_version\n\
             1,30,,{AT},{AT},{AT},1,0\n\
             2,,,{AT},{AT},{AT},2,0\n\
             3,,\"say \"\"hi\"\", you\",{AT},{AT},{AT},3,0\n\
             4,,\"\",{AT},{AT},{AT},4,0\n"
        )
    );
}

#[tokio::test]
async fn pipes_and_forced_quotes_are_settings() {
    let lake = Lake::new(&json!({
        "format": "csv", "csv_delimiter": "|", "csv_force_quote": "true",
    }));
    let rows = batch(
        1,
        &[
            ("id", vec![json!(1)]),
            ("note", vec![json!(null)]),
            ("more", vec![json!("a|b")]),
        ],
    );
    load(&lake.destination, merge("orders", &["id"]), vec![rows]).await;
    let text = lake.text("shop/orders/0_1927857906789.csv");
    let mut lines = text.lines();
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("\"id\"|\"note\"|\"more\"|\"_sdc_extracted_at\"|")
    );
    assert_eq!(
        lines.next().unwrap(),
        format!("\"1\"|\"\"|\"a|b\"|\"{AT}\"|\"{AT}\"|\"{AT}\"|\"1\"|\"0\"")
    );
    let tabs = Lake::new(&json!({ "format": "csv", "csv_delimiter": "\\t" }));
    let rows = batch(1, &[("id", vec![json!(1)]), ("note", vec![json!("a,b")])]);
    load(&tabs.destination, merge("orders", &["id"]), vec![rows]).await;
    assert!(
        tabs.text("shop/orders/0_1927857906789.csv")
            .contains(&format!("\n1\ta,b\t{AT}\t"))
    );
}

#[tokio::test]
async fn items_of_arrays_go_into_a_folder_below_their_table() {
    let lake = Lake::new(&json!({ "format": "csv" }));
    let mut contacts = batch(101, &[("id", vec![json!(71), json!(72)])]);
    let (schema, records) = columns(&[("town", vec![json!("Lund"), json!("Ystad"), json!(null)])]);
    contacts.subtables.push(SubtableBatch {
        path: vec!["personas".to_owned()],
        schema,
        records,
        root_rows: Arc::from([0, 0, 1]),
        levels: vec![Arc::from([0, 1, 0])],
    });
    let (schema, records) = columns(&[("by", vec![json!("ana"), json!("bo")])]);
    contacts.subtables.push(SubtableBatch {
        path: vec!["personas".to_owned(), "scans".to_owned()],
        schema,
        records,
        root_rows: Arc::from([0, 1]),
        levels: vec![Arc::from([0, 0]), Arc::from([1, 0])],
    });
    let report = load(
        &lake.destination,
        merge("contacts", &["id"]),
        vec![contacts],
    )
    .await;
    assert_eq!((report.books.written, report.objects), (2, None));
    let subtable = |name: &str, path: &[&str], row_count| SubtableReport {
        table_name: name.to_owned(),
        path: path.iter().map(ToString::to_string).collect(),
        row_count,
        objects: None,
    };
    assert_eq!(
        report.subtables,
        [
            subtable("contacts__personas", &["personas"], 3),
            subtable("contacts__personas__scans", &["personas", "scans"], 2),
        ]
    );
    assert_eq!(
        lake.keys(),
        [
            "shop/contacts/0_1927857906789.csv",
            "shop/contacts/personas/0_1927857906789.csv",
            "shop/contacts/personas/scans/0_1927857906789.csv",
        ]
    );
    assert_eq!(
        lake.text("shop/contacts/personas/0_1927857906789.csv"),
        format!(
            "town,_sdc_source_key_id,_sdc_level_0_id,_sdc_extracted_at,_sdc_received_at,_sdc_batched_at,_sdc_sequence,\
             _sdc_table_version\n\
             Lund,71,0,{AT},{AT},{AT},101,0\n\
             Ystad,71,1,{AT},{AT},{AT},101,0\n\
             ,72,0,{AT},{AT},{AT},102,0\n"
        )
    );
    assert_eq!(
        lake.text("shop/contacts/personas/scans/0_1927857906789.csv"),
        format!(
            "by,_sdc_source_key_id,_sdc_level_0_id,_sdc_level_1_id,_sdc_extracted_at,_sdc_received_at,_sdc_batched_at,\
             _sdc_sequence,_sdc_table_version\n\
             ana,71,0,1,{AT},{AT},{AT},101,0\n\
             bo,72,0,0,{AT},{AT},{AT},102,0\n"
        )
    );
}

#[tokio::test]
async fn rows_and_items_of_keyless_tables_share_a_generated_identity() {
    let lake = Lake::new(&json!({ "format": "csv" }));
    let mut visits = batch(7, &[("page", vec![json!("/a")])]);
    let (schema, records) = columns(&[("value", vec![json!("x")])]);
    visits.subtables.push(SubtableBatch {
        path: vec!["tags".to_owned()],
        schema,
        records,
        root_rows: Arc::from([0]),
        levels: vec![Arc::from([0])],
    });
    load(&lake.destination, merge("visits", &[]), vec![visits]).await;
    let cell = |key: &str, name: &str| {
        let text = lake.text(key);
        let mut lines = text.lines();
        let position = lines
            .next()
            .unwrap()
            .split(',')
            .position(|column| column == name);
        let cells = lines.next().unwrap().split(',');
        cells.map(str::to_owned).nth(position.expect(name)).unwrap()
    };
    let identity = cell("shop/visits/0_1927857906789.csv", "__sdc_primary_key");
    assert_eq!(identity.len(), 36);
    assert_eq!(
        cell(
            "shop/visits/tags/0_1927857906789.csv",
            "_sdc_source_key___sdc_primary_key"
        ),
        identity
    );
}

#[tokio::test]
async fn rejected_records_are_json_lines_beside_csv() {
    let lake = Lake::new(&json!({ "format": "csv" }));
    let rows = batch(
        1,
        &[
            ("id", vec![json!(1), json!(2), json!(3)]),
            ("_sdc_mine", vec![json!(null), json!("x"), json!(null)]),
            ("a.b", vec![json!(1), json!(1), json!(1)]),
            ("a__b", vec![json!(null), json!(null), json!(2)]),
        ],
    );
    let report = load(&lake.destination, merge("orders", &["id"]), vec![rows]).await;
    assert_eq!((report.books.written, report.books.rejected), (1, 2));
    assert_eq!(
        lake.keys(),
        [
            "shop/_sdc_rejected/0_1927857906789.jsonl",
            "shop/orders/0_1927857906789.csv"
        ]
    );
    let lines: Vec<serde_json::Value> = lake
        .text("shop/_sdc_rejected/0_1927857906789.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        lines[0],
        json!({
            "_sdc_rejected_at": AT,
            "table_name": "orders",
            "reason": "Column name [_sdc_mine] uses a reserved prefix",
            "record": r#"{"id":2,"_sdc_mine":"x","a__b":1,"a__b":null}"#,
        })
    );
    assert_eq!(lines[1]["reason"], "Field collision on a__b");
    let text = lake.text("shop/orders/0_1927857906789.csv");
    assert_eq!(text.lines().count(), 2);
    assert!(text.starts_with("id,a__b,_sdc_extracted_at,"));
    assert_eq!(
        report.notes,
        [
            "1 record(s) rejected into _sdc_rejected: Column name [_sdc_mine] uses a reserved prefix",
            "1 record(s) rejected into _sdc_rejected: Field collision on a__b",
        ]
    );
}

#[tokio::test]
async fn every_type_has_its_text() {
    let lake = Lake::new(&json!({ "format": "csv", "csv_delimiter": "tab" }));
    load(
        &lake.destination,
        merge("types", &[]),
        vec![batch_of_every_type()],
    )
    .await;
    let text = lake.text("shop/types/0_1927857906789.csv");
    let lines: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    for (column, (name, _, _, expected)) in every_type().into_iter().enumerate() {
        assert_eq!(lines[0][column], name);
        for (row, expected) in expected.into_iter().enumerate() {
            let quoted = expected.contains('"') || expected.is_empty();
            let expected = match quoted {
                true => format!("\"{}\"", expected.replace('"', "\"\"")),
                false => expected.to_owned(),
            };
            assert_eq!(lines[row + 1][column], expected, "{name}");
        }
        assert_eq!(lines[3][column], "", "{name}");
    }
}

#[tokio::test]
async fn commits_of_one_run_never_share_a_key() {
    let lake = Lake::new(&json!({ "format": "csv" }));
    let mut writer = lake
        .destination
        .open(context(1), merge("orders", &["id"]))
        .await
        .unwrap();
    for number in 1..=3 {
        writer
            .write(batch(number, &[("id", vec![json!(number)])]))
            .await
            .unwrap();
        assert!(writer.commit(checkpoint(number)).await.unwrap().durable);
    }
    // Another run at the same instant, too.
    let rows = batch(9, &[("id", vec![json!(9)])]);
    load(&lake.destination, merge("orders", &["id"]), vec![rows]).await;
    assert_eq!(
        lake.keys(),
        [
            "shop/orders/0_1927857906789.csv",
            "shop/orders/0_1927857906790.csv",
            "shop/orders/0_1927857906791.csv",
            "shop/orders/0_1927857906792.csv",
        ]
    );
}
