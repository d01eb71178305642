use serde_json::{Value, json};

use crate::app::{Tenant, TestApp, metadata_update};

async fn discovered() -> (TestApp, Tenant, i64) {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    app.destination(&tenant).await;
    let source = app.source(&tenant, "Shop").await;
    app.run_checks().await;
    (app, tenant, source)
}

/// A metadata update of one field of `orders`.
fn field_update(field: &str, metadata: Value) -> Value {
    json!({"streams": [{"tap_stream_id": "shop-public-orders", "metadata": [
        {"breadcrumb": ["properties", field], "metadata": metadata}
    ]}]})
}

#[tokio::test]
async fn streams_are_listed_by_name_in_the_documented_form() {
    let (app, tenant, source) = discovered().await;
    let answer = app
        .get(&tenant, &format!("/v4/sources/{source}/streams"))
        .await;
    let ids: Vec<i64> = answer
        .ok()
        .as_array()
        .unwrap()
        .iter()
        .map(|stream| stream["stream_id"].as_i64().unwrap())
        .collect();
    let stream = |name: &str, id: i64| {
        format!(
            r#"{{"selected":null,"stream_id":{id},"tap_stream_id":"shop-public-{name}","stream_name":"{name}","metadata":{{"database-name":"shop","is-view":false,"row-count":812,"schema-name":"public","selected":null,"table-key-properties":["id"]}}}}"#
        )
    };
    answer.is(
        200,
        &format!("[{},{}]", stream("notes", ids[0]), stream("orders", ids[1])),
    );
}

#[tokio::test]
async fn before_discovery_there_are_no_streams() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let source = app.source(&tenant, "Shop").await;
    app.get(&tenant, &format!("/v4/sources/{source}/streams"))
        .await
        .is(200, "[]");
    let update = metadata_update(json!({"selected": true}));
    app.put(
        &tenant,
        &format!("/v4/sources/{source}/streams/metadata"),
        update,
    )
    .await
    .is(
        400,
        r#"{"invalid_fields":"invalid tap-stream-ids:  [shop-public-orders]"}"#,
    );
}

#[tokio::test]
async fn a_stream_shows_its_schema_as_text_and_its_metadata_in_order() {
    let (app, tenant, source) = discovered().await;
    app.select_orders(&tenant, source).await;
    let streams = app
        .get(&tenant, &format!("/v4/sources/{source}/streams"))
        .await
        .ok();
    assert_eq!(streams[1]["selected"], true);
    let path = format!("/v4/sources/{source}/streams/{}", streams[1]["stream_id"]);
    app.get(&tenant, &path).await.is(
        200,
        r#"{"schema":"{\"type\":\"object\",\"properties\":{\"id\":{\"type\":[\"null\",\"integer\"]}}}","metadata":[{"breadcrumb":[],"metadata":{"database-name":"shop","is-view":false,"replication-method":"FULL_TABLE","row-count":812,"schema-name":"public","selected":true,"table-key-properties":["id"]}},{"breadcrumb":["properties","id"],"metadata":{"inclusion":"automatic","selected-by-default":true,"sql-datatype":"bigint"}},{"breadcrumb":["properties","shape"],"metadata":{"inclusion":"unsupported","sql-datatype":"polygon"}}],"non-discoverable-metadata-keys":["selected","replication-method","replication-key","view-key-properties"]}"#,
    );
}

#[tokio::test]
async fn selecting_a_stream_completes_the_source_and_deselecting_takes_it_back() {
    let (app, tenant, source) = discovered().await;
    let path = format!("/v4/sources/{source}");
    let step =
        async || app.get(&tenant, &path).await.ok()["report_card"]["current_step_type"].clone();
    assert_eq!(step().await, "field_selection");
    app.select_orders(&tenant, source).await;
    assert_eq!(step().await, "fully_configured");
    let schedule = app.get(&tenant, &path).await.ok()["schedule"].clone();
    assert_eq!(schedule["type"], "interval");
    let deselect = metadata_update(json!({"selected": false}));
    app.put(&tenant, &format!("{path}/streams/metadata"), deselect)
        .await
        .ok();
    assert_eq!(step().await, "field_selection");
    assert_eq!(app.get(&tenant, &path).await.ok()["schedule"], Value::Null);
}

#[tokio::test]
async fn unknown_streams_and_sources_are_named_by_the_stream() {
    let (app, tenant, source) = discovered().await;
    for path in [
        format!("/v4/sources/{source}/streams/7"),
        "/v4/sources/1/streams/7".to_owned(),
    ] {
        app.get(&tenant, &path)
            .await
            .is(400, r#""invalid stream-id: 7""#);
    }
    let not_found = r#"{"error":"NotFound","data":{"message":"not found"}}"#;
    app.get(&tenant, "/v4/sources/1/streams")
        .await
        .is(404, not_found);
    app.put(&tenant, "/v4/sources/1/streams/metadata", json!([]))
        .await
        .is(404, not_found);
    for path in [
        format!("/v4/sources/{source}/streams/x"),
        "/v4/sources/x/streams".to_owned(),
    ] {
        app.get(&tenant, &path).await.is(404, not_found);
    }
}

#[tokio::test]
async fn mistakes_in_an_update_have_their_literal_texts() {
    let (app, tenant, source) = discovered().await;
    let path = format!("/v4/sources/{source}/streams/metadata");
    let put = async |body: Value| app.put(&tenant, &path, body).await;
    for body in [
        json!({}),
        json!({"streams": {}}),
        json!({"streams": [{"tap_stream_id": "x"}]}),
        json!([]),
    ] {
        put(body).await.is(
            400,
            r#""body must contain a 'streams' property with a list of metadatas by tap_stream_id""#,
        );
    }
    put(json!({"streams": [{"metadata": []}]})).await.is(
        400,
        r#"{"invalid_fields":"invalid tap-stream-ids:  [nil]"}"#,
    );
    put(json!({"streams": [{"tap_stream_id": "a", "metadata": []}, {"tap_stream_id": "b", "metadata": []}]}))
        .await
        .is(400, r#"{"invalid_fields":"invalid tap-stream-ids:  [a b]"}"#);
    put(field_update("nope", json!({"selected": true})))
        .await
        .is(
            400,
            r#"{"invalid_fields":"invalid breadcrumb: [properties nope]"}"#,
        );
    put(field_update("id", json!({"inclusion": "available"})))
        .await
        .is(400, r##"{"invalid_fields":"only non-discoverable metadata can be produced by the UI: #{\"inclusion\"}"}"##);
    put(field_update("id", json!({"inclusion": "x", "sql-datatype": "y"})))
        .await
        .is(400, r##"{"invalid_fields":"only non-discoverable metadata can be produced by the UI: #{\"inclusion\" \"sql-datatype\"}"}"##);
    put(metadata_update(json!({"replication-method": "SOMETIMES"})))
        .await
        .is(
            400,
            r#"{"invalid_fields":"invalid metadata value: replication-method"}"#,
        );
    put(field_update("shape", json!({"selected": true})))
        .await
        .is(
            400,
            r#"{"invalid_fields":"Unsupported fields cannot be selected by default"}"#,
        );
    for fine in [
        json!({"streams": []}),
        json!({"streams": [{"tap_stream_id": "shop-public-orders", "metadata": []}]}),
        field_update("shape", json!({"selected": false})),
        metadata_update(json!({"replication-method": "LOG_BASED"})),
        metadata_update(json!({"replication-method": null, "view-key-properties": ["id"]})),
    ] {
        put(fine).await.is(200, r#"{"status":200}"#);
    }
}

#[tokio::test]
async fn a_refused_update_changes_no_stream() {
    let (app, tenant, source) = discovered().await;
    let body = json!({"streams": [
        {"tap_stream_id": "shop-public-orders", "metadata": [{"breadcrumb": [], "metadata": {"selected": true}}]},
        {"tap_stream_id": "shop-public-notes", "metadata": [{"breadcrumb": [], "metadata": {"selected": "yes"}}]},
    ]});
    let path = format!("/v4/sources/{source}/streams");
    assert_eq!(
        app.put(&tenant, &format!("{path}/metadata"), body)
            .await
            .status,
        400
    );
    let streams = app.get(&tenant, &path).await.ok();
    assert!(
        streams
            .as_array()
            .unwrap()
            .iter()
            .all(|stream| stream["selected"].is_null()),
        "{streams}"
    );
}

#[tokio::test]
async fn changing_how_a_stream_replicates_starts_it_over_and_stops_its_job() {
    let (app, tenant, source) = discovered().await;
    app.select_orders(&tenant, source).await;
    app.post(&tenant, &format!("/v4/sources/{source}/sync"), Value::Null)
        .await
        .ok();
    let job = app.claim(false).await.unwrap();
    let stream = async || {
        let mut tx = app.control.store().read().await.unwrap();
        let id = selvedge_types::SourceId(source);
        selvedge_store::streams::find_by_tap_stream_id(&mut tx, job.scope, id, "shop-public-orders")
            .await
            .unwrap()
            .unwrap()
    };
    let before = stream().await;
    let mut tx = app.control.store().begin().await.unwrap();
    let saved = selvedge_store::streams::save_position(
        &mut tx,
        job.scope,
        selvedge_types::SourceId(source),
        "shop-public-orders",
        before.epoch,
        &json!("7"),
        job.fence,
    )
    .await
    .unwrap();
    assert_eq!(saved, selvedge_store::streams::PositionUpdate::Saved);
    tx.commit().await.unwrap();

    let path = format!("/v4/sources/{source}/streams/metadata");
    let same = metadata_update(json!({"selected": true, "replication-method": "FULL_TABLE"}));
    app.put(&tenant, &path, same).await.ok();
    assert_eq!(
        stream().await.position,
        Some(json!("7")),
        "the same choice resets nothing"
    );

    let other =
        metadata_update(json!({"replication-method": "INCREMENTAL", "replication-key": "id"}));
    app.put(&tenant, &path, other).await.ok();
    let after = stream().await;
    assert_eq!((after.position, after.epoch), (None, before.epoch + 1));
    let progress = app
        .get(&tenant, &format!("/v4/sources/{source}/sync"))
        .await
        .ok();
    assert_ne!(progress["stop_requested_at"], Value::Null);
}
