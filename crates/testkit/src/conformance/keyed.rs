//! Records with a key: they replace each other by it, or are all kept for readers to choose from.

use selvedge_connector::{ErrorKind, ShapedBatch, StreamIdentity, TableTarget};

use super::{
    Loading, OtherKey, Subject, expected, json, load, merge, open, replacement, run, shown,
};

/// The greatest sequence of a key wins: within a batch, within a load, over loads.
pub async fn the_greatest_sequence_wins_whatever_the_order(subject: &impl Subject) {
    let target = merge(subject, &["id"]);
    let records = [
        (20, r#"{"id":1,"v":"second"}"#),
        (10, r#"{"id":1,"v":"first"}"#),
        (5, r#"{"id":2,"v":"only"}"#),
    ];
    let told = load(subject, &target, &records).await;
    assert_eq!(told.won_and_lost(), expected(subject, (2, 1), (3, 0)));
    let batches = vec![
        json(subject, &target, &[(40, r#"{"id":1,"v":"fourth"}"#)]),
        json(
            subject,
            &target,
            &[
                (30, r#"{"id":1,"v":"third"}"#),
                (3, r#"{"id":2,"v":"old"}"#),
            ],
        ),
    ];
    let told = run(subject, &target, vec![batches]).await;
    assert_eq!(told.won_and_lost(), expected(subject, (1, 2), (3, 0)));
    let all = [
        "1|first|10",
        "1|fourth|40",
        "1|second|20",
        "1|third|30",
        "2|old|3",
        "2|only|5",
    ];
    assert_eq!(
        shown(subject, &["id", "v", "_sdc_sequence"]).await,
        expected(subject, &["1|fourth|40", "2|only|5"][..], &all)
    );
}

/// Rows so wide that they leave gaps in the pages of a server, which may put small rows there that come later. From
/// `first_id` on, with ascending sequences.
fn wide(first_id: i64, first_sequence: i64) -> Vec<(i64, String)> {
    let filling = "w".repeat(1_900);
    (0..40)
        .map(|number| {
            let record = format!(r#"{{"id":{},"v":"{filling}"}}"#, first_id + number);
            (first_sequence + number, record)
        })
        .collect()
}

/// Records of key 1 and one sequence; the last says `last`.
fn tied(sequence: i64, last: &str) -> Vec<(i64, String)> {
    let earlier = (0..20).map(|_| (sequence, r#"{"id":1,"v":"earlier"}"#.to_owned()));
    let last = (sequence, format!(r#"{{"id":1,"v":"{last}"}}"#));
    earlier.chain([last]).collect()
}

/// Of records of one key and one sequence, that a commit makes durable together, the last to come counts; what earlier
/// commits stored stays. In a first load, and in those that follow.
pub async fn of_equals_in_one_commit_the_later_wins(subject: &impl Subject) {
    let target = merge(subject, &["id"]);
    for (round, filler) in [(1, 1_000), (2, 2_000)] {
        let sequence = 10_000 * round;
        let win = format!("wins {round}");
        let commits = [
            vec![wide(filler, filler)],
            vec![wide(filler + 100, filler + 100), tied(sequence, &win)],
            vec![wide(filler + 200, filler + 200), tied(sequence, "too late")],
        ];
        let commits = commits
            .iter()
            .map(|batches| {
                batches
                    .iter()
                    .map(|records| batch(subject, &target, records))
            })
            .map(Iterator::collect)
            .collect();
        let told = run(subject, &target, commits).await;
        let counts = expected(subject, (121, 41), (162, 0));
        assert_eq!(told.won_and_lost(), counts, "round {round}");
        let stored = shown(subject, &["id", "v", "_sdc_sequence"]).await;
        let of_key: Vec<&String> = stored.iter().filter(|row| row.starts_with("1|")).collect();
        match subject.character().loading {
            Loading::Upsert => {
                assert_eq!(of_key, [&format!("1|{win}|{sequence}")], "round {round}");
            }
            Loading::Append => assert_eq!(of_key.len() as i64, 42 * round),
        }
    }
}

pub(super) fn batch(
    subject: &impl Subject,
    target: &TableTarget,
    records: &[(i64, String)],
) -> ShapedBatch {
    let records: Vec<(i64, &str)> = records
        .iter()
        .map(|(sequence, record)| (*sequence, record.as_str()))
        .collect();
    json(subject, target, &records)
}

/// An equal sequence does not replace what an earlier load stored.
pub async fn what_is_stored_wins_against_its_equal(subject: &impl Subject) {
    let target = merge(subject, &["id"]);
    load(subject, &target, &[(7, r#"{"id":1,"v":"stored"}"#)]).await;
    let told = load(subject, &target, &[(7, r#"{"id":1,"v":"equal"}"#)]).await;
    assert_eq!(
        (told.books.written, told.books.older_sequence),
        expected(subject, (0, 1), (1, 0))
    );
    assert_eq!(
        shown(subject, &["id", "v"]).await,
        expected(subject, &["1|stored"][..], &["1|equal", "1|stored"])
    );
}

/// Fields that a newer record lacks are NULL.
pub async fn a_newer_record_replaces_the_whole_row(subject: &impl Subject) {
    let target = merge(subject, &["id"]);
    load(subject, &target, &[(1, r#"{"id":1,"a":"x","b":"y"}"#)]).await;
    load(subject, &target, &[(2, r#"{"id":1,"b":"z"}"#)]).await;
    load(subject, &target, &[(1, r#"{"id":2,"a":"x"}"#)]).await;
    assert_eq!(
        shown(subject, &["id", "a", "b"]).await,
        expected(
            subject,
            &["1|-|z", "2|x|-"][..],
            &["1|-|z", "1|x|y", "2|x|-"]
        )
    );
}

/// A key that is NULL or missing drops its record where keys tell rows apart; an empty text is a key.
pub async fn records_without_a_complete_key_are_dropped_and_counted(subject: &impl Subject) {
    let target = merge(subject, &["a", "b"]);
    let records = [
        (1, r#"{"a":"","b":1,"v":"kept"}"#),
        (2, r#"{"a":null,"b":1,"v":"dropped"}"#),
        (3, r#"{"b":1,"v":"dropped"}"#),
    ];
    let told = load(subject, &target, &records).await;
    assert_eq!(
        (told.books.written, told.books.null_key),
        expected(subject, (1, 2), (3, 0))
    );
    assert_eq!(
        shown(subject, &["a", "b", "v"]).await,
        expected(
            subject,
            &["|1|kept"][..],
            &["-|1|dropped", "-|1|dropped", "|1|kept"]
        )
    );
    assert!(super::rejections(subject).await.is_empty());
}

/// Neither case nor blanks make two keys one.
pub async fn keys_are_compared_exactly(subject: &impl Subject) {
    let target = merge(subject, &["k"]);
    for (round, written) in [(1, 5), (2, 5)] {
        let records = [
            (round, r#"{"k":"a"}"#),
            (round, r#"{"k":"A"}"#),
            (round, r#"{"k":"a "}"#),
            (round, r#"{"k":"\u00e4"}"#),
            (round, r#"{"k":""}"#),
        ];
        let told = load(subject, &target, &records).await;
        assert_eq!(told.books.written, written);
    }
    assert_eq!(
        shown(subject, &["k"]).await,
        expected(
            subject,
            &["", "A", "a", "a ", "ä"][..],
            &["", "", "A", "A", "a", "a", "a ", "a ", "ä", "ä"]
        )
    );
}

/// What is loaded again, because nobody heard of its commit, is there once; where nothing is replaced, readers tell it by its
/// sequence.
pub async fn a_load_that_is_repeated_changes_nothing(subject: &impl Subject) {
    let target = merge(subject, &["id"]);
    let records = [(1, r#"{"id":1,"v":"a"}"#), (2, r#"{"id":2,"v":"b"}"#)];
    load(subject, &target, &records).await;
    let told = load(subject, &target, &records).await;
    assert_eq!(
        (told.books.written, told.books.older_sequence),
        expected(subject, (0, 2), (2, 0))
    );
    assert_eq!(
        shown(subject, &["id", "v", "_sdc_sequence"]).await,
        expected(
            subject,
            &["1|a|1", "2|b|2"][..],
            &["1|a|1", "1|a|1", "2|b|2", "2|b|2"]
        )
    );
}

/// A stream whose key is no longer its table's; a reset, which is a new life and a replacement, cures it.
pub async fn another_key_appends_or_stops_until_a_reset(subject: &impl Subject) {
    load(
        subject,
        &merge(subject, &["id"]),
        &[(1, r#"{"id":1,"b":1}"#)],
    )
    .await;
    let other = merge(subject, &["id", "b"]);
    let record = [(2, r#"{"id":1,"b":1}"#)];
    match subject.character().other_key {
        OtherKey::Appends => {
            for _ in 0..2 {
                load(subject, &other, &record).await;
            }
            let rows = shown(subject, &["id", "b", "_sdc_sequence"]).await;
            assert_eq!(rows, ["1|1|1", "1|1|2", "1|1|2"]);
        }
        OtherKey::Stops(text) => {
            let error = match open(subject, &other, 1).await {
                Ok(mut writer) => {
                    let batch = json(subject, &other, &record);
                    writer.write(batch).await.unwrap_err()
                }
                Err(error) => error,
            };
            assert_eq!(
                (error.kind, error.message.as_str()),
                (ErrorKind::Data, text)
            );
            assert_eq!(shown(subject, &["id", "b"]).await, ["1|1"]);
        }
    }
    let reset = TableTarget {
        identity: StreamIdentity {
            epoch: 2,
            ..other.identity.clone()
        },
        ..replacement(subject, &["id", "b"], 9)
    };
    for sequence in [3, 4] {
        let records = [
            (sequence, r#"{"id":1,"b":1}"#),
            (sequence, r#"{"id":1,"b":2}"#),
        ];
        load(subject, &reset, &records).await;
    }
    let all = [
        "1|1|1", "1|1|2", "1|1|2", "1|1|3", "1|1|4", "1|2|3", "1|2|4",
    ];
    assert_eq!(
        shown(subject, &["id", "b", "_sdc_sequence"]).await,
        expected(subject, &["1|1|4", "1|2|4"][..], &all)
    );
}
