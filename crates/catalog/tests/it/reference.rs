//! The reference says what the types do.

use std::collections::BTreeSet;

use selvedge_catalog::reference::{Reference, ReferenceProperty};
use selvedge_catalog::{
    Catalog, ConnectionKind, ConnectionType, PropertyType, Runs, SetupFacts, StepType,
    StoredProperties,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

fn reference() -> Reference {
    Reference::new(Catalog::global(), |connection_type| {
        if connection_type.name().contains("postgres") {
            Runs::Native
        } else {
            Runs::NotYet
        }
    })
}

fn connection_type(kind: ConnectionKind, name: &str) -> &'static ConnectionType {
    let found = match kind {
        ConnectionKind::Source => Catalog::global().source_type(name),
        ConnectionKind::Destination => Catalog::global().destination_type(name),
    };
    found.unwrap_or_else(|| panic!("no type {name}"))
}

fn properties(body: &Value) -> &Map<String, Value> {
    body["properties"].as_object().unwrap()
}

#[test]
fn every_documented_connection_is_listed_once_and_our_own_come_last() {
    let reference = reference();
    let (listed, beyond): (Vec<_>, Vec<_>) = reference
        .connections()
        .iter()
        .partition(|connection| connection.listed);
    assert_eq!(listed.len(), 173);
    let unsupported = listed
        .iter()
        .filter(|connection| !connection.is_supported())
        .count();
    assert_eq!(unsupported, 21);
    let titles: Vec<_> = listed.iter().map(|c| c.title().to_lowercase()).collect();
    assert!(titles.iter().collect::<BTreeSet<_>>().len() >= 171);
    let names: Vec<_> = listed
        .iter()
        .map(|c| c.display_name.to_lowercase())
        .collect();
    assert!(names.is_sorted());
    let beyond: Vec<_> = beyond.iter().filter_map(|c| c.property).collect();
    assert_eq!(
        beyond,
        [
            "import_api",
            "platform.cloudsql_pg",
            "platform.marketo",
            "platform.mysql",
            "platform.zoom",
            "local_files",
            "sqlite",
            "platform.sqlite",
        ]
    );
}

#[test]
fn every_connection_property_leads_to_its_object_and_every_object_has_a_connection() {
    let reference = reference();
    let mut linked = BTreeSet::new();
    for connection in reference.connections() {
        let Some(property) = connection.property else {
            continue;
        };
        let object = reference
            .object(property)
            .unwrap_or_else(|| panic!("{property} leads nowhere"));
        assert_eq!(
            object.connection_type, connection.connection_type,
            "{property}"
        );
        assert_eq!(object.availability.runs, connection.runs, "{property}");
        linked.insert(property);
    }
    let objects: BTreeSet<_> = reference
        .objects()
        .iter()
        .map(|object| object.property)
        .collect();
    assert_eq!(objects, linked);
    // 11 documented destinations and 131 sources, and our own three.
    assert_eq!(reference.objects().len(), 142 + 3, "anchors are unique");
}

#[test]
fn objects_have_the_properties_of_their_types() {
    for object in reference().objects() {
        let connection_type = connection_type(object.connection_type, object.property);
        for (step_type, shown) in [
            (StepType::Form, &object.form),
            (StepType::Oauth, &object.oauth),
        ] {
            let step = connection_type
                .steps()
                .iter()
                .find(|step| step.step_type() == step_type);
            let mut asked: Vec<_> = step
                .map_or(&[][..], |step| step.properties())
                .iter()
                .collect();
            asked.sort_by_key(|property| property.name());
            assert_eq!(shown.len(), asked.len(), "{}", object.property);
            for (shown, asked) in shown.iter().zip(asked) {
                assert_eq!(shown.name, asked.name());
                assert_eq!(shown.required, asked.is_required());
                assert_eq!(shown.credential, asked.is_credential());
                assert_eq!(
                    shown.read_only,
                    asked.property_type() == PropertyType::ReadOnly
                );
                assert_eq!(shown.json_schema, asked.json_schema());
            }
        }
        let access = object.availability.access;
        assert_eq!(object.sample.is_some(), access, "{}", object.property);
        assert_eq!(
            object.oauth_sample.is_some(),
            access && !object.oauth.is_empty()
        );
    }
}

#[test]
fn samples_are_accepted_and_complete_what_they_are_about() {
    for object in reference().objects() {
        let connection_type = connection_type(object.connection_type, object.property);
        let samples = [
            object.sample.as_ref().map(|s| (s, false)),
            object.oauth_sample.as_ref().map(|s| (s, true)),
        ];
        for (sample, with_oauth) in samples.into_iter().flatten() {
            assert_eq!(sample.body["type"], object.property);
            let sent = properties(&sample.body);
            for name in sent.keys() {
                let property = connection_type.property(name).unwrap();
                assert_ne!(
                    property.property_type(),
                    PropertyType::ReadOnly,
                    "{}.{name}",
                    object.property
                );
            }
            let change = connection_type
                .validate_create(sent, Uuid::nil())
                .unwrap_or_else(|bad| panic!("{}: {:?} of {sent:#?}", object.property, bad.names));
            let names = change.credentials.names().map(str::to_owned).collect();
            let stored = StoredProperties {
                plain: &change.plain,
                credential_names: &names,
            };
            let state = connection_type.setup_state(stored, SetupFacts::default());
            assert!(
                state.form_complete,
                "{} lacks form properties: {sent:#?}",
                object.property
            );
            assert!(
                !with_oauth || state.oauth_complete,
                "{} lacks OAuth properties: {sent:#?}",
                object.property
            );
        }
    }
}

#[test]
fn every_example_and_every_accepted_value_passes_alone() {
    for object in reference().objects() {
        let connection_type = connection_type(object.connection_type, object.property);
        let passes = |property: &ReferenceProperty, value: Value| {
            let sent = Map::from_iter([(property.name.to_owned(), value.clone())]);
            assert!(
                connection_type.validate_create(&sent, Uuid::nil()).is_ok(),
                "{}.{}: {value}",
                object.property,
                property.name
            );
        };
        for property in object.properties() {
            assert_eq!(
                property.example.is_none(),
                property.read_only,
                "{}.{}",
                object.property,
                property.name
            );
            if let Some(example) = &property.example {
                passes(property, example.clone());
            }
            for value in property.values.iter().flatten() {
                passes(property, json!(value));
            }
        }
    }
}

#[test]
fn facts_that_only_documentation_knows_are_added() {
    let reference = reference();
    let postgres = reference.object("platform.hp-postgres").unwrap();
    let property = |name: &str| {
        postgres
            .form
            .iter()
            .find(|property| property.name == name)
            .unwrap()
    };
    assert!(property("debug_lsn").internal && property("itersize").internal);
    assert!(property("include_schemas_in_destination_stream_name").documented_as_required);
    assert_eq!(
        property("frequency_in_minutes").values.as_ref().unwrap()[0],
        "1"
    );
    assert_eq!(
        property("image_version").default.as_deref(),
        Some("1.latest")
    );
    let shopify = reference.object("platform.shopify").unwrap();
    let frequency = shopify
        .form
        .iter()
        .find(|p| p.name == "frequency_in_minutes")
        .unwrap();
    assert_eq!(
        frequency.values.as_ref().unwrap()[0],
        "30",
        "every minute is for databases"
    );
    let databricks = reference.object("databricks_delta").unwrap();
    assert_eq!(
        databricks.sample.as_ref().unwrap().body["properties"]["ssh_config"],
        json!({"ssh": "false"}),
        "what asks for more is off"
    );
    let tunnel = databricks
        .form
        .iter()
        .find(|property| property.name == "ssh_config")
        .unwrap();
    assert_eq!(
        tunnel.children[0].values.as_deref().unwrap(),
        ["true", "false"]
    );
    assert!(tunnel.children[0].required && !tunnel.children[1].required);
    let bigquery = reference.object("bigquery_v2").unwrap();
    let key = bigquery
        .form
        .iter()
        .find(|p| p.name == "service_account_credentials")
        .unwrap();
    assert!(
        key.children
            .iter()
            .any(|child| child.name == "private_key" && child.required)
    );
}

#[test]
fn every_common_property_is_explained() {
    let reference = reference();
    let mut uses = std::collections::BTreeMap::<&str, (u32, bool)>::new();
    for property in reference
        .objects()
        .iter()
        .flat_map(|object| object.properties())
    {
        let entry = uses.entry(property.name).or_default();
        entry.0 += 1;
        entry.1 |= property.description.is_some();
    }
    let unexplained: Vec<_> = uses
        .iter()
        .filter(|(_, (count, explained))| *count > 5 && !explained)
        .collect();
    assert!(unexplained.is_empty(), "{unexplained:?}");
}
