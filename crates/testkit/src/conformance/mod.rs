//! What every destination has to do alike: one list of cases, run by each of them.
//!
//! A destination makes itself a [`Subject`] and names the groups that apply to it:
//!
//! ```ignore
//! selvedge_testkit::conformance!(Warehouse::create().await; keyed, keyless, replaced, columns, names, items, runs);
//! ```
//!
//! Each case is a test of its own then. What only one destination does, and how it does it, is tested in its own crate.

pub mod columns;
pub mod damaged;
pub mod items;
pub mod keyed;
pub mod keyless;
pub mod names;
pub mod replaced;
pub mod runs;
pub mod values;
pub mod whole;

use async_trait::async_trait;
use selvedge_connector::{
    Books, Checkpoint, CommitReport, ConnectorError, Destination, Instants, LoadContext, LoadMode,
    Sequences, ShapedBatch, StreamIdentity, StreamSchema, SubtableReport, SystemValues,
    TableTarget, TableWriter,
};
use selvedge_shape::json::JsonShaper;
use selvedge_types::Timestamp;
use serde_json::Value;

/// The table that cases write to.
pub const TABLE: &str = "orders";

/// A destination under test, fresh for each case.
#[async_trait]
pub trait Subject: Sync {
    /// What is particular about it.
    fn character(&self) -> Character;

    fn destination(&self) -> &dyn Destination;

    /// For a run with this fence.
    fn context(&self, fence: i64) -> LoadContext;

    /// A schema that nothing else writes to.
    fn schema_name(&self) -> String;

    /// What is in a table of the schema; `None` if there is none. System tables go by their names like others.
    async fn stored(&self, table: &str) -> Option<Stored>;
}

/// In what destinations differ by contract.
#[derive(Clone, Copy, Debug)]
pub struct Character {
    /// The name in messages.
    pub display_name: &'static str,
    /// What becomes of the rows that are there.
    pub loading: Loading,
    /// What becomes of a value that does not fit its column's type.
    pub splits: Splits,
    /// What a stream with another key than its table's leads to.
    pub other_key: OtherKey,
    /// What the fields `c-d` and `c@d` are called, where that is one name.
    pub shared_name: Option<&'static str>,
    /// Whether a table has room for a few thousand columns.
    pub wide: bool,
    /// Whether records that came as JSON stay as they were written, so that the text of an instant stays that text.
    pub keeps_json: bool,
}

/// What becomes of the rows that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loading {
    /// Records replace each other by key, and versions replace each other as a whole.
    Upsert,
    /// Every record becomes a row, and rows are never removed.
    Append,
}

/// What becomes of a value that does not fit its column's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Splits {
    /// The column is renamed, and one with the value's own suffix goes beside it.
    Renaming,
    /// A column has one type within a load: its name is for the first, and others go beside it with their suffixes. Other
    /// loads do not matter.
    WithinALoad,
    /// Values keep their types, whatever came before.
    Never,
}

/// What a stream with another key than its table's leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherKey {
    /// Rows are appended from then on.
    Appends,
    /// The table stops with this text until it is reset.
    Stops(&'static str),
}

/// The content of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// In the order of the table.
    pub columns: Vec<String>,
    /// By column; NULL is `None`. Booleans are `true` and `false`, instants read `2024-05-01T08:00:00.25`, and all texts are
    /// [`canonical`].
    pub rows: Vec<Vec<Option<String>>>,
}

/// The text of a value without what says nothing: zeros at the end of a fraction, the `Z` of an instant.
pub fn canonical(text: &str) -> String {
    let bare = text.strip_suffix('Z').unwrap_or(text);
    match bare.rsplit_once('.') {
        Some((whole, digits))
            if whole.ends_with(|last: char| last.is_ascii_digit())
                && !digits.is_empty()
                && digits.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            bare.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ if bare.len() == "2024-05-01T08:00:00".len() => bare.to_owned(),
        _ => text.to_owned(),
    }
}

impl Stored {
    /// The named columns of all rows, joined with `|`, NULL and columns that are not there as `-`; sorted.
    pub fn show(&self, columns: &[&str]) -> Vec<String> {
        let places: Vec<Option<usize>> = columns
            .iter()
            .map(|name| self.columns.iter().position(|column| column == name))
            .collect();
        let cell = |row: &Vec<Option<String>>, place: &Option<usize>| {
            let text = place.and_then(|place| row[place].clone());
            text.unwrap_or_else(|| "-".to_owned())
        };
        let mut rows: Vec<String> = self
            .rows
            .iter()
            .map(|row| {
                let cells: Vec<String> = places.iter().map(|place| cell(row, place)).collect();
                cells.join("|")
            })
            .collect();
        rows.sort();
        rows
    }

    /// The columns that are none of the engine's.
    pub fn data_columns(&self) -> Vec<&str> {
        let own = |name: &&str| !name.starts_with("_sdc_") && *name != "__sdc_primary_key";
        self.columns
            .iter()
            .map(String::as_str)
            .filter(own)
            .collect()
    }
}

/// What was told of a run.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) books: Books,
    pub(crate) subtables: Vec<SubtableReport>,
    pub(crate) notes: Vec<String>,
}

impl Told {
    /// Rows that went in, and rows that lost against others. Whether a row that loses within a load was there first or came
    /// later is the destination's to tell.
    pub(crate) fn won_and_lost(&self) -> (u64, u64) {
        let books = &self.books;
        (books.written, books.superseded + books.older_sequence)
    }

    fn add(&mut self, report: CommitReport) {
        self.books += report.books;
        self.subtables.extend(report.subtables);
        self.notes.extend(report.notes);
    }
}

/// What is to be expected where records replace each other, and where every one of them is kept.
pub(crate) fn expected<T>(subject: &impl Subject, upserting: T, appending: T) -> T {
    match subject.character().loading {
        Loading::Upsert => upserting,
        Loading::Append => appending,
    }
}

/// The named columns of [`TABLE`].
pub(crate) async fn shown(subject: &impl Subject, columns: &[&str]) -> Vec<String> {
    shown_of(subject, TABLE, columns).await
}

pub(crate) async fn shown_of(subject: &impl Subject, table: &str, columns: &[&str]) -> Vec<String> {
    let stored = subject.stored(table).await;
    stored.unwrap_or_default().show(columns)
}

/// Reasons of all rejections; they are of [`TABLE`].
pub(crate) async fn rejections(subject: &impl Subject) -> Vec<String> {
    rejections_of(subject, TABLE).await
}

pub(crate) async fn rejections_of(subject: &impl Subject, table: &str) -> Vec<String> {
    let rejected = subject.stored("_sdc_rejected").await.unwrap_or_default();
    let tables = rejected.show(&["table_name"]);
    // A destination may put the schema before the name.
    assert!(
        tables.iter().all(|name| name.ends_with(table)),
        "{tables:?}"
    );
    rejected.show(&["reason"])
}

/// A merge into [`TABLE`].
pub(crate) fn merge(subject: &impl Subject, key: &[&str]) -> TableTarget {
    TableTarget {
        identity: StreamIdentity {
            source_id: 100_001,
            tap_stream_id: "shop-public-orders".to_owned(),
            epoch: 1,
        },
        schema_name: subject.schema_name(),
        table_name: TABLE.to_owned(),
        schema: StreamSchema::new(Vec::new()),
        key: key.iter().map(|name| (*name).to_owned()).collect(),
        mode: LoadMode::Merge,
        table_version: 0,
    }
}

/// A replacement of [`TABLE`] by the version `version`.
pub(crate) fn replacement(subject: &impl Subject, key: &[&str], version: i64) -> TableTarget {
    TableTarget {
        mode: LoadMode::Replace,
        table_version: version,
        ..merge(subject, key)
    }
}

pub(crate) fn checkpoint(number: i64) -> Checkpoint {
    Checkpoint {
        number,
        position: Some(format!("p{number}")),
    }
}

pub(crate) async fn open(
    subject: &impl Subject,
    target: &TableTarget,
    fence: i64,
) -> Result<Box<dyn TableWriter>, ConnectorError> {
    let context = subject.context(fence);
    subject.destination().open(context, target.clone()).await
}

/// One run: a commit behind each of the groups, then the end. The books account for every record.
pub(crate) async fn run(
    subject: &impl Subject,
    target: &TableTarget,
    commits: Vec<Vec<ShapedBatch>>,
) -> Told {
    let mut told = Told::default();
    let mut records = 0;
    let mut writer = open(subject, target, 1).await.unwrap();
    for (number, batches) in (1..).zip(commits) {
        for batch in batches {
            records += batch.record_count() as u64;
            writer.write(batch).await.unwrap();
        }
        told.add(writer.commit(checkpoint(number)).await.unwrap());
    }
    told.add(writer.finish(checkpoint(99)).await.unwrap());
    assert_eq!(told.books.total(), records, "{:?}", told.books);
    told
}

/// One run with one load.
pub(crate) async fn load(
    subject: &impl Subject,
    target: &TableTarget,
    records: &[(i64, &str)],
) -> Told {
    let batch = json(subject, target, records);
    run(subject, target, vec![vec![batch]]).await
}

/// Records as others push them, each with its sequence; values speak for their types.
pub(crate) fn json(
    subject: &impl Subject,
    target: &TableTarget,
    records: &[(i64, &str)],
) -> ShapedBatch {
    declared(subject, target, &Value::Object(Default::default()), records)
}

/// The same with a JSON Schema.
pub(crate) fn declared(
    subject: &impl Subject,
    target: &TableTarget,
    schema: &Value,
    records: &[(i64, &str)],
) -> ShapedBatch {
    let nesting = subject.destination().nesting();
    let display_name = subject.destination().display_name();
    let mut shaper = JsonShaper::with_schema(nesting, display_name, &target.key, schema);
    let mut sequences = Vec::new();
    for (sequence, record) in records {
        let shaped = shaper.push(record);
        if shaped.unwrap_or_else(|error| panic!("{record}: {error}")) {
            sequences.push(*sequence);
        }
    }
    let instant = Timestamp::from_micros(1_700_000_000_000_000);
    let system = SystemValues {
        extracted_at: Instants::Same(Some(instant)),
        received_at: Instants::Same(Some(instant)),
        batched_at: instant,
        sequences: Sequences::Given {
            each: sequences.into(),
            first_identity: records.first().map_or(0, |(sequence, _)| *sequence),
        },
        table_version: target.table_version,
    };
    shaper.finish(system).unwrap()
}

/// Makes a test of each case of the groups; see [the module](crate::conformance).
#[macro_export]
macro_rules! conformance {
    ($subject:expr; $($group:ident),+ $(,)?) => {
        $($crate::conformance_group!($group, $subject);)+
    };
}

/// The cases of each group.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_group {
    (keyed, $subject:expr) => {
        $crate::conformance_cases!(keyed, $subject;
            the_greatest_sequence_wins_whatever_the_order,
            of_equals_in_one_commit_the_later_wins,
            what_is_stored_wins_against_its_equal,
            a_newer_record_replaces_the_whole_row,
            records_without_a_complete_key_are_dropped_and_counted,
            keys_are_compared_exactly,
            a_load_that_is_repeated_changes_nothing,
            another_key_appends_or_stops_until_a_reset,
        );
    };
    (keyless, $subject:expr) => {
        $crate::conformance_cases!(keyless, $subject;
            records_that_are_alike_are_rows_each,
            what_was_not_committed_is_not_there,
            a_run_goes_on_behind_its_last_commit,
        );
    };
    (replaced, $subject:expr) => {
        $crate::conformance_cases!(replaced, $subject;
            the_new_rows_take_the_place_of_all_others,
            a_replacement_that_is_cut_short_changes_nothing,
            a_first_pass_that_is_cut_short_starts_over,
            a_pass_is_one_load_whatever_is_committed_in_between,
            split_columns_go_with_the_rows_that_split_them,
            no_records_empty_the_table,
        );
    };
    (columns, $subject:expr) => {
        $crate::conformance_cases!(columns, $subject;
            a_column_waits_for_its_first_value_and_comes_last,
            a_field_that_is_absent_is_null,
            records_of_nothing_but_nulls_make_no_table,
            an_integer_widens_its_column_and_beyond_64_bits_is_rejected,
            a_value_of_another_type_splits_its_column_and_later_ones_return,
            a_record_that_needs_a_column_too_many_is_rejected,
        );
    };
    (damaged, $subject:expr) => {
        $crate::conformance_cases!(damaged, $subject;
            a_system_column_that_is_gone_stops_its_table_alone,
            a_column_that_is_gone_comes_again,
            a_table_that_is_gone_comes_again_with_new_rows_only,
            a_table_that_goes_under_a_load_fails_it,
            a_column_that_goes_under_a_load_fails_it,
            a_column_of_another_type_is_taken_as_it_is,
            a_constraint_of_others_fails_a_load_as_a_whole,
            a_table_that_refuses_all_rows_says_so,
            a_view_in_the_place_of_a_table_is_refused,
        );
    };
    (names, $subject:expr) => {
        $crate::conformance_cases!(names, $subject;
            two_fields_of_one_name_reject_the_records_that_have_both,
            names_of_the_engine_are_refused_and_those_of_taps_are_not,
            suffixes_of_splits_are_refused_where_there_are_splits,
            a_table_with_a_name_of_the_engine_takes_no_record,
        );
    };
    (items, $subject:expr) => {
        $crate::conformance_cases!(items, $subject;
            an_array_that_shrinks_leaves_no_item_behind,
            an_older_record_brings_no_item_back,
            of_equals_the_items_of_the_later_are_kept,
            an_empty_array_makes_no_table_and_a_later_item_does,
            items_that_do_not_get_in_keep_out_their_record,
            a_replacement_takes_the_items_along,
            items_without_a_key_are_kept_each,
        );
    };
    (whole, $subject:expr) => {
        $crate::conformance_cases!(whole, $subject;
            objects_and_arrays_stay_as_they_came,
        );
    };
    (values, $subject:expr) => {
        $crate::conformance_cases!(values, $subject;
            values_survive_the_journey,
            texts_survive_the_journey,
        );
    };
    (runs, $subject:expr) => {
        $crate::conformance_cases!(runs, $subject;
            a_late_run_is_refused,
            the_position_of_the_last_commit_is_remembered,
            a_run_without_records_creates_nothing,
        );
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_cases {
    ($group:ident, $subject:expr; $($case:ident),+ $(,)?) => {
        mod $group {
            use super::*;
            $(
                #[tokio::test]
                async fn $case() {
                    $crate::conformance::$group::$case(&$subject).await;
                }
            )+
        }
    };
}
