use serde_json::{Value, json};

use crate::app::{Answer, NOW, Tenant, TestApp, postgres_destination};

const BODY: &str = r#""body must be a map with type = redshift, postgres, or snowflake. required-keys = type, connection""#;
const LIMIT: &str = r#""you are at your destination limit""#;

async fn app() -> (TestApp, Tenant) {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    (app, tenant)
}

async fn create(app: &TestApp, tenant: &Tenant) -> Answer {
    let body = json!({"type": "postgres", "connection": postgres_destination()});
    app.post(tenant, "/v3/destinations", body).await
}

#[tokio::test]
async fn a_destination_is_shown_with_its_connection_and_last_check() {
    let (app, tenant) = app().await;
    app.get(&tenant, "/v3/destinations").await.is(200, "[]");
    let created = create(&app, &tenant).await;
    let id = created.ok()["id"].as_i64().unwrap();
    let shown = |updated_at: &str, host: &str, last_check: &str| {
        format!(
            r#"{{"id":{id},"type":"postgres","created_at":"{NOW}","updated_at":"{updated_at}","connection":{{"database":"dw","encryption_type":"none","host":"{host}","port":"5432","ssl":"true","username":"loader"}},"last_check":{last_check}}}"#
        )
    };
    let queued = format!(r#"{{"error":false,"started_at":"{NOW}","completed_at":null}}"#);
    created.is(200, &shown(NOW, "pg.example.net", &queued));

    app.clock.advance_seconds(60);
    let check = app.claim(true).await.unwrap();
    let failed = selvedge_control::checks::CheckResult {
        check: selvedge_types::job::PhaseOutcome::failed("no such host"),
        ..Default::default()
    };
    app.clock.advance_seconds(3);
    selvedge_control::checks::complete(&app.control, &check, failed)
        .await
        .unwrap();
    let failed = r#"{"error":true,"started_at":"2031-02-03T04:06:06Z","completed_at":"2031-02-03T04:06:09Z"}"#;
    app.get(&tenant, "/v3/destinations")
        .await
        .is(200, &format!("[{}]", shown(NOW, "pg.example.net", failed)));

    let change = json!({"type": "postgres", "connection": {"host": "new.example.net"}, "name": 7});
    let queued = r#"{"error":false,"started_at":"2031-02-03T04:06:09Z","completed_at":null}"#;
    let updated_at = "2031-02-03T04:06:09Z";
    app.put(&tenant, &format!("/v3/destinations/{id}"), change)
        .await
        .is(200, &shown(updated_at, "new.example.net", queued));
    app.run_checks().await;
    let listed = app.get(&tenant, "/v3/destinations").await.ok();
    assert_eq!(
        listed[0]["last_check"],
        json!({"error": false, "started_at": updated_at, "completed_at": updated_at})
    );
}

#[tokio::test]
async fn both_versions_show_the_same_destination() {
    let (app, tenant) = app().await;
    let old = create(&app, &tenant).await.ok();
    let new = app.get(&tenant, "/v4/destinations").await.ok()[0].clone();
    assert_eq!((&new["id"], &new["name"]), (&old["id"], &json!("postgres")));
    assert_eq!(new["properties"], old["connection"]);
    assert_ne!(new["check_job_name"], Value::Null);
    let path = format!("/v4/destinations/{}", new["id"]);
    app.put(&tenant, &path, json!({"properties": {"database": "lake"}}))
        .await
        .ok();
    let listed = app.get(&tenant, "/v3/destinations").await.ok();
    assert_eq!(listed[0]["connection"]["database"], "lake");
}

#[tokio::test]
async fn a_new_destination_takes_the_unmapped_sources() {
    let (app, tenant) = app().await;
    let source = app.source(&tenant, "Shop").await;
    let id = create(&app, &tenant).await.ok()["id"].clone();
    let path = format!("/v4/sources/{source}");
    assert_eq!(app.get(&tenant, &path).await.ok()["destination_id"], id);
}

#[tokio::test]
async fn the_oldest_of_several_is_the_one() {
    let (app, tenant) = app().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(app.destination(&tenant).await);
    }
    let listed = async || {
        let listed = app.get(&tenant, "/v3/destinations").await.ok();
        assert_eq!(listed.as_array().unwrap().len(), 1);
        listed[0]["id"].as_i64().unwrap()
    };
    assert_eq!(listed().await, ids[0]);
    app.delete(&tenant, &format!("/v4/destinations/{}", ids[0]))
        .await
        .is(200, "{}");
    assert_eq!(listed().await, ids[1]);
    // The others can still be changed.
    let body = json!({"type": "postgres", "connection": {}});
    let path = format!("/v3/destinations/{}", ids[2]);
    assert_eq!(app.put(&tenant, &path, body).await.ok()["id"], ids[2]);
}

#[tokio::test]
async fn the_name_of_the_file_to_place_is_shown_although_it_is_a_credential() {
    let (app, tenant) = app().await;
    let body = json!({"type": "s3", "connection": {"s3_bucket": "lake"}});
    let created = app.post(&tenant, "/v3/destinations", body).await.ok();
    let key = created["connection"]["sentinel_key"].as_str().unwrap();
    assert!(key.starts_with("stitch-challenge-file-"), "{key}");
    let listed = app.get(&tenant, "/v3/destinations").await.ok();
    assert_eq!(listed[0]["connection"]["sentinel_key"], key);
    let new = app.get(&tenant, "/v4/destinations").await.ok();
    assert_eq!(new[0]["properties"].get("sentinel_key"), None);
}

#[tokio::test]
async fn mistakes_on_create_are_named_in_the_documented_order() {
    let (app, tenant) = app().await;
    let post = |body: Value| app.post(&tenant, "/v3/destinations", body);
    let bad = json!({"host": ""});
    for body in [
        json!({"type": "nope", "connection": bad, "name": "x"}),
        json!({"type": "nope", "properties": bad}),
        json!({"type": "nope"}),
        json!({"connection": bad}),
        json!({"type": "", "connection": bad}),
        json!({"type": 7, "connection": bad}),
        json!({"type": "nope", "connection": "x"}),
        json!([]),
    ] {
        post(body).await.is(400, BODY);
    }
    let unknown = r#"{"error":"InvalidType","data":{"message":"invalid destination type (nope)"}}"#;
    let closed = r#"{"error":"AccessDenied","data":{"message":"you do not have access to destination type (storagegrid)"}}"#;
    let refused =
        post(json!({"type": "postgres", "connection": {"host": "", "nope": 1, "port": "x"}})).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.starts_with(
        r#"{"error":"InvalidProperties","data":{"message":"properties do not match schema","bad_properties":["host","nope","port"],"report_card":{"type":"postgres","current_step":1,"#
    ), "{}", refused.text);
    app.get(&tenant, "/v3/destinations").await.is(200, "[]");

    // One is the limit, whatever the account may have in version 4.
    app.destination(&tenant).await;
    post(json!({"type": "nope", "connection": bad}))
        .await
        .is(400, unknown);
    post(json!({"type": "storagegrid", "connection": bad}))
        .await
        .is(400, closed);
    post(json!({"type": "postgres", "connection": bad}))
        .await
        .is(400, LIMIT);
}

#[tokio::test]
async fn an_account_without_a_right_to_destinations_gets_none_in_version_3_either() {
    let app = TestApp::with(|settings| settings.max_destinations = 0, |state| state).await;
    let tenant = app.tenant("ada@acme.example").await;
    create(&app, &tenant).await.is(400, LIMIT);
}

#[tokio::test]
async fn mistakes_on_update_are_named_in_the_documented_order() {
    let (app, tenant) = app().await;
    let gone = app.destination(&tenant).await;
    app.delete(&tenant, &format!("/v4/destinations/{gone}"))
        .await
        .is(200, "{}");
    let id = create(&app, &tenant).await.ok()["id"].clone();
    for unknown in [gone, 1, i64::MAX] {
        app.put(
            &tenant,
            &format!("/v3/destinations/{unknown}"),
            json!({"type": 5}),
        )
        .await
        .is(400, r#""invalid connection id""#);
    }
    let put = |body: Value| {
        let path = format!("/v3/destinations/{id}");
        let (app, tenant) = (&app, &tenant);
        async move { app.put(tenant, &path, body).await }
    };
    for body in [
        json!({"type": "redshift", "connection": 1}),
        json!({"type": null, "connection": {}}),
        json!({"connection": {}}),
        json!({}),
    ] {
        put(body).await.is(
            400,
            r#""this API endpoint does not support modifying destination type""#,
        );
    }
    for body in [
        json!({"type": "postgres"}),
        json!({"type": "postgres", "connection": null}),
        json!({"type": "postgres", "properties": {"host": "x"}}),
    ] {
        put(body).await.is(400, BODY);
    }
    let refused = put(json!({"type": "postgres", "connection": {"port": null, "nope": 1}})).await;
    assert_eq!(refused.status, 400);
    let refused = refused.json();
    assert_eq!(refused["error"], "InvalidProperties");
    assert_eq!(refused["data"]["bad_properties"], json!(["nope", "port"]));
    // The card as it is without the change.
    assert_eq!(refused["data"]["report_card"]["current_step"], 2);
}

#[tokio::test]
async fn there_is_no_get_and_no_delete_by_id() {
    let (app, tenant) = app().await;
    let id = create(&app, &tenant).await.ok()["id"].clone();
    let not_found = r#"{"error":"NotFound","data":{"message":"not found"}}"#;
    for (method, path) in [
        ("GET", format!("/v3/destinations/{id}")),
        ("DELETE", format!("/v3/destinations/{id}")),
        ("PUT", "/v3/destinations".to_owned()),
        ("PUT", "/v3/destinations/abc".to_owned()),
        ("GET", "/v3/destinations/".to_owned()),
    ] {
        app.send(method, &path, Some(&tenant.token), None)
            .await
            .is(404, not_found);
    }
    // Parameters mean nothing here.
    let listed = app.get(&tenant, "/v3/destinations?page=7").await.ok();
    assert_eq!(listed[0]["id"], id);
}
