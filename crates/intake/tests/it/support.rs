//! Bodies to spoil, and what was taken of them.

use proptest::prelude::*;
use selvedge_intake::{Intake, Message, Messages};
use selvedge_types::AccountId;
use serde_json::Value;

pub(crate) const ACCOUNT: AccountId = AccountId(4821);

/// Table, sequence and text of all records, apart by part.
pub(crate) fn records(intake: &Intake) -> Vec<Vec<(String, i64, String)>> {
    intake
        .parts
        .iter()
        .map(|part| {
            let text = std::str::from_utf8(&part.messages).unwrap();
            let records: Vec<_> = Messages::new(text)
                .map(|message| match message.unwrap() {
                    Message::Upsert { sequence, data, .. } => {
                        (part.header.table_name.clone(), sequence, data.to_owned())
                    }
                    Message::ActivateVersion { .. } => panic!("no part is activated"),
                })
                .collect();
            assert_eq!(records.len(), part.record_count as usize);
            records
        })
        .collect()
}

/// JSON values without repeated members.
pub(crate) fn json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9_f64..1e9).prop_map(Value::from),
        "[a-c~^`\\\\\"\\n\\u{1}ü😀]{0,8}".prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c~]{0,5}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A change of one place: where (in thousandths of the text), how many bytes go, what comes instead.
pub(crate) type Change = (usize, usize, String);

pub(crate) fn changes() -> impl Strategy<Value = Vec<Change>> {
    let token = prop_oneof![
        "[\\[\\]{},:\"\\\\~^#0-9eE.+\\- ntfu]{0,3}",
        Just("\"client_id\":4821,".to_owned()),
        Just("\\ud800".to_owned()),
        Just("\"~#cmap\",".to_owned()),
        Just("\"^ \",".to_owned()),
        Just("[[[[".to_owned()),
        Just("ü".to_owned()),
        Just("NaN".to_owned()),
    ];
    prop::collection::vec((0_usize..1_000, 0_usize..6, token), 0..4)
}

/// The body with some places changed, which may not even be UTF-8 any more.
pub(crate) fn spoiled(body: &str, changes: &[Change]) -> Vec<u8> {
    let mut bytes = body.as_bytes().to_vec();
    for (place, gone, token) in changes {
        let start = bytes.len() * place / 1_000;
        let end = (start + gone).min(bytes.len());
        bytes.splice(start..end, token.bytes());
    }
    bytes
}
