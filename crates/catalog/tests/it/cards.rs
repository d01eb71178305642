//! Report cards of types.

use selvedge_catalog::{Catalog, ConnectionType, Runs};
use serde_json::{Value, json};

fn source(name: &str) -> &'static ConnectionType {
    Catalog::global().source_type(name).unwrap()
}

fn destination(name: &str) -> &'static ConnectionType {
    Catalog::global().destination_type(name).unwrap()
}

fn text(connection_type: &ConnectionType, runs: Runs) -> String {
    serde_json::to_string(&connection_type.type_card(runs)).unwrap()
}

fn card(connection_type: &ConnectionType) -> Value {
    serde_json::to_value(connection_type.type_card(Runs::NotYet)).unwrap()
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn a_source_type_has_the_documented_shape_and_order() {
    assert_eq!(
        text(source("platform.github"), Runs::Singer),
        concat!(
            r#"{"type":"platform.github","current_step":1,"current_step_type":"form","steps":["#,
            r#"{"type":"form","properties":["#,
            r#"{"name":"access_token","is_required":true,"is_credential":true,"system_provided":false,"property_type":"user_provided","json_schema":{"type":"string"},"provided":false,"tap_mutable":false},"#,
            r#"{"name":"anchor_time","is_required":false,"is_credential":false,"system_provided":false,"property_type":"user_provided","json_schema":{"type":"string","format":"date-time"},"provided":false,"tap_mutable":false},"#,
            r#"{"name":"cron_expression","is_required":false,"is_credential":false,"system_provided":false,"property_type":"user_provided","json_schema":null,"provided":false,"tap_mutable":false},"#,
            r#"{"name":"frequency_in_minutes","is_required":false,"is_credential":false,"system_provided":false,"property_type":"user_provided","json_schema":{"type":"string","pattern":"^1$|^30$|^60$|^360$|^720$|^1440$"},"provided":false,"tap_mutable":false},"#,
            r#"{"name":"image_version","is_required":true,"is_credential":false,"system_provided":true,"property_type":"read_only","json_schema":null,"provided":false,"tap_mutable":false},"#,
            r#"{"name":"repository","is_required":true,"is_credential":false,"system_provided":false,"property_type":"user_provided","json_schema":{"type":"string"},"provided":false,"tap_mutable":false},"#,
            r#"{"name":"start_date","is_required":true,"is_credential":false,"system_provided":false,"property_type":"user_provided","json_schema":{"type":"string","pattern":"^\\d{4}-\\d{2}-\\d{2}T00:00:00Z$"},"provided":false,"tap_mutable":false}]},"#,
            r#"{"type":"discover_schema","properties":[]},{"type":"field_selection","properties":[]},{"type":"fully_configured","properties":[]}],"#,
            r#""details":{"pricing_tier":"standard","pipeline_state":"released","default_start_date":"-1 year","default_scheduling_interval":60,"protocol":"platform.github","access":true,"image_version":"1.latest","runs":"singer"},"#,
            r#""upgrade_available":null}"#
        )
    );
}

#[test]
fn a_stub_has_facts_and_no_steps() {
    assert_eq!(
        text(source("salesforce"), Runs::NotYet),
        concat!(
            r#"{"type":"salesforce","details":{"pricing_tier":"standard","pipeline_state":"deprecated","#,
            r#""default_start_date":"-1 year","default_scheduling_interval":30,"protocol":"salesforce","access":false,"#,
            r#""image_version":null,"runs":"not_yet"},"upgrade_available":{"type":"platform.salesforce"}}"#
        )
    );
}

#[test]
fn a_destination_type_has_neither_tap_facts_nor_upgrades() {
    let card = serde_json::to_value(destination("postgres").type_card(Runs::Native)).unwrap();
    assert_eq!(
        keys(&card),
        [
            "type",
            "current_step",
            "current_step_type",
            "steps",
            "details"
        ]
    );
    assert_eq!(
        serde_json::to_string(&card["details"]).unwrap(),
        r#"{"pricing_tier":"standard","pipeline_state":"released","protocol":"postgres","access":true,"runs":"native"}"#
    );
    let form = card["steps"][0]["properties"].as_array().unwrap();
    let names: Vec<_> = form
        .iter()
        .map(|property| property["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "database",
            "encryption_host",
            "encryption_port",
            "encryption_type",
            "encryption_username",
            "host",
            "password",
            "port",
            "ssl",
            "sslrootcert",
            "type_fidelity",
            "username"
        ]
    );
    assert_eq!(
        serde_json::to_string(&form[6]).unwrap(),
        concat!(
            r#"{"name":"password","is_required":true,"is_credential":true,"system_provided":false,"#,
            r#""property_type":"user_provided","json_schema":{"type":"string"},"provided":false}"#
        )
    );
    assert_eq!(
        form[10],
        json!({"name": "type_fidelity", "is_required": false, "is_credential": false, "system_provided": false,
               "property_type": "user_provided_advanced",
               "json_schema": {"type": "string", "pattern": "^(stitch|native)$"}, "provided": false})
    );
}

#[test]
fn a_form_that_asks_for_nothing_is_passed() {
    for (name, step_type) in [
        ("import_api", "fully_configured"),
        ("webhook.incoming-webhook", "fully_configured"),
        ("webhook.aftership", "fully_configured"),
        ("webhook.segment", "oauth"),
    ] {
        let card = card(source(name));
        assert_eq!(card["current_step"], 2, "{name}");
        assert_eq!(card["current_step_type"], step_type, "{name}");
    }
    for name in ["sqlite", "local_files"] {
        let card = card(destination(name));
        assert_eq!(
            (&card["current_step"], &card["current_step_type"]),
            (&json!(2), &json!("fully_configured"))
        );
    }
}

#[test]
fn our_source_needs_a_path() {
    let card = card(source("platform.sqlite"));
    let names: Vec<_> = card["steps"][0]["properties"]
        .as_array()
        .unwrap()
        .iter()
        .map(|property| property["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "anchor_time",
            "cron_expression",
            "frequency_in_minutes",
            "image_version",
            "path"
        ]
    );
    assert_eq!(card["current_step_type"], "form");
    assert_eq!(card["upgrade_available"], Value::Null);
    assert_eq!(
        keys(&card),
        [
            "type",
            "current_step",
            "current_step_type",
            "steps",
            "details",
            "upgrade_available"
        ]
    );
}

#[test]
fn every_type_has_a_consistent_card() {
    let catalog = Catalog::global();
    let sources = catalog.source_types().map(|source| (source, true));
    let destinations = catalog
        .destination_types()
        .map(|destination| (destination, false));
    for (connection_type, is_source) in sources.chain(destinations) {
        let (name, card) = (connection_type.name(), card(connection_type));
        assert_eq!(card["type"], name);
        assert_eq!(card["details"]["runs"], "not_yet", "{name}");
        assert_eq!(card.get("upgrade_available").is_some(), is_source, "{name}");
        if connection_type.is_stub() {
            assert_eq!(keys(&card), ["type", "details", "upgrade_available"]);
            continue;
        }
        let number = card["current_step"].as_u64().unwrap();
        let index = usize::try_from(number).unwrap() - 1;
        assert_eq!(
            card["current_step_type"], card["steps"][index]["type"],
            "{name}"
        );
        for step in card["steps"].as_array().unwrap() {
            assert_eq!(keys(step), ["type", "properties"]);
            for property in step["properties"].as_array().unwrap() {
                let mut expected = vec![
                    "name",
                    "is_required",
                    "is_credential",
                    "system_provided",
                    "property_type",
                    "json_schema",
                    "provided",
                ];
                expected.extend(is_source.then_some("tap_mutable"));
                assert_eq!(keys(property), expected, "{name}");
                assert_eq!(property["provided"], false, "{name}");
            }
        }
    }
}

#[test]
fn what_runs_a_type_is_named() {
    for runs in [Runs::Native, Runs::Singer, Runs::Push, Runs::NotYet] {
        let card = serde_json::to_value(source("import_api").type_card(runs)).unwrap();
        assert_eq!(card["details"]["runs"], runs.as_str());
    }
}
