//! Records of batches and the schema that comes with them.

use bytes::Bytes;
use selvedge_intake::{Intake, Message, Messages, Refusal, Typing, batch};

fn send(body: &str) -> Result<Intake, Refusal> {
    batch(Bytes::copy_from_slice(body.as_bytes()))
}

/// A batch of keyless records under this schema.
fn body(schema: &str, records: &[&str]) -> String {
    let messages: Vec<String> = records
        .iter()
        .map(|data| format!(r#"{{"action":"upsert","sequence":1,"data":{data}}}"#))
        .collect();
    let messages = messages.join(",");
    format!(r#"{{"table_name":"t","schema":{schema},"messages":[{messages}]}}"#)
}

fn error(body: &str) -> String {
    let refusal = send(body).expect_err(body);
    assert_eq!(refusal.status, 400, "{body}");
    match refusal.body.get("error") {
        Some(serde_json::Value::String(text)) => text.clone(),
        other => panic!("{other:?} is not the text of an error"),
    }
}

/// What is said about a field `f` that conforms to `schema` in no way.
fn field(schema: &str, value: &str) -> Result<Intake, String> {
    let schema = format!(
        r##"{{"properties":{{"f":{schema}}},"definitions":{{"list":{{"type":"array","items":{{"$ref":"#/definitions/list"}}}}}}}}"##
    );
    let text = body(&schema, &[&format!(r#"{{"f":{value}}}"#)]);
    match send(&text) {
        Ok(intake) => Ok(intake),
        Err(_) => Err(error(&text)
            .strip_prefix("Record 0 did not conform to schema: #/f")
            .unwrap_or_else(|| panic!("{} is another error", error(&text)))
            .to_owned()),
    }
}

#[test]
fn a_batch_is_one_part_that_borrows_the_body() {
    let text = r#" { "messages": [ {"sequence":1,"action":"upsert","data":{"id":1,"x":[1,{"y":"]"}]}},
        {"action":"upsert","data":{"id":2},"sequence":2,"time_extracted":"2020-01-13T21:25:03+0000"},
        {"action":"activate_version","sequence":3} ],
        "bookmark_names": ["at"], "key_names": ["id", "id"], "table_version": 7,
        "schema": { "properties": { "id": {"type": "integer"} } }, "table_name": "parcels" } "#;
    let body = Bytes::copy_from_slice(text.as_bytes());
    let intake = batch(body.clone()).unwrap();
    let [part] = &*intake.parts else {
        panic!("not one part");
    };
    assert_eq!(part.header.table_name, "parcels");
    assert_eq!(part.header.key_names, ["id"]);
    assert_eq!(part.header.table_version, Some(7));
    assert_eq!(part.header.bookmark_names, ["at"]);
    let schema = r#"{"properties":{"id":{"type":"integer"}}}"#;
    assert_eq!(part.header.typing, Typing::Schema(schema.to_owned()));
    assert_eq!((part.record_count, part.activates), (2, true));
    assert!(
        body.as_ptr_range().contains(&part.messages.as_ptr()),
        "the messages were copied"
    );
    let messages = std::str::from_utf8(&part.messages).unwrap();
    let messages: Result<Vec<_>, _> = Messages::new(messages).collect();
    assert_eq!(
        messages.unwrap(),
        [
            Message::Upsert {
                sequence: 1,
                extracted_at: None,
                data: r#"{"id":1,"x":[1,{"y":"]"}]}"#
            },
            Message::Upsert {
                sequence: 2,
                extracted_at: Some(1_578_950_703_000_000),
                data: r#"{"id":2}"#
            },
            Message::ActivateVersion { sequence: 3 },
        ]
    );
}

#[test]
fn the_sample_of_the_documentation_is_accepted() {
    let intake = send(
        r#"{
  "table_name": "parcels",
  "schema": {
    "properties": {
      "parcel_id": {"type": "integer"},
      "label":     {"type": ["null", "string"]},
      "weight_kg": {"type": "number"},
      "sent_at":   {"type": "string", "format": "date-time"}
    }
  },
  "messages": [
    {"action": "upsert", "sequence": 1700000000001,
     "data": {"parcel_id": 7, "label": "blue", "weight_kg": 2.5, "sent_at": "2023-11-14T22:13:20Z"}}
  ],
  "key_names": ["parcel_id"]
}"#,
    );
    assert_eq!(intake.unwrap().record_count(), 1);
}

#[test]
fn the_first_record_that_does_not_conform_is_told_by_its_index() {
    let schema = r#"{"properties":{"id":{"type":"integer"}}}"#;
    let records = [
        r#"{"id":1}"#,
        r#"{"id":2}"#,
        r#"{"id":3}"#,
        r#"{"id":"4"}"#,
        r#"{"id":null}"#,
    ];
    assert_eq!(
        error(&body(schema, &records)),
        "Record 3 did not conform to schema: #/id: expected: Integer, found: String"
    );
}

#[test]
fn types_are_told_in_the_contracts_names() {
    for (schema, value, expected) in [
        (
            r#"{"type":"integer"}"#,
            "5.0",
            "expected: Integer, found: BigDecimal",
        ),
        (
            r#"{"type":"integer"}"#,
            "1e3",
            "expected: Integer, found: BigDecimal",
        ),
        (
            r#"{"type":"integer"}"#,
            "null",
            "expected: Integer, found: Null",
        ),
        (
            r#"{"type":"string"}"#,
            "5",
            "expected: String, found: Integer",
        ),
        (
            r#"{"type":"string"}"#,
            "2147483648",
            "expected: String, found: Long",
        ),
        (
            r#"{"type":"number"}"#,
            "true",
            "expected: Number, found: Boolean",
        ),
        (
            r#"{"type":"boolean"}"#,
            "0",
            "expected: Boolean, found: Integer",
        ),
        (
            r#"{"type":"object"}"#,
            "[]",
            "expected: JSONObject, found: JSONArray",
        ),
        (
            r#"{"type":"array"}"#,
            "{}",
            "expected: JSONArray, found: JSONObject",
        ),
        (r#"{"type":"null"}"#, "1", "expected: Null, found: Integer"),
        (
            r#"{"type":["null","string"]}"#,
            "1",
            "expected: String, found: Integer",
        ),
        (
            r#"{"anyOf":[{"type":"null"},{"type":"string","format":"date-time"}]}"#,
            "1",
            "expected: String, found: Integer",
        ),
    ] {
        assert_eq!(
            field(schema, value).unwrap_err(),
            format!(": {expected}"),
            "{schema}"
        );
    }
    for (schema, value) in [
        (r#"{"type":"number"}"#, "5"),
        (r#"{"type":["null","integer"]}"#, "null"),
        (r#"{"type":"integer"}"#, "-123456789012345678901234567890"),
        ("{}", "[1,null,{}]"),
        ("true", "null"),
    ] {
        assert!(field(schema, value).is_ok(), "{schema}");
    }
}

#[test]
fn each_keyword_is_enforced() {
    for (schema, good, bad, text) in [
        (
            r#"{"minimum":10}"#,
            "10",
            "9.99",
            ": 9.99 is not greater or equal to 10",
        ),
        (
            r#"{"minimum":10,"exclusiveMinimum":true}"#,
            "10.1",
            "10",
            ": 10 is not greater than 10",
        ),
        (
            r#"{"exclusiveMinimum":10}"#,
            "11",
            "10.0",
            ": 10.0 is not greater than 10",
        ),
        (
            r#"{"maximum":10}"#,
            "10",
            "11",
            ": 11 is not less or equal to 10",
        ),
        (
            r#"{"maximum":10,"exclusiveMaximum":true}"#,
            "9",
            "10",
            ": 10 is not less than 10",
        ),
        (
            r#"{"exclusiveMaximum":10}"#,
            "9",
            "1e1",
            ": 1e1 is not less than 10",
        ),
        (
            r#"{"maximum":9007199254740992}"#,
            "9007199254740992",
            "9007199254740993",
            ": 9007199254740993 is not less or equal to 9007199254740992",
        ),
        (
            r#"{"multipleOf":0.01}"#,
            "19.99",
            "0.001",
            ": 0.001 is not a multiple of 0.01",
        ),
        (
            r#"{"minLength":2}"#,
            r#""\u00e4b""#,
            r#""ä""#,
            ": expected minLength: 2, actual: 1",
        ),
        (
            r#"{"maxLength":2}"#,
            r#""ää""#,
            r#""abc""#,
            ": expected maxLength: 2, actual: 3",
        ),
        (
            r#"{"pattern":"^\\d+$"}"#,
            r#""12""#,
            r#""1a""#,
            r": string [1a] does not match pattern ^\d+$",
        ),
        (
            r#"{"format":"date-time"}"#,
            r#""2020-01-13T21:25:03+0000""#,
            r#""2020-01-13T21:25:03""#,
            ": [2020-01-13T21:25:03] is not a valid date-time",
        ),
        (
            r#"{"type":"string","format":"singer.decimal"}"#,
            r#""-1.50e3""#,
            r#""1,5""#,
            ": [1,5] is not a valid singer.decimal",
        ),
        (
            r#"{"format":"singer.decimal"}"#,
            r#""NaN""#,
            r#""""#,
            ": [] is not a valid singer.decimal",
        ),
        (
            r#"{"enum":["a",1,null,[1,{"b":2}]]}"#,
            "1.0",
            r#""b""#,
            ": b is not a valid enum value",
        ),
        (
            r#"{"enum":["a",1,null,[1,{"b":2}]]}"#,
            r#"[ 1e0, {"b":2.0} ]"#,
            "[1]",
            ": JSONArray is not a valid enum value",
        ),
        (
            r#"{"const":{"a":[]}}"#,
            r#"{"a":[]}"#,
            r#"{"a":[0]}"#,
            ": JSONObject is not the value that is permitted",
        ),
        (
            r#"{"minItems":1}"#,
            "[0]",
            "[]",
            ": expected minimum item count: 1, found: 0",
        ),
        (
            r#"{"maxItems":1}"#,
            "[0]",
            "[0,0]",
            ": expected maximum item count: 1, found: 2",
        ),
        (
            r#"{"uniqueItems":true}"#,
            "[1,2]",
            "[1,1.0]",
            ": array items are not unique",
        ),
        (
            r#"{"items":{"type":"integer"}}"#,
            "[1]",
            r#"[1,"2"]"#,
            "/1: expected: Integer, found: String",
        ),
        (
            r#"{"items":[{"type":"integer"}],"additionalItems":{"type":"string"}}"#,
            r#"[1,"2"]"#,
            "[1,2]",
            "/1: expected: String, found: Integer",
        ),
        (
            r#"{"items":[{"type":"integer"}],"additionalItems":false}"#,
            "[1]",
            "[1,2]",
            ": expected: [1] array items, found more",
        ),
        (
            r#"{"required":["a","b"]}"#,
            r#"{"b":1,"a":1}"#,
            r#"{"b":1}"#,
            ": required key [a] not found",
        ),
        (
            r#"{"properties":{"a":{"required":true}}}"#,
            r#"{"a":1}"#,
            "{}",
            ": required key [a] not found",
        ),
        (
            r#"{"minProperties":1}"#,
            r#"{"a":1}"#,
            "{}",
            ": minimum size: [1], found: [0]",
        ),
        (
            r#"{"maxProperties":1}"#,
            r#"{"a":1}"#,
            r#"{"a":1,"b":2}"#,
            ": maximum size: [1], found: [2]",
        ),
        (
            r#"{"properties":{"a":{}},"additionalProperties":false}"#,
            r#"{"a":1}"#,
            r#"{"b":1}"#,
            ": extraneous key [b] is not permitted",
        ),
        (
            r#"{"additionalProperties":{"type":"integer"}}"#,
            r#"{"a":1}"#,
            r#"{"b":"1"}"#,
            "/b: expected: Integer, found: String",
        ),
        (
            r#"{"patternProperties":{"^n_":{"type":"integer"}},"additionalProperties":false}"#,
            r#"{"n_a":1}"#,
            r#"{"n_a":"1"}"#,
            "/n_a: expected: Integer, found: String",
        ),
        (
            r#"{"allOf":[{"minimum":1},{"maximum":3}]}"#,
            "2",
            "4",
            ": 4 is not less or equal to 3",
        ),
        (
            r#"{"anyOf":[{"minimum":5},{"maximum":3}]}"#,
            "2",
            "4",
            ": no subschema matched out of the total 2 subschemas",
        ),
        (
            r#"{"oneOf":[{"minimum":1},{"maximum":3}]}"#,
            "4",
            "2",
            ": 2 subschemas matched instead of one",
        ),
        (
            r#"{"not":{"type":"string"}}"#,
            "2",
            r#""2""#,
            ": subject must not be valid against the schema of not",
        ),
        (
            r##"{"$ref":"#/definitions/list"}"##,
            "[[],[[]]]",
            "[[],[[1]]]",
            "/1/0/0: expected: JSONArray, found: Integer",
        ),
        (
            r#"{"anyOf":[{"type":"array","items":{"type":"integer"}},{"type":"array","items":{"type":"string"}}]}"#,
            r#"["a","b"]"#,
            r#"["a",1]"#,
            ": no subschema matched out of the total 2 subschemas",
        ),
        (
            r#"{"anyOf":[{"type":"null"},{"type":"object","properties":{"x/y~":{"type":"string"}}}]}"#,
            r#"{"x/y~":""}"#,
            r#"{"x/y~":1}"#,
            "/x~1y~0: expected: String, found: Integer",
        ),
        (
            "{\"type\":\"string\",\"format\":\"email\"}",
            r#""no address""#,
            "1",
            ": expected: String, found: Integer",
        ),
    ] {
        assert!(
            field(schema, good).is_ok(),
            "{schema} refused {good}: {:?}",
            field(schema, good).err()
        );
        assert_eq!(field(schema, bad).unwrap_err(), text, "{schema}");
    }
}

#[test]
fn the_next_member_takes_a_string_that_is_no_decimal() {
    let schema = r#"{"anyOf":[{"type":"string","format":"singer.decimal"},{"type":"string","maxLength":3},{"type":"null"}]}"#;
    for value in [r#""1.5""#, r#""abc""#, "null", r#""Infinity""#] {
        assert!(field(schema, value).is_ok(), "{value}");
    }
    assert!(field(schema, r#""abcd""#).is_err());
}

#[test]
fn schemas_that_are_none_are_refused() {
    for (schema, expected) in [
        (
            r#"{"properties":{"a":{"type":"datetime"}}}"#,
            "unknown type: [datetime]",
        ),
        (
            r#"{"properties":{"a":{"type":["null","any"]}}}"#,
            "unknown type: [any]",
        ),
        (
            r#"{"properties":{"a":{"type":5}}}"#,
            "type: expected type: String, found: Integer",
        ),
        (
            r#"{"properties":[]}"#,
            "properties: expected type: JSONObject, found: JSONArray",
        ),
        (
            r#"{"properties":{"a":7}}"#,
            "schema: expected type: JSONObject, found: Integer",
        ),
        (
            r#"{"properties":{"a":{"$ref":"http://example.com/a.json"}}}"#,
            "remote reference [http://example.com/a.json] is not supported",
        ),
        (
            r##"{"properties":{"a":{"$ref":"#/definitions/b"}}}"##,
            "failed to resolve [#/definitions/b]",
        ),
        (
            r##"{"properties":{"a":{"$ref":"#/properties/a"}}}"##,
            "[#/properties/a] refers to itself without end",
        ),
        (
            r##"{"definitions":{"a":{"anyOf":[{"$ref":"#/definitions/a"}]}},"properties":{"a":{"$ref":"#/definitions/a"}}}"##,
            "a schema is made of itself, or of more than 32 others",
        ),
        (
            r#"{"properties":{"a":{"pattern":"("}}}"#,
            "pattern [(] is not supported",
        ),
        (
            r#"{"properties":{"a":{"pattern":"((a{100}){100}){100}"}}}"#,
            "pattern [((a{100}){100}){100}] is not supported",
        ),
        (
            r#"{"properties":{"a":{"multipleOf":0}}}"#,
            "multipleOf: [0] is not supported",
        ),
        (
            r#"{"properties":{"a":{"minLength":-1}}}"#,
            "minLength: [-1] is out of range",
        ),
        (
            r#"{"properties":{"a":{"anyOf":[]}}}"#,
            "anyOf: expected minimum item count: 1, found: 0",
        ),
        (
            r#"{"required":"a"}"#,
            "required: expected type: JSONArray, found: String",
        ),
    ] {
        assert_eq!(
            error(&body(schema, &["{}"])),
            format!("Invalid JSON schema: {expected}")
        );
    }
}

#[test]
fn schemas_are_told_of_after_the_messages_and_before_the_records() {
    let bad_message =
        r#"{"table_name":"t","schema":{"type":"x"},"messages":[{"sequence":1,"data":{}}]}"#;
    assert!(error(bad_message).starts_with("Request failed validation:#/messages/0: "));
    let empty = r#"{"table_name":"t","schema":{"type":"x"},"messages":[]}"#;
    assert!(error(empty).ends_with("expected minimum item count: 1, found: 0"));
    // A message that comes later is told before a record that comes earlier.
    let later = r#"{"table_name":"t","schema":{"properties":{"a":{"type":"null"}}},
        "messages":[{"action":"upsert","sequence":1,"data":{"a":1}},{"action":"upsert","sequence":1}]}"#;
    assert!(error(later).starts_with("Request failed validation:#/messages/1: "));
}

#[test]
fn keys_are_there_and_not_null() {
    let send = |data: &str| {
        let body = body(
            r#"{"properties":{"a":{"type":"integer"},"b":{},"c":{"type":"string"}}}"#,
            &[r#"{"a":1,"b":{},"c":""}"#, data],
        );
        let keyed = body.replacen('{', r#"{"key_names":["c","a","b"],"#, 1);
        send(&keyed).map_err(|_| error(&keyed))
    };
    for (data, missing) in [
        (r#"{"a":1,"b":1}"#, "c"),
        (r#"{"a":null,"b":1,"c":""}"#, "a"),
        (r#"{"a":1,"b":NaN,"c":""}"#, "b"),
        (r#"{"x":{"c":"","a":1,"b":1}}"#, "c"),
        (r#"{"a":1,"b":-Infinity,"c":""}"#, "b"),
    ] {
        let expected = format!("Record is missing key property {missing}");
        assert_eq!(send(data).unwrap_err(), expected, "{data}");
    }
    assert!(send(r#"{"\u0061":1,"b":[],"c":"x"}"#).is_ok());
    let long = |count: usize| format!(r#"{{"a":1,"b":false,"c":"{}"}}"#, "ä".repeat(count));
    assert!(send(&long(1024)).is_ok());
    assert_eq!(
        send(&long(1025)).unwrap_err(),
        "String keys cannot be longer than 1024 characters"
    );
}

#[test]
fn data_points_and_depth_are_limited() {
    let wide = |count: usize| format!(r#"{{"a":[{}]}}"#, vec!["0"; count].join(","));
    for schema in [
        "{}",
        r#"{"properties":{"a":{"items":{"anyOf":[{"maximum":1},{"minimum":1}]}}}}"#,
    ] {
        assert!(send(&body(schema, &[&wide(10_000)])).is_ok());
        let records = ["{}", &wide(10_001)];
        assert_eq!(
            error(&body(schema, &records)),
            "Record 1 has more than 10000 data points"
        );
    }
    let deep = |levels: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
    let recursive = r##"{"definitions":{"l":{"anyOf":[{"type":"null"},{"type":"array","items":{"$ref":"#/definitions/l"}}]}},"properties":{"a":{"$ref":"#/definitions/l"}}}"##;
    for schema in ["{}", recursive] {
        assert!(send(&body(schema, &[&deep(128)])).is_ok(), "{schema}");
        assert_eq!(
            error(&body(schema, &[&deep(129)])),
            "Request failed validation:#: objects and arrays are nested more than 128 deep"
        );
    }
}

#[test]
fn a_schema_that_leaves_too_many_choices_is_refused_in_time() {
    let schema = r##"{"definitions":{"l":{"anyOf":[
        {"items":{"$ref":"#/definitions/l"},"maxItems":1},{"items":{"$ref":"#/definitions/l"}}]}},
        "properties":{"a":{"$ref":"#/definitions/l"}}}"##;
    let nested = format!(
        r#"{{"a":{}[1,{{"b":1,"c":2}}]{}}}"#,
        "[".repeat(60),
        "]".repeat(60)
    );
    let unfit = schema
        .replacen(r#""maxItems":1"#, r#""minItems":3"#, 1)
        .replacen("]}}", r#"],"not":{"minItems":2}}}"#, 1);
    assert_eq!(
        error(&body(&unfit, &[&nested])),
        "Invalid JSON schema: checking the records against it takes too long"
    );
}

#[test]
fn words_that_are_no_numbers_are_null_whatever_the_type() {
    let schema = r#"{"properties":{"a":{"type":"string","minLength":3},"b":{"anyOf":[{"type":"integer"}]}}}"#;
    for data in [r#"{"a":NaN}"#, r#"{"b":Infinity}"#, r#"{"c":[-Infinity]}"#] {
        assert!(send(&body(schema, &[data])).is_ok(), "{data}");
    }
}

#[test]
fn half_pairs_become_replacement_characters() {
    let intake = send(&body(
        r#"{"title":"\udc00"}"#,
        &[r#"{"a":"\ud800 \ud83d\ude00"}"#],
    ))
    .unwrap();
    let part = &intake.parts[0];
    assert_eq!(
        part.header.typing,
        Typing::Schema(r#"{"title":"\ufffd"}"#.to_owned())
    );
    assert!(
        part.messages
            .ends_with(br#""data":{"a":"\ufffd \ud83d\ude00"}}"#)
    );
    // What is the same then is repeated.
    let repeated = body("{}", &[r#"{"\ud800":1,"\udfff":1}"#]);
    assert_eq!(error(&repeated), "Malformed json in the body!");
}

#[test]
fn members_may_come_in_any_order_and_spelling() {
    let schema = r#"{"properties":{"a":{"type":"integer"},"b":{"type":"string"},"ü\"":{"type":"null"},"c":{"type":"boolean"},"d":{},"e":{"type":"integer"}},"additionalProperties":false}"#;
    for data in [
        r#"{"a":1,"b":"","ü\"":null,"c":true,"d":[],"e":5}"#,
        r#"{"e":5,"d":[],"c":true,"\u00fc\u0022":null,"b":"","\u0061":1}"#,
        r#"{ "a" : 1 , "e" : 5 }"#,
    ] {
        assert!(send(&body(schema, &[data])).is_ok(), "{data}");
    }
    for data in [r#"{"a":1,"\u0061":1}"#, r#"{"e":1,"a":1,"e":1}"#] {
        assert_eq!(error(&body(schema, &[data])), "Malformed json in the body!");
    }
}

#[test]
fn wide_records_are_checked_like_narrow_ones() {
    let names: Vec<String> = (0..200).map(|number| format!("column_{number}")).collect();
    let properties: Vec<String> = names
        .iter()
        .map(|name| format!(r#""{name}":{{"type":"integer"}}"#))
        .collect();
    let required = format!("\"{}\"", names.join("\",\""));
    let schema = format!(
        r#"{{"properties":{{{}}},"required":[{required}]}}"#,
        properties.join(",")
    );
    let record = |names: &[String]| {
        let members: Vec<String> = names.iter().map(|name| format!(r#""{name}":1"#)).collect();
        format!("{{{}}}", members.join(","))
    };
    assert!(send(&body(&schema, &[&record(&names)])).is_ok());
    let mut reversed = names.clone();
    reversed.reverse();
    assert!(send(&body(&schema, &[&record(&reversed)])).is_ok());
    reversed.remove(50);
    assert_eq!(
        error(&body(&schema, &[&record(&reversed)])),
        "Record 0 did not conform to schema: #: required key [column_149] not found"
    );
    reversed.push("column_3".to_owned());
    assert_eq!(
        error(&body(&schema, &[&record(&reversed)])),
        "Malformed json in the body!"
    );
}

#[test]
fn arguments_may_come_in_any_order() {
    let members = [
        r#""table_name":"t""#,
        r#""schema":{"properties":{"id":{"type":"integer"}}}"#,
        r#""key_names":["id"]"#,
        r#""messages":[{"action":"upsert","sequence":1,"data":{"id":1,"x":"]"}},{"action":"upsert","sequence":1,"data":{"id":DATA}}]"#,
    ];
    for first in 0..4 {
        for swap in 0..3 {
            let mut order: Vec<&str> = (0..4).map(|place| members[(first + place) % 4]).collect();
            order.swap(swap, swap + 1);
            let body = format!("{{{}}}", order.join(","));
            assert!(send(&body.replace("DATA", "2")).is_ok(), "{body}");
            let missing = error(&body.replace("DATA", "null"));
            assert_eq!(missing, "Record is missing key property id", "{body}");
        }
    }
}

#[test]
fn keys_may_be_members_that_a_referenced_schema_does_not_declare() {
    let body = r##"{"table_name":"t","key_names":["id"],
        "schema":{"$ref":"#/definitions/row","properties":{"id":{}},"definitions":{"row":{"type":"object"}}},
        "messages":[{"action":"upsert","sequence":1,"data":{"id":1}},{"action":"upsert","sequence":2,"data":{"id":KEY}}]}"##;
    assert!(send(&body.replace("KEY", "2")).is_ok());
    assert_eq!(
        error(&body.replace("KEY", "null")),
        "Record is missing key property id"
    );
}
