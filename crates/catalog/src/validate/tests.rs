//! The rules for what a caller sends.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::{Catalog, Credentials, Properties};

const UUID: Uuid = Uuid::from_u128(0x1f7c_5e0a_9b1d_4c65_8f2e_6d2b_7a90_c3e1);

fn source(name: &str) -> &'static ConnectionType {
    Catalog::global().source_type(name).unwrap()
}

fn destination(name: &str) -> &'static ConnectionType {
    Catalog::global().destination_type(name).unwrap()
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

fn create(connection_type: &ConnectionType, sent: Value) -> Result<PropertyChange, BadProperties> {
    connection_type.validate_create(&map(sent), UUID)
}

/// Updates a connection that stores `plain` and the named credentials.
fn update(
    connection_type: &ConnectionType,
    plain: Value,
    credential_names: &[&str],
    sent: Value,
) -> Result<PropertyChange, BadProperties> {
    let plain: Properties = map(plain).into_iter().collect();
    let credential_names = credential_names
        .iter()
        .map(|name| (*name).to_owned())
        .collect();
    let stored = StoredProperties {
        plain: &plain,
        credential_names: &credential_names,
    };
    connection_type.validate_update(stored, &map(sent))
}

fn bad(result: Result<PropertyChange, BadProperties>) -> Vec<String> {
    result.expect_err("the properties were accepted").names
}

fn plain(result: Result<PropertyChange, BadProperties>) -> Value {
    json!(result.expect("the properties were refused").plain)
}

#[test]
fn values_are_split_into_plain_and_credentials_and_sorted() {
    let change = create(
        source("platform.github"),
        json!({"start_date": "2030-01-01T00:00:00Z", "repository": "acme/site", "access_token": "t"}),
    )
    .unwrap();
    assert_eq!(
        serde_json::to_string(&change.plain).unwrap(),
        r#"{"image_version":"1.latest","repository":"acme/site","start_date":"2030-01-01T00:00:00Z"}"#
    );
    assert_eq!(
        change.credentials,
        Credentials::new([("access_token".to_owned(), json!("t"))])
    );
    assert!(change.removed.is_empty());
}

#[test]
fn all_bad_names_are_reported_sorted() {
    let sent = json!({
        "zebra": "unknown", "start_date": "2030-01-01", "repository": "", "image_version": "2.latest",
        "access_token": ["t"], "cron_expression": 5, "frequency_in_minutes": "60",
    });
    let expected = [
        "access_token",
        "cron_expression",
        "image_version",
        "repository",
        "start_date",
        "zebra",
    ];
    assert_eq!(
        bad(create(source("platform.github"), sent.clone())),
        expected
    );
    assert_eq!(
        bad(update(source("platform.github"), json!({}), &[], sent)),
        expected
    );
}

#[test]
fn missing_required_properties_are_no_error() {
    assert_eq!(
        plain(create(source("platform.hp-postgres"), json!({}))),
        json!({"image_version": "1.latest"})
    );
}

#[test]
fn scalars_are_stored_as_text_where_the_schema_takes_text() {
    let sent = json!({"port": 5432, "ssl": true, "debug_lsn": false, "itersize": 20000});
    assert_eq!(
        plain(update(source("platform.hp-postgres"), json!({}), &[], sent)),
        json!({"debug_lsn": "false", "itersize": "20000", "port": "5432", "ssl": "true"})
    );
    assert_eq!(
        plain(update(
            destination("postgres"),
            json!({}),
            &[],
            json!({"ssl": false, "port": 5432})
        )),
        json!({"port": "5432", "ssl": "false"})
    );
}

#[test]
fn null_at_creation_is_as_if_not_sent() {
    let sent = json!({"encryption_type": null, "host": null, "sslrootcert": null});
    let change = create(destination("postgres"), sent).unwrap();
    assert_eq!(json!(change.plain), json!({"encryption_type": "none"}));
    assert!(change.removed.is_empty());
    assert_eq!(
        bad(create(destination("postgres"), json!({"nope": null}))),
        ["nope"]
    );
}

#[test]
fn null_at_update_removes_what_is_optional_and_is_refused_where_required() {
    let github = source("platform.github");
    let change = update(
        github,
        json!({"anchor_time": "2031-01-01T00:00:00Z"}),
        &[],
        json!({"anchor_time": null, "cron_expression": null}),
    )
    .unwrap();
    assert_eq!(
        change.removed,
        BTreeSet::from(["anchor_time".to_owned(), "cron_expression".to_owned()])
    );
    assert!(change.plain.is_empty());
    let sent =
        json!({"repository": null, "access_token": null, "image_version": null, "nope": null});
    assert_eq!(
        bad(update(github, json!({}), &[], sent)),
        ["access_token", "image_version", "nope", "repository"]
    );
    // Not required, but the system's own.
    assert_eq!(
        bad(update(
            source("platform.xero"),
            json!({}),
            &[],
            json!({"user_agent": null})
        )),
        ["user_agent"]
    );
}

#[test]
fn an_immutable_property_is_set_once() {
    let (postgres, name) = (
        source("platform.hp-postgres"),
        "include_schemas_in_destination_stream_name",
    );
    assert_eq!(
        plain(update(postgres, json!({}), &[], json!({name: true}))),
        json!({name: "true"})
    );
    let stored = json!({name: "true"});
    assert_eq!(
        plain(update(postgres, stored.clone(), &[], json!({name: true}))),
        json!({name: "true"})
    );
    for other in [json!("false"), json!(null), json!("maybe")] {
        assert_eq!(
            bad(update(postgres, stored.clone(), &[], json!({name: other}))),
            [name]
        );
    }
    assert!(update(postgres, json!({}), &[], json!({name: null})).is_ok());
}

#[test]
fn every_minute_is_for_databases_only() {
    let every_minute = json!({"frequency_in_minutes": "1"});
    for database in ["platform.hp-mysql", "platform.postgres", "platform.sqlite"] {
        assert_eq!(
            plain(update(
                source(database),
                json!({}),
                &[],
                every_minute.clone()
            )),
            every_minute
        );
    }
    for other in ["platform.github", "platform.s3-csv"] {
        assert_eq!(
            bad(update(source(other), json!({}), &[], every_minute.clone())),
            ["frequency_in_minutes"]
        );
        assert!(
            update(
                source(other),
                json!({}),
                &[],
                json!({"frequency_in_minutes": 30})
            )
            .is_ok()
        );
    }
    for bad_value in [json!("180"), json!("01"), json!("60 "), json!(0)] {
        assert_eq!(
            bad(create(
                source("platform.hp-mysql"),
                json!({"frequency_in_minutes": bad_value})
            )),
            ["frequency_in_minutes"]
        );
    }
}

#[test]
fn start_dates_are_midnights_that_exist() {
    let github = source("platform.github");
    assert!(create(github, json!({"start_date": "2028-02-29T00:00:00Z"})).is_ok());
    for start_date in [
        "2030-01-01T01:00:00Z",
        "2030-01-01T00:00:00+00:00",
        "2030-13-01T00:00:00Z",
        "2030-02-29T00:00:00Z",
        "2030-01-01",
    ] {
        assert_eq!(
            bad(create(github, json!({"start_date": start_date}))),
            ["start_date"],
            "{start_date}"
        );
    }
}

#[test]
fn anchors_are_kept_in_utc_with_their_milliseconds() {
    for (sent, kept) in [
        ("2031-02-03T04:05:06.789Z", "2031-02-03T04:05:06.789Z"),
        ("2031-02-03T04:05:06Z", "2031-02-03T04:05:06Z"),
        ("2031-02-03T04:05:06+02:00", "2031-02-03T02:05:06Z"),
        ("2031-02-03T04:05:06.5-01:30", "2031-02-03T05:35:06.500Z"),
    ] {
        assert_eq!(
            plain(update(
                source("platform.github"),
                json!({}),
                &[],
                json!({"anchor_time": sent})
            )),
            json!({"anchor_time": kept})
        );
    }
    for bad_value in [
        json!("2031-02-03"),
        json!("2031-02-03T04:05:06"),
        json!("soon"),
        json!(0),
    ] {
        assert_eq!(
            bad(create(
                source("platform.github"),
                json!({"anchor_time": bad_value})
            )),
            ["anchor_time"]
        );
    }
}

#[test]
fn the_server_fills_its_own_values_at_creation() {
    let s3 = create(destination("s3"), json!({})).unwrap();
    assert_eq!(
        json!(s3.credentials.expose()),
        json!({"sentinel_key": "stitch-challenge-file-1f7c5e0a-9b1d-4c65-8f2e-6d2b7a90c3e1"})
    );
    let sent = json!({"sentinel_key": "stitch-challenge-file-mine"});
    assert_eq!(
        json!(
            create(destination("s3"), sent.clone())
                .unwrap()
                .credentials
                .expose()
        ),
        sent
    );
    let tunnelled = json!({"encryption_type": "ssh"});
    assert_eq!(
        plain(create(destination("redshift"), tunnelled.clone())),
        tunnelled
    );
    assert_eq!(
        plain(create(destination("snowflake"), json!({}))),
        json!({})
    );
    assert_eq!(plain(create(source("import_api"), json!({}))), json!({}));
    assert_eq!(
        plain(create(source("platform.facebook"), json!({})))["image_version"],
        json!(source("platform.facebook").details().image_version)
    );
}

#[test]
fn updates_fill_nothing_in() {
    assert_eq!(
        update(destination("postgres"), json!({}), &[], json!({})),
        Ok(PropertyChange::default())
    );
}

#[test]
fn every_required_value_that_the_user_may_not_send_is_filled() {
    let catalog = Catalog::global();
    for connection_type in catalog.source_types().chain(catalog.destination_types()) {
        for property in connection_type.properties() {
            if property.is_required && property.property_type == PropertyType::ReadOnly {
                assert!(
                    property.fill.is_some(),
                    "nobody sets {} of {}",
                    property.name,
                    connection_type.name()
                );
            }
            if let Some(Fill::Template(template)) = &property.fill {
                let context = FillContext {
                    uuid: UUID,
                    image_version: "1.latest",
                };
                let value = Value::String(fill::render(template, context));
                assert_eq!(property.accept(&value), Some(value));
            }
            if let Some(Fill::CopyOf(path)) = &property.fill {
                assert!(connection_type.property(&path[0]).is_some());
            }
        }
    }
}

#[test]
fn a_copied_value_follows_its_origin() {
    let key = |project: &str| {
        let names = [
            "type",
            "project_id",
            "private_key",
            "private_key_id",
            "client_email",
            "client_id",
            "auth_uri",
            "token_uri",
            "auth_provider_x509_cert_url",
            "client_x509_cert_url",
        ];
        let mut key: BTreeMap<&str, &str> = names.map(|name| (name, "x")).into();
        key.insert("project_id", project);
        key.insert("client_email", "loader@example.com");
        for name in [
            "auth_uri",
            "token_uri",
            "auth_provider_x509_cert_url",
            "client_x509_cert_url",
        ] {
            key.insert(name, "https://example.com/");
        }
        json!({"service_account_credentials": key})
    };
    let bigquery = destination("bigquery_v2");
    assert_eq!(plain(create(bigquery, key("first")))["project_id"], "first");
    assert_eq!(
        plain(update(
            bigquery,
            json!({"project_id": "first"}),
            &[],
            key("second")
        )),
        json!({"project_id": "second"})
    );
    assert_eq!(
        bad(create(bigquery, json!({"project_id": "x"}))),
        ["project_id"]
    );
}

#[test]
fn type_fidelity_is_stitch_or_native() {
    for name in ["postgres", "sqlite"] {
        for good in ["stitch", "native"] {
            assert!(create(destination(name), json!({"type_fidelity": good})).is_ok());
        }
        assert_eq!(
            bad(create(destination(name), json!({"type_fidelity": "exact"}))),
            ["type_fidelity"]
        );
    }
}

#[test]
fn a_schedule_change_is_told_from_others() {
    let github = source("platform.github");
    let schedule = json!({"frequency_in_minutes": "30", "cron_expression": null});
    assert!(
        update(github, json!({}), &[], schedule)
            .unwrap()
            .concerns_schedule_only()
    );
    let both = json!({"frequency_in_minutes": "30", "repository": "a/b"});
    assert!(
        !update(github, json!({}), &[], both)
            .unwrap()
            .concerns_schedule_only()
    );
}
