//! Both served lists as a whole, derived a second time: from the data files as bare JSON, without the crate's own types.

use std::collections::BTreeMap;

use selvedge_catalog::{Catalog, ConnectionType, Runs};
use serde_json::{Map, Value, json};

const SOURCES: &str = include_str!("../../data/source-types.json");
const DESTINATIONS: &str = include_str!("../../data/destination-types.json");
const OWN: &str = include_str!("../../data/own-types.json");

/// Keys of a property, with what a file leaves out.
fn property_card(property: &Value, is_source: bool) -> Value {
    let or = |key: &str, missing: Value| property.get(key).cloned().unwrap_or(missing);
    let mut card = json!({
        "name": property["name"],
        "is_required": or("is_required", json!(false)),
        "is_credential": or("is_credential", json!(false)),
        "system_provided": or("system_provided", json!(false)),
        "property_type": or("property_type", json!("user_provided")),
        "json_schema": or("json_schema", Value::Null),
        "provided": false,
    });
    if is_source {
        card["tap_mutable"] = or("tap_mutable", json!(false));
    }
    card
}

fn details_card(details: &Value, is_source: bool) -> Value {
    let keys: &[&str] = if is_source {
        &[
            "pricing_tier",
            "pipeline_state",
            "default_start_date",
            "default_scheduling_interval",
            "protocol",
            "access",
            "image_version",
        ]
    } else {
        &["pricing_tier", "pipeline_state", "protocol", "access"]
    };
    let mut card: Map<String, Value> = keys
        .iter()
        .map(|key| {
            (
                (*key).to_owned(),
                details.get(*key).cloned().unwrap_or_default(),
            )
        })
        .collect();
    card.insert("runs".to_owned(), json!("not_yet"));
    Value::Object(card)
}

fn type_card(entry: &Value, is_source: bool) -> Value {
    let mut card = Map::new();
    card.insert("type".to_owned(), entry["type"].clone());
    if let Some(steps) = entry.get("steps").and_then(Value::as_array) {
        let steps: Vec<Value> = steps
            .iter()
            .map(|step| {
                let properties = step.get("properties").and_then(Value::as_array);
                let properties: Vec<Value> = properties
                    .into_iter()
                    .flatten()
                    .map(|property| property_card(property, is_source))
                    .collect();
                json!({"type": step["type"], "properties": properties})
            })
            .collect();
        // Nothing is provided, no structure is known, nothing is selected.
        let waits = |step: &Value| match step["type"].as_str().unwrap() {
            "form" | "oauth" => step["properties"]
                .as_array()
                .unwrap()
                .iter()
                .any(|property| property["is_required"] == true),
            _ => true,
        };
        let current = steps.iter().position(waits).unwrap();
        card.insert("current_step".to_owned(), json!(current + 1));
        card.insert(
            "current_step_type".to_owned(),
            steps[current]["type"].clone(),
        );
        card.insert("steps".to_owned(), Value::Array(steps));
    }
    card.insert(
        "details".to_owned(),
        details_card(&entry["details"], is_source),
    );
    if is_source {
        let upgrade = match entry.get("replacement") {
            None | Some(Value::Null) => Value::Null,
            Some(name) => json!({"type": name}),
        };
        card.insert("upgrade_available".to_owned(), upgrade);
    }
    Value::Object(card)
}

/// The list that the files call for: types by name, own ones last, the overlay in place.
fn expected(file: &str, overlay: &Value, is_source: bool) -> Vec<Value> {
    let upstream: Vec<Value> = serde_json::from_str(file).unwrap();
    let mut entries: BTreeMap<String, Value> = upstream
        .into_iter()
        .map(|entry| (entry["type"].as_str().unwrap().to_owned(), entry))
        .collect();
    for name in overlay["offered"].as_array().into_iter().flatten() {
        let entry = entries.get_mut(name.as_str().unwrap()).unwrap();
        entry["replacement"] = Value::Null;
        entry["details"]["pipeline_state"] = json!("released");
        entry["details"]["access"] = json!(true);
    }
    let own = overlay["types"].as_array().unwrap();
    let mut cards: Vec<Value> = entries
        .values()
        .chain(own)
        .map(|entry| type_card(entry, is_source))
        .collect();
    for added in overlay["added_properties"].as_array().into_iter().flatten() {
        let card = cards
            .iter_mut()
            .find(|card| card["type"] == added["type"])
            .unwrap();
        let steps = card["steps"].as_array_mut().unwrap();
        let step = steps
            .iter_mut()
            .find(|step| step["type"] == added["step"])
            .unwrap();
        let properties = step["properties"].as_array_mut().unwrap();
        properties.push(property_card(&added["property"], is_source));
        properties.sort_by_key(|property| property["name"].as_str().unwrap().to_owned());
    }
    cards
}

/// Text against text: the order of keys counts.
fn compare<'a>(types: impl ExactSizeIterator<Item = &'a ConnectionType>, expected: &[Value]) {
    assert_eq!(types.len(), expected.len());
    for (connection_type, expected) in types.zip(expected) {
        let served = serde_json::to_string(&connection_type.type_card(Runs::NotYet)).unwrap();
        assert_eq!(served, expected.to_string());
    }
}

#[test]
fn the_source_list_is_what_the_files_say() {
    let own: Value = serde_json::from_str(OWN).unwrap();
    let expected = expected(SOURCES, &own["sources"], true);
    compare(Catalog::global().source_types(), &expected);
}

#[test]
fn the_destination_list_is_what_the_files_say() {
    let own: Value = serde_json::from_str(OWN).unwrap();
    let expected = expected(DESTINATIONS, &own["destinations"], false);
    compare(Catalog::global().destination_types(), &expected);
}

#[test]
fn schemas_name_one_type_each() {
    // A known client reads `type` and `pattern` as texts.
    let catalog = Catalog::global();
    for connection_type in catalog.source_types().chain(catalog.destination_types()) {
        for property in connection_type.properties() {
            let Some(schema) = property.json_schema() else {
                continue;
            };
            for key in ["type", "pattern", "format"] {
                assert!(
                    schema.get(key).is_none_or(Value::is_string),
                    "{}.{}: {schema}",
                    connection_type.name(),
                    property.name()
                );
            }
        }
    }
}

#[test]
fn a_property_has_one_name_per_type() {
    // Values are kept under their names, whatever the step.
    let catalog = Catalog::global();
    for connection_type in catalog.source_types().chain(catalog.destination_types()) {
        let mut names: Vec<_> = connection_type
            .properties()
            .map(|property| property.name())
            .collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(all, names.len(), "{}", connection_type.name());
    }
}
