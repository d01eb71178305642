//! The documented answers, and the parts of what is taken.

use serde_json::json;

use super::*;
use crate::{Message, Messages, Part, Typing};

const ACCOUNT: AccountId = AccountId(4821);

fn pushed(body: &Value) -> Result<Intake, Refusal> {
    pushed_text(&body.to_string())
}

fn pushed_text(body: &str) -> Result<Intake, Refusal> {
    push(Bytes::copy_from_slice(body.as_bytes()), ACCOUNT)
}

fn refused(body: &str) -> (u16, String) {
    let refusal = pushed_text(body).expect_err(body);
    (refusal.status, refusal.body.to_string())
}

/// A good record with some arguments changed; `null` leaves one out.
fn record(changes: Value) -> Value {
    let mut record = json!({
        "client_id": 4821, "table_name": "visits", "sequence": 1_700_000_000_001_i64,
        "action": "upsert", "key_names": ["visit_id"], "data": {"visit_id": 91, "minutes": 12},
    });
    let members = record.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => members.shift_remove(name),
            value => members.insert(name.clone(), value.clone()),
        };
    }
    record
}

/// The reasons of the 422 to these records.
fn reasons(records: &[Value]) -> Vec<Value> {
    let refusal = pushed(&Value::from(records)).unwrap_err();
    assert_eq!(refusal.status, 422, "{}", refusal.body);
    let members: Vec<&String> = refusal.body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["status", "error", "errors"]);
    assert_eq!(refusal.body["status"], "ERROR");
    assert_eq!(
        refusal.body["error"],
        "Request cannot be processed; see errors."
    );
    let errors = refusal.body["errors"].as_array().unwrap();
    errors.iter().map(|error| error["reason"].clone()).collect()
}

fn reason(changes: Value) -> String {
    let reasons = reasons(&[record(changes)]);
    let [reason] = &reasons[..] else {
        panic!("one record, {reasons:?}");
    };
    reason.to_string()
}

fn texts(part: &Part) -> Vec<String> {
    let text = std::str::from_utf8(&part.messages).unwrap();
    Messages::new(text)
        .map(|message| match message.unwrap() {
            Message::Upsert { sequence, data, .. } => format!("{sequence} {data}"),
            Message::ActivateVersion { .. } => panic!("nobody asked for it"),
        })
        .collect()
}

#[test]
fn records_of_one_table_are_one_part_and_stay_where_they_are() {
    let body = Bytes::from(
        r#" [ {"client_id":4821,"table_name":"visits","sequence":2,"action":"upsert","key_names":["id"],"data":{"id":1, "a":[1.50]}} ,
        {"data":{"id":"x"},"key_names":[ "id" ],"action":"upsert","sequence":-1,"table_name":"visits","client_id":4821,"table_version":null} ] "#,
    );
    let intake = push(body.clone(), ACCOUNT).unwrap();
    let [part] = &intake.parts[..] else {
        panic!("one part");
    };
    assert_eq!(
        texts(part),
        [r#"2 {"id":1, "a":[1.50]}"#, r#"-1 {"id":"x"}"#]
    );
    assert_eq!(part.header.table_name, "visits");
    assert_eq!(part.header.key_names, ["id"]);
    assert_eq!(part.header.table_version, None);
    assert_eq!(part.header.typing, Typing::Value);
    assert_eq!((part.record_count, part.activates), (2, false));
    assert_eq!(
        part.messages.as_ptr(),
        body[3..].as_ptr(),
        "nothing was copied"
    );
}

#[test]
fn records_go_apart_by_table_keys_and_version_in_the_order_of_arrival() {
    let records: Vec<Value> = [
        ("a", json!(["id"]), None, 1),
        ("b", json!(["id"]), None, 2),
        ("a", json!(["id", "id"]), None, 3),
        ("a", json!(["id", "k"]), None, 4),
        ("a", json!(["k", "id"]), None, 5),
        ("b", json!(["id"]), Some(7), 6),
        ("a", json!(["id"]), None, 7),
        ("b", json!(["id"]), Some(7), 8),
    ]
    .into_iter()
    .map(|(table, keys, version, sequence)| {
        record(json!({
            "table_name": table, "key_names": keys, "table_version": version,
            "sequence": sequence, "data": {"id": 1, "k": 2},
        }))
    })
    .collect();
    let intake = pushed(&Value::from(records)).unwrap();
    let parts: Vec<String> = intake
        .parts
        .iter()
        .map(|part| {
            let header = &part.header;
            let sequences: Vec<String> = texts(part)
                .iter()
                .map(|text| text.split(' ').next().unwrap().to_owned())
                .collect();
            assert_eq!(part.record_count as usize, sequences.len());
            format!(
                "{} {:?} {:?} {}",
                header.table_name,
                header.key_names,
                header.table_version,
                sequences.join(",")
            )
        })
        .collect();
    assert_eq!(
        parts,
        [
            r#"a ["id"] None 1,3"#,
            r#"b ["id"] None 2"#,
            r#"a ["id", "k"] None 4,5"#,
            r#"b ["id"] Some(7) 6,8"#,
            r#"a ["id"] None 7"#,
        ]
    );
    assert_eq!(intake.record_count(), 8);
}

#[test]
fn keys_are_looked_for_wherever_they_are_named() {
    let behind = r#"{"client_id":4821,"table_name":"t","sequence":1,"action":"upsert","data":{"k":1},"key_names":["k"]}"#;
    let other = behind.replace("\"k\"", "\"l\"");
    let intake = pushed_text(&format!("[{behind},{other},{behind}]")).unwrap();
    assert_eq!(intake.parts.len(), 3);
    let wrong = behind.replace("[\"k\"]", "[\"l\"]");
    assert_eq!(
        pushed_text(&format!("[{behind},{wrong}]"))
            .unwrap_err()
            .status,
        422
    );
}

#[test]
fn what_is_no_array_of_records_is_told() {
    let expected = r#"{"status":"ERROR","message":"An array of records is expected"}"#;
    for body in [
        "{}",
        " {\"a\":[1]} ",
        "7",
        "\"x\"",
        "null",
        "[]",
        "[ ]",
        "[1]",
        "[[]]",
        "[{},null]",
    ] {
        assert_eq!(refused(body), (400, expected.to_owned()), "{body}");
    }
}

#[test]
fn what_is_no_json_is_told_with_the_place() {
    assert_eq!(
        refused(r#"[{"client_id":1,}]"#),
        (
            400,
            r#"{"status":"ERROR","message":"Malformed json in the body!","error":"a value was expected at byte 16","input":null}"#
                .to_owned()
        )
    );
    let good = record(json!({})).to_string();
    let many = format!("[{}", "1,".repeat(MAX_RECORDS + 1));
    for body in [
        "",
        "[",
        "{",
        "{} x",
        "[{}]]",
        &format!("[{good},]"),
        &format!("[{good}"),
        &format!("[{}]", good.replace("12", "NaN")),
        &format!("[{}]", good.replace("12", "-Infinity")),
        &format!("[{}]", good.replace("minutes", "visit_id")),
        &format!("[{}]", good.replace("action", "client_id")),
        &format!("[{}]", good.replacen('{', "{\"x\":1,\"x\":1,", 1)),
        &format!(
            "[{}]",
            good.replace("12", &format!("{}{}", "[".repeat(129), "]".repeat(129)))
        ),
        &many,
    ] {
        let refusal = pushed_text(body).expect_err(body);
        assert_eq!(refusal.status, 400, "{body}");
        assert_eq!(
            refusal.body["message"], "Malformed json in the body!",
            "{body}"
        );
    }
    let refusal = push(Bytes::from_static(b"[\"\xff\"]"), ACCOUNT).unwrap_err();
    assert_eq!(refusal.body["message"], "Malformed json in the body!");
    let deep = good.replace("12", &format!("{}{}", "[".repeat(128), "]".repeat(128)));
    assert!(pushed_text(&format!("[{deep}]")).is_ok());
}

#[test]
fn twenty_thousand_records_are_enough() {
    let good = record(json!({})).to_string();
    let body = |count: usize| format!("[{}]", vec![good.as_str(); count].join(","));
    assert_eq!(
        pushed_text(&body(MAX_RECORDS)).unwrap().record_count(),
        20_000
    );
    let expected = r#"{"status":"ERROR","message":"Batch cannot contain more than 20000 records"}"#;
    assert_eq!(refused(&body(MAX_RECORDS + 1)), (400, expected.to_owned()));
    let anonymous = vec!["{}"; MAX_RECORDS + 1].join(",");
    assert_eq!(
        refused(&format!("[{anonymous}]")),
        (400, expected.to_owned())
    );
}

#[test]
fn records_have_to_say_whose_they_are() {
    let own = || record(json!({}));
    let foreign = || record(json!({"client_id": 4822}));
    let nobody = || record(json!({"client_id": null, "table_name": ""}));
    let text = || record(json!({"client_id": "4821"}));
    let not_authenticated = r#"{"status":"ERROR","error":"Not Authenticated.","errors":null}"#;
    let forbidden = r#"{"status":"ERROR","error":"Forbidden","errors":{"error":"Access token is not associated with this client."}}"#;
    let several = r#"{"status":"ERROR","error":"Request cannot be processed; see errors.","errors":[{"reason":"The batch contains data points for multiple clients. Only client_id 4821 is allowed"}]}"#;
    for (records, status, expected) in [
        (vec![nobody()], 401, not_authenticated),
        (vec![own(), nobody()], 401, not_authenticated),
        (vec![foreign(), nobody()], 401, not_authenticated),
        (vec![json!({"client_id": null})], 401, not_authenticated),
        (vec![foreign()], 403, forbidden),
        (vec![foreign(), own()], 403, forbidden),
        (vec![text()], 403, forbidden),
        (vec![own(), foreign()], 422, several),
        (vec![record(json!({"action": ""})), foreign()], 422, several),
        (vec![own(), own(), text()], 422, several),
    ] {
        let body = Value::from(records).to_string();
        assert_eq!(refused(&body), (status, expected.to_owned()), "{body}");
    }
}

#[test]
fn arguments_that_are_missing_or_wrong_are_told() {
    for (changes, expected) in [
        (
            json!({"table_name": null}),
            r#"{"table_name":["can't be blank"]}"#,
        ),
        (
            json!({"table_name": " \t"}),
            r#"{"table_name":["can't be blank"]}"#,
        ),
        (
            json!({"table_name": 5}),
            r#"{"table_name":["should be a string"]}"#,
        ),
        (
            json!({"sequence": null}),
            r#"{"sequence":["can't be blank"]}"#,
        ),
        (json!({"action": null}), r#"{"action":["can't be blank"]}"#),
        (
            json!({"action": "delete"}),
            r#"{"action":["should be upsert"]}"#,
        ),
        (
            json!({"action": "activate_version"}),
            r#"{"action":["should be upsert"]}"#,
        ),
        (
            json!({"key_names": null}),
            r#"{"key_names":["can't be blank"]}"#,
        ),
        (
            json!({"key_names": []}),
            r#"{"key_names":["can't be blank"]}"#,
        ),
        (
            json!({"key_names": "visit_id"}),
            r#"{"key_names":["should be an array of strings"]}"#,
        ),
        (
            json!({"key_names": [1]}),
            r#"{"key_names":["should be an array of strings"]}"#,
        ),
        (json!({"data": null}), r#"{"data":["can't be blank"]}"#),
        (json!({"data": {}}), r#"{"data":["can't be blank"]}"#),
        (
            json!({"data": [1]}),
            r#"{"data":["data must be an object"]}"#,
        ),
        (
            json!({"data": "x"}),
            r#"{"data":["data must be an object"]}"#,
        ),
        (
            json!({"data": {"minutes": 1}}),
            r#"{"data":["data must include keys"]}"#,
        ),
        (
            json!({"data": {"visit_id": null}}),
            r#"{"data":["keys cannot not be null in data"]}"#,
        ),
        (
            json!({"key_names": ["visit_id", "day"], "data": {"visit_id": null}}),
            r#"{"data":["data must include keys","keys cannot not be null in data"]}"#,
        ),
        (
            json!({"data": {"visit_id": "x".repeat(1025)}}),
            r#"{"data":["String keys cannot be longer than 1024 characters"]}"#,
        ),
        (
            json!({"key_names": null, "key_properties": ["visit_id"]}),
            r#"{"key_names":["can't be blank"],"key_properties":["unknown key"]}"#,
        ),
        (json!({"foo": {"a": 1}}), r#"{"foo":["unknown key"]}"#),
        (
            json!({"table_version": "1"}),
            r#"{"table_version":["should be an integer","should be a number"]}"#,
        ),
        (
            json!({"sequence": "x", "data": 1, "foo": 1, "table_name": ""}),
            r#"{"table_name":["can't be blank"],"sequence":["should be an integer","should be a number"],"data":["data must be an object"],"foo":["unknown key"]}"#,
        ),
        (
            json!({"data": {"visit_id": 1, "items": vec![0; 10_000]}}),
            r#"{"data":["data cannot contain more than 10000 data points"]}"#,
        ),
    ] {
        assert_eq!(reason(changes.clone()), expected, "{changes}");
    }
    assert!(
        pushed(&json!([record(
            json!({"data": {"visit_id": 1, "items": vec![0; 9_999]}})
        )]))
        .is_ok()
    );
    assert!(
        pushed(&json!([record(
            json!({"data": {"visit_id": "ä".repeat(1024)}})
        )]))
        .is_ok()
    );
}

#[test]
fn sequences_are_integers_of_64_bits() {
    let good = record(json!({})).to_string();
    let with = |sequence: &str| format!("[{}]", good.replace("1700000000001", sequence));
    for sequence in [
        "9223372036854775808",
        "-9223372036854775809",
        "1.0",
        "1e3",
        "true",
        "\"5\"",
        "[]",
    ] {
        let (status, body) = refused(&with(sequence));
        assert_eq!(status, 422, "{sequence}");
        assert_eq!(
            body,
            r#"{"status":"ERROR","error":"Request cannot be processed; see errors.","errors":[{"reason":{"sequence":["should be an integer","should be a number"]}}]}"#
        );
    }
    for sequence in ["9223372036854775807", "-9223372036854775808", "0"] {
        assert!(pushed_text(&with(sequence)).is_ok(), "{sequence}");
    }
}

#[test]
fn a_hundred_offending_records_are_listed_in_their_order() {
    let mut records = vec![record(json!({}))];
    for number in 0..150 {
        records.push(record(json!({format!("x{number}"): 1})));
        records.push(record(json!({})));
    }
    let reasons = reasons(&records);
    assert_eq!(reasons.len(), 100);
    assert_eq!(reasons[0], json!({"x0": ["unknown key"]}));
    assert_eq!(reasons[99], json!({"x99": ["unknown key"]}));
}

#[test]
fn halves_of_surrogate_pairs_are_replaced() {
    let body = r#"[{"client_id":4821,"table_name":"t\ud800","sequence":1,"action":"upsert","key_names":["k\udfff"],"data":{"k\udfff":"\ud83d"}}]"#;
    let intake = pushed_text(body).unwrap();
    let part = &intake.parts[0];
    assert_eq!(part.header.table_name, "t\u{fffd}");
    assert_eq!(part.header.key_names, ["k\u{fffd}"]);
    assert_eq!(texts(part), [r#"1 {"k\ufffd":"\ufffd"}"#]);
}
