use serde_json::{Value, json};

use crate::app::{NOW, TestApp, postgres_destination};

#[tokio::test]
async fn a_new_destination_is_configured_checked_and_shown_without_credentials() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let body = json!({"type": "postgres", "name": "Reporting", "description": "Reporting warehouse", "properties": postgres_destination()});
    let answer = app.post(&tenant, "/v4/destinations", body).await;
    let destination = answer.ok();
    let id = destination["id"].as_i64().unwrap();
    let job = destination["check_job_name"].as_str().unwrap();
    assert!(
        job.starts_with(&format!("{}.{id}.check.", tenant.account)),
        "{job}"
    );
    let card = &destination["report_card"];
    assert_eq!(
        (&card["current_step"], &card["current_step_type"]),
        (&json!(2), &json!("fully_configured"))
    );
    assert!(card.get("details").is_none());
    let start = format!(
        r#"{{"description":"Reporting warehouse","properties":{{"database":"dw","encryption_type":"none","host":"pg.example.net","port":"5432","ssl":"true","username":"loader"}},"updated_at":"{NOW}","check_job_name":"{job}","name":"Reporting","type":"postgres","deleted_at":null,"system_paused_at":null,"stitch_client_id":{},"paused_at":null,"id":{id},"display_name":null,"created_at":"{NOW}","report_card":{{"type":"postgres","current_step":2,"#,
        tenant.account
    );
    assert!(answer.text.starts_with(&start), "{}", answer.text);
    assert!(!answer.text.contains("hunter2"));
}

#[tokio::test]
async fn mistakes_on_create_are_named_in_the_documented_order() {
    let app = TestApp::with(|settings| settings.max_destinations = 1, |state| state).await;
    let tenant = app.tenant("ada@acme.example").await;
    let post = |body: Value| app.post(&tenant, "/v4/destinations", body);
    let prohibited = r#""POST body may only include a type, a name, a description, map of properties, and boolean for unmapped sources""#;
    let bad = json!({"host": ""});
    post(json!({"type": "nope", "properties": bad, "extra": 1}))
        .await
        .is(400, prohibited);
    post(json!({"type": "postgres"})).await.is(400, prohibited);
    post(json!({"type": "nope", "properties": bad})).await.is(
        400,
        r#"{"error":"InvalidType","data":{"message":"invalid destination type (nope)"}}"#,
    );
    let refused =
        post(json!({"type": "postgres", "properties": {"host": "", "nope": 1, "port": "x"}})).await;
    assert!(refused.text.starts_with(
        r#"{"error":"InvalidProperties","data":{"message":"properties do not match schema","bad_properties":["host","nope","port"],"report_card":{"type":"postgres","current_step":1,"#
    ), "{}", refused.text);
    assert_eq!(refused.status, 400);
    app.destination(&tenant).await;
    // The limit comes before the properties, the access before the limit.
    post(json!({"type": "postgres", "properties": bad}))
        .await
        .is(400, r#""you are at your destination limit""#);
    post(json!({"type": "storagegrid", "properties": bad})).await.is(
        400,
        r#"{"error":"AccessDenied","data":{"message":"you do not have access to destination type (storagegrid)"}}"#,
    );
}

#[tokio::test]
async fn names_are_made_from_the_type_and_need_not_be_unique() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let mut names = Vec::new();
    for name in [None, None, Some("postgres"), None] {
        let body = json!({"type": "postgres", "properties": {}, "name": name});
        names.push(app.post(&tenant, "/v4/destinations", body).await.ok()["name"].clone());
    }
    assert_eq!(names, ["postgres", "postgres_2", "postgres", "postgres_3"]);
}

#[tokio::test]
async fn what_this_build_cannot_honour_is_refused_with_a_sentence() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let body = json!({"type": "postgres", "properties": {"encryption_type": "ssh"}});
    let refused = app.post(&tenant, "/v4/destinations", body).await;
    assert_eq!(refused.status, 400);
    let refused = refused.json();
    assert_eq!(refused["error"], "InvalidProperties");
    assert_eq!(
        refused["data"]["bad_properties"],
        json!(["encryption_type"])
    );
    assert!(
        refused["data"]["message"]
            .as_str()
            .unwrap()
            .contains("encryption_type")
    );
    app.get(&tenant, "/v4/destinations").await.is(200, "[]");
}

#[tokio::test]
async fn an_update_merges_and_starts_a_new_check() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let id = app.destination(&tenant).await;
    let path = format!("/v4/destinations/{id}");
    let before = app.get(&tenant, "/v4/destinations").await.ok()[0].clone();
    app.clock.advance_seconds(60);
    for body in [
        json!({"properties": {"host": "other.example.net"}}),
        json!({"host": "other.example.net"}),
        json!({"type": "postgres", "properties": {"host": "other.example.net"}, "name": "postgres", "description": null}),
    ] {
        let after = app.put(&tenant, &path, body).await.ok();
        assert_eq!(after["properties"]["host"], "other.example.net");
        assert_eq!(after["properties"]["port"], "5432");
        assert_eq!(after["updated_at"], "2031-02-03T04:06:06Z");
        assert_ne!(after["check_job_name"], before["check_job_name"]);
        let check = app
            .get(&tenant, &format!("{path}/last-connection-check"))
            .await
            .ok();
        assert_eq!(check["name"], after["check_job_name"]);
    }
}

#[tokio::test]
async fn mistakes_on_update_are_named_in_the_documented_order() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let id = app.destination(&tenant).await;
    let gone = app.destination(&tenant).await;
    app.delete(&tenant, &format!("/v4/destinations/{gone}"))
        .await
        .is(200, "{}");
    for unknown in [gone, 1, i64::MAX] {
        app.put(
            &tenant,
            &format!("/v4/destinations/{unknown}"),
            json!({"type": 5}),
        )
        .await
        .is(400, r#""invalid connection id""#);
    }
    let put = |body: Value| {
        let path = format!("/v4/destinations/{id}");
        let (app, tenant) = (&app, &tenant);
        async move { app.put(tenant, &path, body).await }
    };
    for body in [
        json!({"type": "redshift", "extra": 1}),
        json!({"type": null}),
    ] {
        put(body).await.is(
            400,
            r#""this API endpoint does not support modifying destination type""#,
        );
    }
    for body in [
        json!({}),
        json!({"type": "postgres"}),
        json!({"properties": {}, "extra": 1}),
        json!({"properties": 1}),
        json!([]),
    ] {
        put(body).await.is(
            400,
            r#""PUT body may only include a name, a description, and map of properties""#,
        );
    }
    for body in [
        json!({"properties": {"port": null}}),
        json!({"port": "x"}),
        json!({"properties": {"port": ""}}),
    ] {
        let refused = put(body).await;
        assert_eq!(refused.status, 400);
        assert_eq!(refused.json()["data"]["bad_properties"], json!(["port"]));
        // The card as it is without the change.
        assert_eq!(refused.json()["data"]["report_card"]["current_step"], 2);
    }
    assert_eq!(
        put(json!({"nope": 1})).await.json()["data"]["bad_properties"],
        json!(["nope"])
    );
}

#[tokio::test]
async fn the_list_can_be_narrowed_down_to_a_source_or_an_id() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let first = app.destination(&tenant).await;
    let source = app.source(&tenant, "Shop").await;
    let second = app.destination(&tenant).await;
    let list = async |query: &str| {
        let answer = app
            .get(&tenant, &format!("/v4/destinations{query}"))
            .await
            .ok();
        answer
            .as_array()
            .unwrap()
            .iter()
            .map(|destination| destination["id"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(list("").await, [first, second]);
    assert_eq!(list(&format!("?source_id={source}")).await, [first]);
    assert_eq!(list(&format!("?destination_id={second}")).await, [second]);
    assert_eq!(
        list(&format!("?destination_id={second}&source_id={source}")).await,
        [0; 0]
    );
    for nothing in [
        "?source_id=",
        "?source_id=x",
        "?destination_id=1",
        "?destination_id=-1",
        "?source_id=99999999999999999999",
    ] {
        assert_eq!(list(nothing).await, [0; 0], "{nothing}");
    }
    app.delete(&tenant, &format!("/v4/sources/{source}"))
        .await
        .ok();
    assert_eq!(
        list(&format!("?source_id={source}")).await,
        [0; 0],
        "a deleted source leads nowhere"
    );
    app.get(&tenant, "/v4/destinations?page=1").await.is(
        400,
        r#""GET may only include the params: source_id and/or destination_id""#,
    );
}

#[tokio::test]
async fn deleting_unmaps_sources_and_a_new_destination_takes_them() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let source = app.configured_source(&tenant, "Shop").await;
    let path = format!("/v4/sources/{source}");
    let destination = app.get(&tenant, &path).await.ok()["destination_id"]
        .as_i64()
        .unwrap();
    app.clock.advance_seconds(60);
    app.delete(&tenant, &format!("/v4/destinations/{destination}"))
        .await
        .is(200, "{}");
    let unmapped = app.get(&tenant, &path).await.ok();
    assert_eq!(unmapped["destination_id"], Value::Null);
    assert_eq!(unmapped["system_paused_at"], "2031-02-03T04:06:06Z");
    assert_eq!(unmapped["schedule"], Value::Null);
    app.get(&tenant, "/v4/destinations").await.is(200, "[]");
    let message = format!(
        r#""Unable to locate dest ({destination}) for client ({}) to delete""#,
        tenant.account
    );
    app.delete(&tenant, &format!("/v4/destinations/{destination}"))
        .await
        .is(400, &message);

    let ignoring = json!({"type": "postgres", "properties": {}, "ignore_unmapped_sources": true});
    app.post(&tenant, "/v4/destinations", ignoring).await.ok();
    assert_eq!(
        app.get(&tenant, &path).await.ok()["destination_id"],
        Value::Null
    );
    let new = app.destination(&tenant).await;
    let mapped = app.get(&tenant, &path).await.ok();
    assert_eq!(mapped["destination_id"], new);
    assert_eq!(mapped["system_paused_at"], Value::Null);
    assert_ne!(mapped["schedule"], Value::Null);
}

#[tokio::test]
async fn a_destination_is_not_found_by_id() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let id = app.destination(&tenant).await;
    let not_found = r#"{"error":"NotFound","data":{"message":"not found"}}"#;
    app.get(&tenant, &format!("/v4/destinations/{id}"))
        .await
        .is(404, not_found);
    for path in [
        "/v4/destinations/",
        "/v4/destinations/abc",
        "/v4/destinations/+1",
    ] {
        app.delete(&tenant, path).await.is(404, not_found);
    }
}
