//! What a scheduler and the extraction lists ask of a type.

use selvedge_catalog::{Catalog, Category, ConnectionType, SCHEDULE_PROPERTIES, StepType};

fn source(name: &str) -> &'static ConnectionType {
    Catalog::global().source_type(name).unwrap()
}

#[test]
fn pushed_data_is_never_scheduled() {
    for source in Catalog::global().source_types() {
        let name = source.name();
        let pushed = name == "import_api" || name.starts_with("webhook.");
        assert_eq!(
            source.is_scheduled(),
            !pushed && !source.is_stub(),
            "{name}"
        );
    }
    let mut destinations = Catalog::global().destination_types();
    assert!(destinations.all(|destination| !destination.is_scheduled()));
}

#[test]
fn every_scheduled_type_has_a_default_interval_and_the_schedule_properties() {
    for source in Catalog::global().source_types() {
        let interval = source.default_scheduling_interval();
        assert_eq!(
            interval.is_some(),
            source.is_scheduled(),
            "{}",
            source.name()
        );
        for name in SCHEDULE_PROPERTIES {
            assert_eq!(
                source.property(name).is_some(),
                source.is_scheduled(),
                "{} and {name}",
                source.name()
            );
        }
    }
    for (name, minutes) in [
        ("platform.github", 60),
        ("platform.mysql", 30),
        ("platform.covid-19", 720),
        ("platform.sqlite", 60),
    ] {
        assert_eq!(
            source(name).default_scheduling_interval(),
            Some(minutes),
            "{name}"
        );
    }
}

#[test]
fn extractors_are_named_after_the_protocol() {
    for (name, tap) in [
        ("platform.recurly", "tap-recurly"),
        ("platform.hp-heroku-pg", "tap-hp-postgres"),
        ("platform.aurora", "tap-mysql"),
        ("platform.sqlite", "tap-sqlite"),
        ("import_api", "tap-import_api"),
    ] {
        assert_eq!(source(name).tap_name(), tap, "{name}");
    }
}

#[test]
fn categories_tell_what_a_type_connects_to() {
    for (name, category) in [
        ("platform.hp-postgres", Category::Database),
        ("platform.sqlite", Category::Database),
        ("platform.github", Category::Saas),
        ("platform.s3-csv", Category::File),
        ("webhook.zapier", Category::Webhook),
        ("import_api", Category::ImportApi),
        ("salesforce", Category::Legacy),
    ] {
        assert_eq!(source(name).category(), category, "{name}");
    }
    assert_eq!(source("platform.hp-postgres").default_port(), Some(5432));
}

#[test]
fn some_sources_replicate_everything_they_find() {
    assert!(source("platform.github").has_step(StepType::FieldSelection));
    assert!(!source("platform.freshdesk").has_step(StepType::FieldSelection));
    assert!(source("platform.freshdesk").is_scheduled());
}
