//! Names that collide and names that nobody may use.

use selvedge_connector::TableTarget;

use super::{Splits, Subject, load, merge, rejections, rejections_of, shown};

/// Records with only one of the two load, into the same column.
pub async fn two_fields_of_one_name_reject_the_records_that_have_both(subject: &impl Subject) {
    let target = merge(subject, &[]);
    let records = [
        (1, r#"{"id":1,"c-d":1,"c@d":2}"#),
        (2, r#"{"id":2,"c-d":3}"#),
        (3, r#"{"id":3,"c@d":4}"#),
    ];
    let told = load(subject, &target, &records).await;
    match subject.character().shared_name {
        Some(name) => {
            assert_eq!((told.books.written, told.books.rejected), (2, 1));
            assert_eq!(shown(subject, &["id", name]).await, ["2|3", "3|4"]);
            assert_eq!(
                rejections(subject).await,
                [format!("Field collision on {name}")]
            );
        }
        None => assert_eq!(
            shown(subject, &["id", "c-d", "c@d"]).await,
            ["1|1|2", "2|3|-", "3|-|4"]
        ),
    }
}

/// Prefixes of the engine, in any case; some names with them belong to taps.
pub async fn names_of_the_engine_are_refused_and_those_of_taps_are_not(subject: &impl Subject) {
    let target = merge(subject, &[]);
    let records = [
        (1, r#"{"id":1,"_sdc_own":1}"#),
        (2, r#"{"id":2,"_RJM_own":1}"#),
        (3, r#"{"id":3,"_sdc_sequence":1}"#),
        (4, r#"{"id":4,"_sdc_source_file":"f.csv"}"#),
    ];
    let told = load(subject, &target, &records).await;
    assert_eq!((told.books.written, told.books.rejected), (1, 3));
    assert_eq!(
        shown(subject, &["id", "_sdc_source_file"]).await,
        ["4|f.csv"]
    );
    assert_eq!(
        rejections(subject).await,
        ["_RJM_own", "_sdc_own", "_sdc_sequence"]
            .map(|name| format!("Column name [{name}] uses a reserved prefix"))
    );
}

/// A name that a split could give to a column.
pub async fn suffixes_of_splits_are_refused_where_there_are_splits(subject: &impl Subject) {
    let target = merge(subject, &[]);
    let records = [(1, r#"{"id":1,"age__st":"x"}"#), (2, r#"{"id":2}"#)];
    let told = load(subject, &target, &records).await;
    match subject.character().splits {
        Splits::Renaming | Splits::WithinALoad => {
            assert_eq!((told.books.written, told.books.rejected), (1, 1));
            assert_eq!(
                rejections(subject).await,
                [
                    "column names from client should not include reserved datatype suffix on [age__st]"
                ]
            );
        }
        Splits::Never => assert_eq!(shown(subject, &["id", "age__st"]).await, ["1|x", "2|-"]),
    }
}

/// All of its records are rejected.
pub async fn a_table_with_a_name_of_the_engine_takes_no_record(subject: &impl Subject) {
    let target = TableTarget {
        table_name: "_sdc_mine".to_owned(),
        ..merge(subject, &["id"])
    };
    let told = load(subject, &target, &[(1, r#"{"id":1}"#), (2, r#"{"id":2}"#)]).await;
    assert_eq!((told.books.written, told.books.rejected), (0, 2));
    let reason = "Table name [_sdc_mine] uses a reserved prefix";
    assert_eq!(rejections_of(subject, "_sdc_mine").await, [reason, reason]);
    assert!(subject.stored("_sdc_mine").await.is_none());
}
