//! The documented answers to batches that are not taken, byte for byte.

use bytes::Bytes;
use selvedge_intake::{Intake, Refusal, batch};
use serde_json::json;

fn send(body: &str) -> Result<Intake, Refusal> {
    batch(Bytes::copy_from_slice(body.as_bytes()))
}

fn refusal(body: &str) -> String {
    let refusal = send(body).expect_err(body);
    assert_eq!(refusal.status, 400, "{body}");
    match refusal.body {
        serde_json::Value::Object(mut members) if members.len() == 1 => {
            match members.remove("error") {
                Some(serde_json::Value::String(text)) => text,
                other => panic!("{other:?} is not the text of an error"),
            }
        }
        other => panic!("{other} is not the documented body"),
    }
}

/// A batch of these messages for a table with an integer `id` and a text `name`, keyed by `id`.
fn with_messages(messages: &str) -> String {
    format!(
        r#"{{"table_name":"t","schema":{{"properties":{{"id":{{"type":"integer"}},"name":{{"type":["null","string"]}}}}}},
            "messages":{messages},"key_names":["id"]}}"#
    )
}

/// A batch of this one message.
fn with_message(message: &str) -> String {
    with_messages(&format!("[{message}]"))
}

/// A batch of one keyless record under this schema.
fn with_schema(schema: &str, data: &str) -> String {
    format!(
        r#"{{"table_name":"t","schema":{schema},"messages":[{{"action":"upsert","sequence":1,"data":{data}}}]}}"#
    )
}

#[test]
fn arguments_that_are_missing_or_unknown_are_named() {
    for (body, expected) in [
        (
            r#"{"schema":{},"messages":[]}"#,
            "Request failed validation:#: required key [table_name] not found",
        ),
        (
            r#"{"table_name":"t","messages":[]}"#,
            "Request failed validation:#: required key [schema] not found",
        ),
        (
            r#"{"table_name":"t","schema":{}}"#,
            "Request failed validation:#: required key [messages] not found",
        ),
        (
            r#"{"table_name":"t","schema":{},"messages":[{"action":"upsert","sequence":1,"data":{}}],"foo":1}"#,
            "Request failed validation:#: extraneous key [foo] is not permitted",
        ),
    ] {
        assert_eq!(refusal(body), expected);
    }
}

#[test]
fn arguments_of_a_wrong_type_are_told_in_the_validators_names() {
    let message = r#"{"action":"upsert","sequence":1,"data":{}}"#;
    for (arguments, expected) in [
        (
            r#""table_name":7,"schema":{}"#,
            "#/table_name: expected type: String, found: Integer",
        ),
        (
            r#""table_name":null,"schema":{}"#,
            "#/table_name: expected type: String, found: Null",
        ),
        (
            r#""table_name":"t","schema":[]"#,
            "#/schema: expected type: JSONObject, found: JSONArray",
        ),
        (
            r#""table_name":"t","schema":true"#,
            "#/schema: expected type: JSONObject, found: Boolean",
        ),
        (
            r#""table_name":"t","schema":{},"key_names":null"#,
            "#/key_names: expected type: JSONArray, found: Null",
        ),
        (
            r#""table_name":"t","schema":{},"key_names":"id""#,
            "#/key_names: expected type: JSONArray, found: String",
        ),
        (
            r#""table_name":"t","schema":{},"key_names":["a",2147483648]"#,
            "#/key_names/1: expected type: String, found: Long",
        ),
        (
            r#""table_name":"t","schema":{},"table_version":1.5"#,
            "#/table_version: expected type: Integer, found: BigDecimal",
        ),
        (
            r#""table_name":"t","schema":{},"bookmark_names":{}"#,
            "#/bookmark_names: expected type: JSONArray, found: JSONObject",
        ),
    ] {
        let body = format!(r#"{{{arguments},"messages":[{message}]}}"#);
        let expected = format!("Request failed validation:{expected}");
        assert_eq!(refusal(&body), expected);
    }
    assert_eq!(
        refusal(r#"{"table_name":"t","schema":{},"messages":{}}"#),
        "Request failed validation:#/messages: expected type: JSONArray, found: JSONObject"
    );
    assert_eq!(
        refusal("[]"),
        "Request failed validation:#: expected type: JSONObject, found: JSONArray"
    );
}

#[test]
fn messages_are_counted() {
    let message = r#"{"action":"upsert","sequence":1,"data":{"id":1}}"#;
    let many = |count: usize| with_messages(&format!("[{}]", vec![message; count].join(",")));
    assert_eq!(send(&many(20_000)).unwrap().record_count(), 20_000);
    for (count, expected) in [
        (0, "expected minimum item count: 1, found: 0"),
        (20_001, "expected maximum item count: 20000, found: 20001"),
        (20_017, "expected maximum item count: 20000, found: 20017"),
    ] {
        let expected = format!("Request failed validation:#/messages: {expected}");
        assert_eq!(refusal(&many(count)), expected);
    }
}

#[test]
fn a_message_without_one_of_its_members_matches_no_shape() {
    for (message, missing) in [
        (r#"{"action":"upsert","data":{"id":1}}"#, "sequence"),
        (r#"{"sequence":1,"data":{"id":1}}"#, "action"),
        (r#"{"action":"upsert","sequence":1}"#, "data"),
        (r#"{"action":"activate_version"}"#, "sequence"),
        ("{}", "action"),
    ] {
        let good = r#"{"action":"upsert","sequence":1,"data":{"id":1}}"#;
        let expected = format!(
            "Request failed validation:#/messages/1: #: 0 subschemas matched instead of one \
             #/messages/1: 2 schema violations found #/messages/1: required key [{missing}] not found \
             #/messages/1: extraneous key [data] is not permitted \
             #/messages/1: required key [{missing}] not found"
        );
        assert_eq!(
            refusal(&with_messages(&format!("[{good},{message}]"))),
            expected
        );
    }
}

#[test]
fn members_of_messages_are_looked_at() {
    for (message, expected) in [
        (
            "7",
            "#/messages/0: expected type: JSONObject, found: Integer",
        ),
        (
            r#"{"action":"upsert","sequence":1,"data":{"id":1},"client_id":4}"#,
            "#/messages/0: extraneous key [client_id] is not permitted",
        ),
        (
            r#"{"action":"activate_version","sequence":1,"data":{"id":1}}"#,
            "#/messages/0: extraneous key [data] is not permitted",
        ),
        (
            r#"{"action":"delete","sequence":1,"data":{"id":1}}"#,
            "#/messages/0/action: delete is not a valid enum value",
        ),
        (
            r#"{"action":"upsert","sequence":"1","data":{"id":1}}"#,
            "#/messages/0/sequence: expected type: Integer, found: String",
        ),
        (
            r#"{"action":"upsert","sequence":1.0,"data":{"id":1}}"#,
            "#/messages/0/sequence: expected type: Integer, found: BigDecimal",
        ),
        (
            r#"{"action":"upsert","sequence":1,"data":[]}"#,
            "#/messages/0/data: expected type: JSONObject, found: JSONArray",
        ),
        (
            r#"{"action":"upsert","sequence":9223372036854775808,"data":{"id":1}}"#,
            "#: sequence can not be above 9223372036854775807",
        ),
        (
            r#"{"action":"upsert","sequence":1,"time_extracted":"2020-01-13","data":{"id":1}}"#,
            "#/messages/0/time_extracted: [2020-01-13] is not a valid date-time",
        ),
    ] {
        let expected = format!("Request failed validation:{expected}");
        assert_eq!(refusal(&with_message(message)), expected);
    }
}

#[test]
fn what_is_no_json_is_malformed_and_told_before_anything_else() {
    let malformed = "Malformed json in the body!";
    for body in [
        "",
        "{",
        r#"{"table_name":"t","schema":[],"messages":[}"#,
        r#"{"foo":1,"foo":2}"#,
        r#"{"table_name":"t","schema":{},"messages":[]} x"#,
        r#"{"table_name":"t","schema":{},"messages":[],"messages":[]}"#,
        r#"{"table_name":"t","schema":{"a":1,"a":2},"messages":[]}"#,
    ] {
        assert_eq!(refusal(body), malformed, "{body}");
    }
    for message in [
        r#"{"action":"upsert","sequence":1,"data":{"id":1,"id":1}}"#,
        r#"{"action":"upsert","sequence":1,"data":{"id":1,"x":{"a":1,"\u0061":1}}}"#,
        r#"{"action":"upsert","sequence":1,"sequence":1,"data":{"id":1}}"#,
        r#"{"action":"upsert","sequence":NaN,"data":{"id":1}}"#,
        r#"{"action":"upsert","sequence":1,"data":{"id":1}}}"#,
        r#"{"action":"upsert","sequence":1,"data":{"id":1}},"#,
        r#"{"action":"upsert","sequence":1,"data":{"id":01}}"#,
        r#"{"action":"delete","sequence":1,"data":{"id":1}},{"id":"#,
    ] {
        assert_eq!(refusal(&with_message(message)), malformed, "{message}");
    }
    let not_utf8 = batch(Bytes::from_static(b"{\"table_name\":\"\xff\"}")).unwrap_err();
    assert_eq!(not_utf8.body, json!({ "error": malformed }));
}

#[test]
fn keys_are_properties_of_the_schema() {
    for schema in ["{}", r#"{"properties":{"a":{}}}"#] {
        let body = format!(
            r#"{{"table_name":"t","schema":{schema},"key_names":["a","id","a"],
                "messages":[{{"action":"upsert","sequence":1,"data":{{"a":1,"id":1}}}}]}}"#
        );
        let missing = if schema == "{}" { "a" } else { "id" };
        let expected = format!(
            "Request failed validation:#/key_names: key property [{missing}] not found in schema"
        );
        assert_eq!(refusal(&body), expected);
    }
}

#[test]
fn a_table_has_a_name() {
    for name in ["", "  "] {
        let body = with_schema("{}", "{}").replace(r#""t""#, &format!("\"{name}\""));
        assert_eq!(
            refusal(&body),
            "Request failed validation:#/table_name: expected minLength: 1, actual: 0"
        );
    }
}
