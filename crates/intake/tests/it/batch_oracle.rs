//! Schemas and records at random: what a library for JSON Schema says about them, and what a batch of them is answered.

use bytes::Bytes;
use proptest::prelude::*;
use selvedge_intake::{Messages, batch};
use serde_json::{Map, Value, json};

const NAMES: [&str; 5] = ["a", "b", "c", "a/~b", "ä\""];

fn number() -> impl Strategy<Value = Value> {
    // No fraction is an integer: what `5.0` is depends on the draft.
    prop_oneof![
        (-3..12_i64).prop_map(Value::from),
        (-3..12_i64).prop_map(|whole| json!(whole as f64 + 0.5)),
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number(),
        prop::sample::select(vec!["", "a", "ab", "abc", "ä", "äöü", "12", "x\"\\\u{1}"])
            .prop_map(Value::from),
    ]
}

fn object(member: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let name = prop::sample::select(NAMES.to_vec());
    prop::collection::vec((name, member), 0..5).prop_map(|members| {
        let named = members.into_iter();
        named
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    })
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            object(inner).prop_map(Value::Object),
        ]
    })
}

fn type_name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "null", "boolean", "integer", "number", "string", "object", "array",
    ])
}

/// A schema that is not made of others.
fn plain_schema() -> impl Strategy<Value = Value> {
    let types =
        prop::sample::subsequence(vec!["null", "integer", "string", "object", "array"], 1..4);
    let required = prop::sample::subsequence(NAMES.to_vec(), 1..3);
    prop_oneof![
        Just(json!({})),
        type_name().prop_map(|name| json!({ "type": name })),
        types.prop_map(|names| json!({ "type": names })),
        (number(), any::<bool>())
            .prop_map(|(limit, open)| json!({ "minimum": limit, "exclusiveMinimum": open })),
        (number(), any::<bool>())
            .prop_map(|(limit, open)| json!({ "maximum": limit, "exclusiveMaximum": open })),
        prop::sample::select(vec![json!(2), json!(0.5), json!(3)])
            .prop_map(|divisor| json!({ "multipleOf": divisor })),
        (0..3_u64).prop_map(|length| json!({ "minLength": length })),
        (0..3_u64).prop_map(|length| json!({ "maxLength": length })),
        prop::sample::select(vec!["^a", "b", r"^\d+$"]).prop_map(|text| json!({ "pattern": text })),
        prop::collection::hash_set(value().prop_map(|value| value.to_string()), 1..4).prop_map(
            |texts| {
                let parsed = texts
                    .iter()
                    .flat_map(|text| serde_json::from_str::<Value>(text));
                json!({ "enum": parsed.collect::<Vec<_>>() })
            }
        ),
        (0..3_u64).prop_map(|count| json!({ "minItems": count })),
        (0..3_u64).prop_map(|count| json!({ "maxItems": count })),
        Just(json!({ "uniqueItems": true })),
        (0..3_u64).prop_map(|count| json!({ "minProperties": count })),
        (0..3_u64).prop_map(|count| json!({ "maxProperties": count })),
        required.prop_map(|names| json!({ "required": names })),
        Just(json!({ "$ref": "#/definitions/list" })),
        Just(json!({ "$ref": "#/definitions/tree" })),
    ]
}

/// Both schemas in one; the second wins where both say something.
fn both(one: Value, other: Value) -> Value {
    match (one, other) {
        (Value::Object(mut one), Value::Object(other)) => {
            one.extend(other);
            // Drafts do not agree about a bound that is open but not there.
            for (bound, open) in [
                ("minimum", "exclusiveMinimum"),
                ("maximum", "exclusiveMaximum"),
            ] {
                if !one.contains_key(bound) {
                    one.remove(open);
                }
            }
            Value::Object(one)
        }
        (one, _) => one,
    }
}

fn schema() -> impl Strategy<Value = Value> {
    plain_schema().prop_recursive(4, 32, 4, |inner| {
        let several = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            object(inner.clone()).prop_map(|members| json!({ "properties": members })),
            (object(inner.clone()), any::<bool>()).prop_map(
                |(members, more)| json!({ "properties": members, "additionalProperties": more })
            ),
            (object(inner.clone()), inner.clone()).prop_map(
                |(members, more)| json!({ "properties": members, "additionalProperties": more })
            ),
            (object(inner.clone()), inner.clone(), any::<bool>()).prop_map(
                |(members, matching, more)| json!({
                    "properties": members, "patternProperties": { "^[ab]": matching },
                    "additionalProperties": more,
                })
            ),
            inner.clone().prop_map(|items| json!({ "items": items })),
            (several.clone(), inner.clone())
                .prop_map(|(items, more)| json!({ "items": items, "additionalItems": more })),
            several
                .clone()
                .prop_map(|items| json!({ "items": items, "additionalItems": false })),
            several
                .clone()
                .prop_map(|members| json!({ "anyOf": members })),
            several
                .clone()
                .prop_map(|members| json!({ "oneOf": members })),
            several.prop_map(|members| json!({ "allOf": members })),
            inner.clone().prop_map(|member| json!({ "not": member })),
            (inner.clone(), inner).prop_map(|(one, other)| both(one, other)),
        ]
    })
}

fn document() -> impl Strategy<Value = Value> {
    schema().prop_map(|schema| {
        let definitions = json!({ "definitions": {
            "list": { "type": ["array", "null"], "items": { "$ref": "#/definitions/list" } },
            "tree": { "anyOf": [
                { "type": "integer" },
                { "type": "object", "additionalProperties": { "$ref": "#/definitions/tree" } },
            ]},
        }});
        both(schema, definitions)
    })
}

fn body(schema: &Value, records: &[Map<String, Value>]) -> String {
    let messages: Vec<Value> = records
        .iter()
        .map(|data| json!({ "action": "upsert", "sequence": 1, "data": data }))
        .collect();
    json!({ "table_name": "t", "schema": schema, "messages": messages }).to_string()
}

proptest! {
    #[test]
    fn random_schemas_judge_random_records_as_a_library_does(
        schema in document(),
        records in prop::collection::vec(object(value()), 1..6),
    ) {
        let validator = jsonschema::draft4::new(&schema).unwrap();
        for record in &records {
            let answer = batch(Bytes::from(body(&schema, std::slice::from_ref(record))));
            let expected = validator.is_valid(&Value::Object(record.clone()));
            if let Err(refusal) = &answer {
                let text = refusal.body.to_string();
                prop_assert!(text.contains("Record 0 did not conform to schema: #"), "{text}");
            }
            prop_assert_eq!(answer.is_ok(), expected, "{} under {}", json!(record), schema);
        }
        let conform = |record: &Map<String, Value>| validator.is_valid(&Value::Object(record.clone()));
        let first = records.iter().position(|record| !conform(record));
        match (batch(Bytes::from(body(&schema, &records))), first) {
            (Ok(intake), None) => prop_assert_eq!(intake.record_count(), records.len() as u64),
            (Err(refusal), Some(index)) => {
                let text = refusal.body.to_string();
                let expected = format!("Record {index} did not conform to schema: #");
                prop_assert!(text.contains(&expected), "{text}");
            }
            (answer, first) => prop_assert!(false, "{answer:?}, but {first:?} does not conform"),
        }
    }

    #[test]
    fn random_damage_is_refused_or_does_no_harm(
        schema in document(),
        records in prop::collection::vec(object(value()), 1..4),
        damage in prop::collection::vec(
            (any::<prop::sample::Index>(), prop::sample::select(b"{}[]\",:\\u0-d8NnIte. \xff\x00".to_vec()), 0..3_u8),
            1..4,
        ),
    ) {
        let mut bytes = body(&schema, &records).into_bytes();
        for (place, byte, kind) in damage {
            let place = place.index(bytes.len());
            match kind {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                _ => bytes.truncate(place.max(1)),
            }
        }
        match batch(Bytes::from(bytes)) {
            Ok(intake) => {
                for part in &intake.parts {
                    let messages = std::str::from_utf8(&part.messages).unwrap();
                    prop_assert!(Messages::new(messages).all(|message| message.is_ok()));
                }
            }
            Err(refusal) => {
                prop_assert_eq!(refusal.status, 400);
                prop_assert!(refusal.body.get("error").is_some_and(Value::is_string));
            }
        }
    }
}
