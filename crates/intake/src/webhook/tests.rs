//! What is posted, and what becomes of it.

use serde_json::{Value, json};

use super::*;
use crate::{Message, Messages};

fn posted(body: &str, kind: &WebhookKind) -> Result<Intake, Refusal> {
    webhook(Bytes::copy_from_slice(body.as_bytes()), kind, 1_000)
}

fn generic(key_name: Option<&str>) -> WebhookKind {
    WebhookKind::Generic {
        key_name: key_name.map(str::to_owned),
    }
}

/// `table [keys] sequence data`, one line for each record.
fn lines(intake: &Intake) -> Vec<String> {
    let mut lines = Vec::new();
    for part in &intake.parts {
        let header = &part.header;
        assert_eq!(
            (header.table_version, &header.typing),
            (None, &Typing::Value)
        );
        let text = std::str::from_utf8(&part.messages).unwrap();
        let before = lines.len();
        for message in Messages::new(text) {
            let Message::Upsert { sequence, data, .. } = message.unwrap() else {
                panic!("nobody asked for it");
            };
            let keys = header.key_names.join(",");
            lines.push(format!("{} [{keys}] {sequence} {data}", header.table_name));
        }
        assert_eq!(lines.len() - before, part.record_count as usize);
    }
    lines
}

#[test]
fn an_object_is_a_record_and_an_array_of_objects_several() {
    let intake = posted(r#" {"a": [1, {"b": 2}]} "#, &generic(None)).unwrap();
    assert_eq!(lines(&intake), [r#"data [] 1000 {"a": [1, {"b": 2}]}"#]);
    let intake = posted(r#"[{"a":1},{"a":2},{}]"#, &generic(None)).unwrap();
    assert_eq!(
        lines(&intake),
        [
            r#"data [] 1000 {"a":1}"#,
            r#"data [] 1001 {"a":2}"#,
            "data [] 1002 {}",
        ]
    );
    assert_eq!(intake.dropped_count, 0);
}

#[test]
fn records_without_their_key_are_dropped_and_counted() {
    let body = r#"[{"id":1},{"id":null},{"x":{"id":1}},{"id":""}]"#;
    let intake = posted(body, &generic(Some("id"))).unwrap();
    assert_eq!(
        lines(&intake),
        [r#"data [id] 1000 {"id":1}"#, r#"data [id] 1003 {"id":""}"#]
    );
    assert_eq!((intake.record_count(), intake.dropped_count), (2, 2));
    let intake = posted("{}", &generic(Some("id"))).unwrap();
    assert!(intake.parts.is_empty());
    assert_eq!(intake.dropped_count, 1);
}

#[test]
fn what_no_record_may_be_is_refused() {
    let status = |body: &str| posted(body, &generic(Some("id"))).unwrap_err();
    for body in ["7", "\"x\"", "null", "[]", "[1]", "[{\"id\":1},[]]"] {
        let expected =
            json!({"status": "ERROR", "message": "An object or an array of objects is expected"});
        assert_eq!(status(body), Refusal::new(400, expected), "{body}");
    }
    for body in [
        "",
        "{",
        "[{}",
        "{\"a\":NaN}",
        "{\"a\":1,\"a\":1}",
        "{} {}",
        "nope",
    ] {
        let refusal = status(body);
        assert_eq!(refusal.status, 400);
        assert_eq!(
            refusal.body["message"], "Malformed json in the body!",
            "{body}"
        );
        assert_eq!(refusal.body["input"], Value::Null);
    }
    let many = format!("[{}]", vec!["{\"id\":1}"; MAX_RECORDS + 1].join(","));
    assert_eq!(status(&many).body["message"], TOO_MANY_RECORDS);
    let wide = json!({"id": 1, "items": vec![0; 10_000]}).to_string();
    assert_eq!(status(&wide).body["message"], TOO_MANY_DATA_POINTS);
    let long = json!({"id": "x".repeat(1025)}).to_string();
    assert_eq!(status(&long).body["message"], KEY_TOO_LONG);
    let deep = format!("{{\"id\":{}{}}}", "[".repeat(129), "]".repeat(129));
    assert_eq!(status(&deep).status, 400);
}

#[test]
fn calls_of_segment_go_to_their_tables() {
    let body = r#"[
        {"type":"track","messageId":"m1","userId":7,"properties":{"orderId":1}},
        {"type":"identify","messageId":"m2"},
        {"type":"alias","messageId":"m3"},
        {"type":"track","message_id":"m4"},
        {"type":"track","messageId":null},
        {"type":5,"messageId":"m6"}
    ]"#;
    let intake = posted(body, &WebhookKind::Segment).unwrap();
    assert_eq!(
        lines(&intake),
        [
            r#"track [message_id] 1000 {"type":"track","message_id":"m1","user_id":7,"properties":{"orderId":1}}"#,
            r#"track [message_id] 1003 {"type":"track","message_id":"m4"}"#,
            r#"identify [message_id] 1001 {"type":"identify","message_id":"m2"}"#,
            r#"data [message_id] 1002 {"type":"alias","message_id":"m3"}"#,
            r#"data [message_id] 1005 {"type":5,"message_id":"m6"}"#,
        ]
    );
    assert_eq!(intake.dropped_count, 1);
}

#[test]
fn events_of_sendgrid_have_a_key_of_three_fields() {
    let body = r#"[
        {"event":"open","email":"a@example.com","timestamp":1513299569,"smtp-id":"<x>","category":["c"]},
        {"event":"open","email":"a@example.com"}
    ]"#;
    let intake = posted(body, &WebhookKind::SendGrid).unwrap();
    assert_eq!(
        lines(&intake),
        [
            r#"events [event,email,timestamp] 1000 {"event":"open","email":"a@example.com","timestamp":1513299569,"smtp_id":"<x>","category":["c"]}"#
        ]
    );
    assert_eq!(intake.dropped_count, 1);
}

#[test]
fn events_of_customer_io_go_by_their_id() {
    let intake = posted(
        r#"{"event_id":"e","data":{"x":"\ud800"}}"#,
        &WebhookKind::CustomerIo,
    )
    .unwrap();
    assert_eq!(
        lines(&intake),
        [r#"data [event_id] 1000 {"event_id":"e","data":{"x":"\ufffd"}}"#]
    );
}
