//! The samples of the connection property reference, sent as they are printed.

use selvedge_catalog::reference::{ConnectionObject, Reference, SampleRequest};
use selvedge_catalog::{Catalog, ConnectionKind};
use serde_json::{Value, json};

use crate::app::TestApp;

/// Sends the sample and says what the answer lacks of what it should be.
async fn send(app: &TestApp, object: &ConnectionObject, sample: &SampleRequest, step: &str) {
    // An account for each: samples of one account would need names of their own.
    let tenant = app
        .tenant(&format!("{}-{step}@acme.example", object.property))
        .await;
    let answer = app.post(&tenant, sample.path, sample.body.clone()).await;
    let connection = answer.ok();
    let card = &connection["report_card"];
    assert_eq!(card["type"], object.property);
    for properties in card["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|card| card["type"] == "form" || card["type"] == step)
        .map(|card| card["properties"].as_array().unwrap())
    {
        let missing: Vec<&Value> = properties
            .iter()
            .filter(|property| property["is_required"] == true && property["provided"] == false)
            .collect();
        assert!(missing.is_empty(), "{}: {missing:?}", object.property);
    }
}

/// What has no sample cannot be created.
async fn refused(app: &TestApp, object: &ConnectionObject) {
    let tenant = app
        .tenant(&format!("{}@acme.example", object.property))
        .await;
    let (path, body) = match object.connection_type {
        ConnectionKind::Source => (
            "/v4/sources",
            json!({"type": object.property, "display_name": "Ours"}),
        ),
        ConnectionKind::Destination => ("/v4/destinations", json!({"type": object.property})),
    };
    let answer = app.post(&tenant, path, body).await;
    assert_eq!(answer.status, 400, "{}", object.property);
    assert_eq!(
        answer.json()["error"],
        "AccessDenied",
        "{}",
        object.property
    );
}

#[tokio::test]
async fn every_sample_of_the_reference_creates_what_it_says() {
    let app = TestApp::start().await;
    let reference = Reference::new(Catalog::global(), |connection_type| {
        app.control.runs(connection_type)
    });
    for object in reference.objects() {
        match &object.sample {
            Some(sample) => send(&app, object, sample, "form").await,
            None => refused(&app, object).await,
        }
        if let Some(sample) = &object.oauth_sample {
            send(&app, object, sample, "oauth").await;
        }
    }
}
