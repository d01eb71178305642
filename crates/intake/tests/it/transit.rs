//! What a writer of Transit writes, read.

use bytes::Bytes;
use proptest::prelude::*;
use selvedge_intake::{Typing, push_transit};
use serde_json::Value;

use crate::support::{ACCOUNT, changes, records, spoiled};
use crate::transit_writer::{Model, Name, Writer, expected};

fn name() -> impl Strategy<Value = Name> {
    prop_oneof![
        "[a-d~^`\"ü😀]{0,6}".prop_map(Name::Text),
        "[a-d/]{1,6}".prop_map(Name::Keyword),
        any::<i64>().prop_map(Name::Integer),
    ]
}

fn model() -> impl Strategy<Value = Model> {
    let scalar = prop_oneof![
        Just(Model::Null),
        any::<bool>().prop_map(Model::Boolean),
        any::<i64>().prop_map(Model::Integer),
        (u128::from(u64::MAX)..u128::MAX).prop_map(Model::Huge),
        (-1e9_f64..1e9).prop_map(Model::Double),
        (any::<i64>(), 0_u32..40).prop_map(|(digits, scale)| Model::Decimal(digits, scale)),
        (-62_135_596_800_000_i64..253_402_300_799_999).prop_map(Model::Instant),
        "[a-d~^`#: \"\\\\\\n\\u{1}ü😀]{0,8}".prop_map(Model::Text),
        "[a-d~/]{1,6}".prop_map(Model::Keyword),
        "[a-d/]{1,6}".prop_map(Model::Symbol),
    ];
    scalar.prop_recursive(4, 40, 5, |inner| {
        let items = || prop::collection::vec(inner.clone(), 0..5);
        let members = || {
            prop::collection::vec((name(), inner.clone()), 0..5).prop_map(|mut members| {
                let mut known = std::collections::HashSet::new();
                members.retain(|(name, _)| known.insert(name.text()));
                members
            })
        };
        prop_oneof![
            items().prop_map(Model::Array),
            items().prop_map(Model::List),
            items().prop_map(Model::Set),
            members().prop_map(Model::Map),
            members().prop_map(Model::Composite),
        ]
    })
}

/// A record with this value.
fn record(value: Model) -> Model {
    let keyword = |name: &str| Name::Keyword(name.to_owned());
    let text = |text: &str| Model::Text(text.to_owned());
    let data = vec![
        (Name::Text("id".to_owned()), Model::Integer(1)),
        (keyword("value"), value),
    ];
    Model::Map(vec![
        (keyword("client_id"), Model::Integer(ACCOUNT.0)),
        (keyword("table_name"), text("~visits")),
        (keyword("sequence"), Model::Integer(i64::MAX)),
        (keyword("action"), Model::Keyword("upsert".to_owned())),
        (keyword("key_names"), Model::Set(vec![text("id")])),
        (keyword("data"), Model::Map(data)),
    ])
}

/// The values of the records that were read.
fn read(text: String) -> Vec<Value> {
    let intake = push_transit(Bytes::from(text), ACCOUNT).unwrap();
    let records = records(&intake).into_iter().flatten();
    assert_eq!(intake.parts[0].header.typing, Typing::Tag);
    records
        .map(|(table, sequence, data)| {
            assert_eq!((table.as_str(), sequence), ("~visits", i64::MAX));
            let data: Value = serde_json::from_str(&data).unwrap();
            data["value"].clone()
        })
        .collect()
}

proptest! {
    #[test]
    fn random_values_are_read_as_they_were_written(values in prop::collection::vec(model(), 1..4), compact in any::<bool>()) {
        let body = Model::Array(values.iter().cloned().map(record).collect());
        let text = Writer::new(compact).value(body).to_string();
        let values: Vec<Value> = values.iter().map(expected).collect();
        prop_assert_eq!(read(text), values);
    }

    #[test]
    fn randomly_spoiled_transit_ends_in_an_answer(value in model(), compact in any::<bool>(), changes in changes()) {
        let body = Model::Array(vec![record(value)]);
        let text = Writer::new(compact).value(body).to_string();
        match push_transit(Bytes::from(spoiled(&text, &changes)), ACCOUNT) {
            Ok(intake) => drop(records(&intake)),
            Err(refusal) => prop_assert!(matches!(refusal.status, 400..=422), "{:?}", refusal),
        }
    }
}

#[test]
fn codes_are_understood_however_often_the_cache_begins_anew() {
    let mut number = 1_u64;
    let keywords: Vec<Model> = (0..20_000)
        .map(|_| {
            number = number
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            Model::Keyword(format!("keyword {}", (number >> 33) % 2_500))
        })
        .collect();
    let all = Model::Array(keywords);
    let body = Model::Array(vec![
        record(Model::Array(vec![Model::Null])),
        record(all.clone()),
    ]);
    let text = Writer::new(true).value(body).to_string();
    assert!(text.contains("\"^["), "the last of the codes are in use");
    // More values than a record may have: what is read is told all the same.
    let refusal = push_transit(Bytes::from(text), ACCOUNT).unwrap_err();
    assert_eq!(refusal.status, 422, "{}", refusal.body);
    let Model::Array(keywords) = all else {
        unreachable!("it was made above");
    };
    for half in keywords.chunks(9_000) {
        let half = Model::Array(half.to_vec());
        let body = Model::Array(vec![record(half.clone())]);
        let text = Writer::new(true).value(body).to_string();
        assert_eq!(read(text), [expected(&half)]);
    }
}
