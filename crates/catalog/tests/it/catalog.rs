//! Which types there are, and in which order.

use selvedge_catalog::{
    Catalog, ConnectionKind, ConnectionType, PipelineState, PropertyType, StepType,
};

fn names<'a>(types: impl Iterator<Item = &'a ConnectionType>) -> Vec<&'a str> {
    types.map(ConnectionType::name).collect()
}

#[test]
fn types_are_sorted_by_name_with_our_own_last() {
    let catalog = Catalog::global();
    let sources = names(catalog.source_types());
    let (upstream, own) = sources.split_at(sources.len() - 1);
    assert!(upstream.is_sorted());
    assert_eq!(own, ["platform.sqlite"]);
    let destinations = names(catalog.destination_types());
    let (upstream, own) = destinations.split_at(destinations.len() - 2);
    assert!(upstream.is_sorted());
    assert_eq!(own, ["local_files", "sqlite"]);
}

#[test]
fn the_counts_match_the_files() {
    let catalog = Catalog::global();
    let stubs = catalog
        .source_types()
        .filter(|source| source.is_stub())
        .count();
    assert_eq!((catalog.source_types().len() - stubs, stubs), (186 + 1, 52));
    assert_eq!(catalog.destination_types().len(), 13 + 2);
    assert!(
        catalog
            .destination_types()
            .all(|destination| !destination.is_stub())
    );
}

#[test]
fn every_type_is_found_by_its_name_in_its_own_list() {
    let catalog = Catalog::global();
    for source in catalog.source_types() {
        assert_eq!(
            catalog.source_type(source.name()).unwrap().name(),
            source.name()
        );
        assert_eq!(source.kind(), ConnectionKind::Source);
    }
    for destination in catalog.destination_types() {
        let found = catalog.destination_type(destination.name()).unwrap();
        assert_eq!(found.name(), destination.name());
        assert_eq!(destination.kind(), ConnectionKind::Destination);
    }
    assert!(catalog.source_type("platform.nope").is_none());
    assert!(
        catalog.source_type("snowflake").is_none(),
        "a destination among the sources"
    );
    assert!(catalog.destination_type("platform.github").is_none());
}

#[test]
fn deprecated_database_names_are_offered() {
    for name in [
        "platform.aurora",
        "platform.cloudsql",
        "platform.cloudsql_pg",
        "platform.heroku_pg",
        "platform.mariadb",
        "platform.mysql",
        "platform.postgres",
    ] {
        let source = Catalog::global().source_type(name).unwrap();
        assert_eq!(
            source.details().pipeline_state,
            PipelineState::Released,
            "{name}"
        );
        assert!(source.has_access(), "{name}");
        assert_eq!(source.replacement(), None, "{name}");
    }
    let marketo = Catalog::global().source_type("platform.marketo").unwrap();
    assert!(!marketo.has_access());
    assert_eq!(marketo.replacement(), Some("platform.marketobulk"));
}

#[test]
fn access_follows_the_pipeline_state() {
    let catalog = Catalog::global();
    for connection_type in catalog.source_types().chain(catalog.destination_types()) {
        let offered = matches!(
            connection_type.details().pipeline_state,
            PipelineState::Released | PipelineState::Beta
        );
        assert_eq!(
            connection_type.has_access(),
            offered,
            "{}",
            connection_type.name()
        );
    }
}

#[test]
fn every_replacement_exists_and_can_be_connected() {
    let catalog = Catalog::global();
    for source in catalog.source_types() {
        if let Some(name) = source.replacement() {
            let replacement = catalog.source_type(name);
            assert!(
                replacement.is_some_and(|replacement| !replacement.is_stub()),
                "{} points to {name}",
                source.name()
            );
        }
    }
}

#[test]
fn setups_start_with_a_form_and_end_fully_configured() {
    let catalog = Catalog::global();
    for connection_type in catalog.source_types().chain(catalog.destination_types()) {
        let steps: Vec<_> = connection_type
            .steps()
            .iter()
            .map(|step| step.step_type())
            .collect();
        if connection_type.is_stub() {
            continue;
        }
        assert_eq!(
            steps.first(),
            Some(&StepType::Form),
            "{}",
            connection_type.name()
        );
        assert_eq!(
            steps.last(),
            Some(&StepType::FullyConfigured),
            "{}",
            connection_type.name()
        );
        assert!(steps.is_sorted(), "{}", connection_type.name());
        assert_eq!(
            connection_type.has_step(StepType::DiscoverSchema),
            connection_type.has_step(StepType::FieldSelection),
            "{}",
            connection_type.name()
        );
        for step in connection_type.steps() {
            let asks = matches!(step.step_type(), StepType::Form | StepType::Oauth);
            assert!(
                asks || step.properties().is_empty(),
                "{}",
                connection_type.name()
            );
        }
    }
}

#[test]
fn no_credential_is_immutable() {
    // A stored credential cannot be compared, so such a property could never be sent again.
    let catalog = Catalog::global();
    for connection_type in catalog.source_types().chain(catalog.destination_types()) {
        for property in connection_type.properties() {
            let immutable = property.property_type() == PropertyType::UserProvidedImmutable;
            assert!(
                !(immutable && property.is_credential()),
                "{}.{}",
                connection_type.name(),
                property.name()
            );
        }
    }
}
