//! Bodies of push against a slow model, and spoiled ones.

use bytes::Bytes;
use proptest::prelude::*;
use selvedge_intake::{WebhookKind, push, push_transit, webhook};
use serde_json::{Value, json};

use crate::support::{ACCOUNT, changes, json, records, spoiled};

fn record() -> impl Strategy<Value = Value> {
    let data = prop::collection::btree_map("[c-e]{1,2}", json(), 0..4);
    let table = prop_oneof![Just("visits"), Just("rooms"), Just("ta\"ble")];
    let keys = prop_oneof![
        Just(json!(["a"])),
        Just(json!(["a", "b"])),
        Just(json!(["b", "a", "b"]))
    ];
    let version = prop_oneof![4 => Just(Value::Null), 1 => Just(json!(7))];
    (data, table, keys, version, any::<i64>(), any::<bool>()).prop_map(
        |(data, table, keys, version, sequence, keys_first)| {
            let mut fields = json!({"a": sequence % 10, "b": "x"});
            fields.as_object_mut().unwrap().extend(data);
            match keys_first {
                true => json!({
                    "client_id": 4821, "table_name": table, "sequence": sequence, "action": "upsert",
                    "key_names": keys, "table_version": version, "data": fields,
                }),
                false => json!({
                    "data": fields, "table_version": version, "key_names": keys, "action": "upsert",
                    "sequence": sequence, "table_name": table, "client_id": 4821,
                }),
            }
        },
    )
}

fn body() -> impl Strategy<Value = (Vec<Value>, String)> {
    (prop::collection::vec(record(), 1..6), any::<bool>()).prop_map(|(records, pretty)| {
        let text = match pretty {
            true => serde_json::to_string_pretty(&records).unwrap(),
            false => serde_json::to_string(&records).unwrap(),
        };
        (records, text)
    })
}

proptest! {
    #[test]
    fn random_records_are_in_one_part_each_and_tables_keep_their_order((sent, text) in body()) {
        let intake = push(Bytes::from(text), ACCOUNT).unwrap();
        let parts = records(&intake);
        prop_assert_eq!(intake.record_count() as usize, sent.len());
        for (part, records) in intake.parts.iter().zip(&parts) {
            for (table, sequence, data) in records {
                let header = &part.header;
                let original = sent.iter().find(|record| {
                    let mut names: Vec<&str> = record["key_names"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|name| name.as_str().unwrap())
                        .collect();
                    names.sort_unstable();
                    names.dedup();
                    let mut known: Vec<&str> = header.key_names.iter().map(String::as_str).collect();
                    known.sort_unstable();
                    record["table_name"] == **table
                        && record["sequence"] == *sequence
                        && record["table_version"].as_i64() == header.table_version
                        && names == known
                });
                let data: Value = serde_json::from_str(data).unwrap();
                prop_assert_eq!(Some(&data), original.map(|record| &record["data"]));
            }
        }
        for table in ["visits", "rooms", "ta\"ble"] {
            let arrived: Vec<i64> = sent
                .iter()
                .filter(|record| record["table_name"] == table)
                .map(|record| record["sequence"].as_i64().unwrap())
                .collect();
            let kept: Vec<i64> = parts
                .iter()
                .flatten()
                .filter(|record| record.0 == table)
                .map(|record| record.1)
                .collect();
            prop_assert_eq!(kept, arrived, "{}", table);
        }
    }

    #[test]
    fn randomly_spoiled_bodies_are_taken_only_if_they_are_json((_, text) in body(), changes in changes()) {
        let bytes = Bytes::from(spoiled(&text, &changes));
        let parsed = serde_json::from_slice::<serde::de::IgnoredAny>(&bytes);
        match push(bytes.clone(), ACCOUNT) {
            Ok(intake) => {
                prop_assert!(parsed.is_ok(), "{:?}", bytes);
                for (_, _, data) in records(&intake).into_iter().flatten() {
                    prop_assert!(serde_json::from_str::<Value>(&data).unwrap().is_object());
                }
            }
            Err(refusal) => {
                prop_assert!(matches!(refusal.status, 400..=422), "{:?}", refusal);
                prop_assert!(parsed.is_ok() || refusal.status == 400, "{:?}", refusal);
            }
        }
        if let Ok(intake) = push_transit(bytes.clone(), ACCOUNT) {
            records(&intake);
        }
        for kind in [WebhookKind::Generic { key_name: None }, WebhookKind::Segment, WebhookKind::SendGrid] {
            if let Ok(intake) = webhook(bytes.clone(), &kind, i64::MAX - 1) {
                prop_assert!(parsed.is_ok());
                records(&intake);
            }
        }
    }
}
