//! Connections on their way from an empty form to fully configured.

use std::collections::BTreeSet;

use selvedge_catalog::{
    Catalog, ConnectionType, Credentials, Properties, SetupFacts, StepType, StoredProperties,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// A connection as its owner would store it.
struct Connection {
    connection_type: &'static ConnectionType,
    plain: Properties,
    credentials: Credentials,
    facts: SetupFacts,
}

impl Connection {
    fn create(connection_type: &'static ConnectionType, sent: Value) -> Self {
        let change = connection_type
            .validate_create(&object(sent), Uuid::nil())
            .unwrap();
        let mut connection = Self {
            connection_type,
            plain: Properties::new(),
            credentials: Credentials::default(),
            facts: SetupFacts::default(),
        };
        change.apply(&mut connection.plain, &mut connection.credentials);
        connection
    }

    fn update(&mut self, sent: Value) {
        let change = self.with_stored(|connection_type, stored| {
            connection_type
                .validate_update(stored, &object(sent))
                .unwrap()
        });
        change.apply(&mut self.plain, &mut self.credentials);
    }

    fn card(&self) -> Value {
        self.with_stored(|connection_type, stored| {
            serde_json::to_value(connection_type.report_card(stored, self.facts)).unwrap()
        })
    }

    fn can_be_checked(&self) -> bool {
        self.with_stored(ConnectionType::can_be_checked)
    }

    fn with_stored<T>(
        &self,
        with: impl FnOnce(&'static ConnectionType, StoredProperties<'_>) -> T,
    ) -> T {
        let credential_names: BTreeSet<_> = self.credentials.names().map(str::to_owned).collect();
        let stored = StoredProperties {
            plain: &self.plain,
            credential_names: &credential_names,
        };
        with(self.connection_type, stored)
    }

    #[track_caller]
    fn assert_stands_on(&self, number: u64, step_type: StepType) {
        let card = self.card();
        assert_eq!(card["current_step"], number);
        assert_eq!(card["current_step_type"], step_type.as_str());
        let ready = self.with_stored(|connection_type, stored| {
            connection_type.is_fully_configured(stored, self.facts)
        });
        assert_eq!(ready, step_type == StepType::FullyConfigured);
    }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

fn source(name: &str) -> &'static ConnectionType {
    Catalog::global().source_type(name).unwrap()
}

fn destination(name: &str) -> &'static ConnectionType {
    Catalog::global().destination_type(name).unwrap()
}

#[test]
fn a_source_moves_through_its_steps() {
    let mut source = Connection::create(
        source("platform.github"),
        json!({"repository": "acme/site"}),
    );
    source.assert_stands_on(1, StepType::Form);
    assert!(!source.can_be_checked());
    source.update(json!({"access_token": "t", "start_date": "2030-01-01T00:00:00Z"}));
    source.assert_stands_on(2, StepType::DiscoverSchema);
    assert!(source.can_be_checked());
    source.facts.discovered = true;
    source.assert_stands_on(3, StepType::FieldSelection);
    source.facts.selection_complete = true;
    source.assert_stands_on(4, StepType::FullyConfigured);
    source.facts.selection_complete = false;
    source.assert_stands_on(3, StepType::FieldSelection);
}

#[test]
fn form_and_oauth_values_come_in_any_order() {
    let mut source = Connection::create(source("platform.intercom"), json!({"access_token": "t"}));
    source.assert_stands_on(1, StepType::Form);
    source.update(json!({"start_date": "2030-01-01T00:00:00Z"}));
    source.assert_stands_on(3, StepType::DiscoverSchema);
}

#[test]
fn a_complete_form_makes_a_destination_fully_configured() {
    let destination = Connection::create(
        destination("postgres"),
        json!({"host": "pg.example.net", "port": 5432, "database": "dw", "username": "loader", "password": "p",
               "ssl": true}),
    );
    destination.assert_stands_on(2, StepType::FullyConfigured);
    assert_eq!(
        serde_json::to_string(&destination.plain).unwrap(),
        concat!(
            r#"{"database":"dw","encryption_type":"none","host":"pg.example.net","port":"5432","ssl":"true","#,
            r#""username":"loader"}"#
        )
    );
}

#[test]
fn pushed_sources_are_fully_configured_at_once() {
    let source = Connection::create(source("import_api"), json!({}));
    assert_eq!(
        serde_json::to_string(&source.card()).unwrap(),
        concat!(
            r#"{"type":"import_api","current_step":2,"current_step_type":"fully_configured","#,
            r#""steps":[{"type":"form","properties":[]},{"type":"fully_configured","properties":[]}]}"#
        )
    );
    assert!(source.plain.is_empty());
}

#[test]
fn an_instance_shows_what_is_provided_and_no_details() {
    let source = Connection::create(
        source("platform.github"),
        json!({"access_token": "t", "frequency_in_minutes": "60"}),
    );
    let card = source.card();
    let keys: Vec<_> = card.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["type", "current_step", "current_step_type", "steps"]);
    let provided: Vec<_> = card["steps"][0]["properties"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|property| property["provided"] == true)
        .map(|property| property["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        provided,
        ["access_token", "frequency_in_minutes", "image_version"]
    );
}

#[test]
fn a_card_shows_no_value() {
    let mut source = Connection::create(
        source("platform.github"),
        json!({"access_token": "hunter2", "repository": "acme/hunter2"}),
    );
    source.facts.discovered = true;
    assert!(!source.card().to_string().contains("hunter2"));
}

#[test]
fn every_type_can_be_brought_to_its_end() {
    let catalog = Catalog::global();
    for connection_type in catalog.source_types().chain(catalog.destination_types()) {
        if connection_type.is_stub() {
            continue;
        }
        let names = connection_type
            .properties()
            .map(|property| property.name().to_owned());
        let plain: Properties = names.map(|name| (name, json!("x"))).collect();
        let stored = StoredProperties {
            plain: &plain,
            credential_names: &BTreeSet::new(),
        };
        let facts = SetupFacts {
            discovered: true,
            selection_complete: true,
        };
        let card = connection_type.report_card(stored, facts);
        assert_eq!(card.current_step, Some(connection_type.steps().len()));
        assert_eq!(card.current_step_type, Some(StepType::FullyConfigured));
    }
}
