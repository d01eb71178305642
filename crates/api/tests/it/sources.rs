use serde_json::{Value, json};

use crate::app::{Answer, NOW, Tenant, TestApp, postgres_source};

const POST_BODY: &str = r#"{"error":"InvalidBody","data":{"message":"POST body may only include a non-empty type, a non-empty display_name and map of string properties"}}"#;
const PUT_BODY: &str = r#"{"error":"InvalidBody","data":{"message":"PUT body many only include the keys: display_name, properties, and paused_at"}}"#;

async fn app() -> (TestApp, Tenant) {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    (app, tenant)
}

fn bad_properties(answer: &Answer) -> Value {
    assert_eq!(answer.status, 400, "{}", answer.text);
    let body = answer.json();
    assert_eq!(body["error"], "InvalidProperties");
    body["data"]["bad_properties"].clone()
}

#[tokio::test]
async fn a_new_source_stands_on_discovery_with_a_check_under_way() {
    let (app, tenant) = app().await;
    let body = json!({"type": "platform.postgres", "display_name": "Shop DB", "properties": postgres_source()});
    let answer = app.post(&tenant, "/v4/sources", body).await;
    let source = answer.ok();
    let (id, job) = (
        source["id"].as_i64().unwrap(),
        source["check_job_name"].as_str().unwrap(),
    );
    assert!(job.starts_with(&format!("{}.{id}.check.", tenant.account)));
    let start = format!(
        r#"{{"properties":{{"dbname":"shop","host":"db.example.net","image_version":"1.latest","port":"5432","user":"reader"}},"updated_at":"{NOW}","schedule":null,"check_job_name":"{job}","name":"shop_db","type":"platform.postgres","deleted_at":null,"system_paused_at":null,"stitch_client_id":{},"paused_at":null,"id":{id},"display_name":"Shop DB","created_at":"{NOW}","destination_id":null,"report_card":{{"type":"platform.postgres","current_step":2,"current_step_type":"discover_schema","steps":["#,
        tenant.account
    );
    // The image version is the catalogue's.
    let start = start.replace(
        "1.latest",
        source["properties"]["image_version"].as_str().unwrap(),
    );
    assert!(answer.text.starts_with(&start), "{}", answer.text);
    assert!(!answer.text.contains("hunter2"));
    assert!(source["report_card"].get("details").is_none());
}

#[tokio::test]
async fn a_source_with_missing_settings_waits_on_its_form_without_a_check() {
    let (app, tenant) = app().await;
    let body = json!({"type": "platform.postgres", "display_name": "Shop"});
    let source = app.post(&tenant, "/v4/sources", body).await.ok();
    assert_eq!(source["report_card"]["current_step_type"], "form");
    assert_eq!(source["check_job_name"], Value::Null);
    let path = format!("/v4/sources/{}", source["id"]);
    let source = app
        .put(&tenant, &path, json!({"properties": postgres_source()}))
        .await
        .ok();
    assert_eq!(
        source["report_card"]["current_step_type"],
        "discover_schema"
    );
    assert_ne!(source["check_job_name"], Value::Null);
}

#[tokio::test]
async fn pushed_sources_are_configured_at_once_and_never_checked() {
    let (app, tenant) = app().await;
    app.destination(&tenant).await;
    let body = json!({"type": "import_api", "display_name": "Pushed Events"});
    let source = app.post(&tenant, "/v4/sources", body).await.ok();
    assert_eq!(source["name"], "pushed_events");
    assert_eq!(
        source["report_card"]["current_step_type"],
        "fully_configured"
    );
    assert_eq!(source["check_job_name"], Value::Null);
    assert_eq!(source["schedule"], Value::Null);
}

#[tokio::test]
async fn mistakes_on_create_are_named_in_the_documented_order() {
    let (app, tenant) = app().await;
    app.source(&tenant, "Shop").await;
    let post = |body: Value| app.post(&tenant, "/v4/sources", body);
    let bad = json!({"host": ""});
    post(json!({"type": "nope", "display_name": "####", "extra": 1}))
        .await
        .is(400, POST_BODY);
    post(json!({"type": "", "display_name": "x"}))
        .await
        .is(400, POST_BODY);
    post(json!({"type": "platform.postgres"}))
        .await
        .is(400, POST_BODY);
    for stub in ["platform.nope", "salesforce"] {
        let expected = format!(
            r#"{{"error":"InvalidType","data":{{"message":"invalid source type ({stub})"}}}}"#
        );
        post(json!({"type": stub, "display_name": "####"}))
            .await
            .is(400, &expected);
    }
    post(json!({"type": "platform.postgres", "display_name": "####", "destination_id": 1})).await.is(
        400,
        r#"{"error":"InvalidDisplayName","data":{"message":"invalid name after deriving it from display_name (#### -> )"}}"#,
    );
    post(json!({"type": "platform.postgres", "display_name": "####", "name": "1a"})).await.is(
        400,
        r#"{"error":"InvalidName","data":{"message":"The name field must be under 50 characters, and can only contain lowercase letters, numbers, underscores, or dollar signs. It must begin with a letter or an underscore."}}"#,
    );
    post(json!({"type": "platform.postgres", "display_name": "shop", "destination_id": 1}))
        .await
        .is(
            400,
            r#"{"error":"InvalidName","data":{"message":"non-unique name (shop)"}}"#,
        );
    post(json!({"type": "platform.postgres", "display_name": "New", "name": "shop"}))
        .await
        .is(
            400,
            r#"{"error":"InvalidName","data":{"message":"non-unique name (shop)"}}"#,
        );
    post(json!({"type": "platform.postgres", "display_name": "SHOP!!!"})).await.is(
        400,
        r#"{"error":"InvalidName","data":{"message":"non-unique name after deriving it from display_name (SHOP!!! -> shop)"}}"#,
    );
    post(json!({"type": "platform.postgres", "display_name": "New", "destination_id": 1, "properties": bad})).await.is(
        400,
        r#"{"error":"InvalidId","data":{"message":"destination not found (1)"}}"#,
    );
    let refused = post(json!({"type": "platform.postgres", "display_name": "New", "properties": {"host": "", "image_version": "9", "nope": 1, "cron_expression": "* * * * * *"}})).await;
    assert_eq!(
        bad_properties(&refused),
        json!(["host", "image_version", "nope"])
    );
    assert_eq!(
        refused.json()["data"]["message"],
        "properties do not match schema"
    );
    assert_eq!(refused.json()["data"]["report_card"]["current_step"], 1);
    post(json!({"type": "platform.postgres", "display_name": "New", "properties": {"cron_expression": "* * * * * *"}})).await.is(
        400,
        r#"{"error":"InvalidCronExpression","data":{"message":"cron_expression \"* * * * * *\" is invalid: Support for specifying both a day-of-week AND a day-of-month parameter is not implemented."}}"#,
    );
    post(json!({"type": "platform.postgres", "display_name": "New", "properties": {"cron_expression": "0 0 6 30 2 ?"}})).await.is(
        400,
        r#"{"error":"InvalidCronExpression","data":{"message":"cron_expression \"0 0 6 30 2 ?\" is invalid: It never fires."}}"#,
    );
    // Nothing of all this was stored.
    assert_eq!(
        app.get(&tenant, "/v4/sources")
            .await
            .ok()
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_type_without_access_is_refused_before_its_name() {
    let (app, tenant) = app().await;
    let types = app.get(&tenant, "/v4/source-types").await.ok();
    let closed = types.as_array().unwrap().iter();
    let closed =
        closed.filter(|card| card["details"]["access"] == false && card.get("steps").is_some());
    let name = closed
        .map(|card| card["type"].as_str().unwrap())
        .next()
        .unwrap();
    let expected = format!(
        r#"{{"error":"AccessDenied","data":{{"message":"you do not have access to source type ({name})"}}}}"#
    );
    app.post(
        &tenant,
        "/v4/sources",
        json!({"type": name, "display_name": "####"}),
    )
    .await
    .is(400, &expected);
}

#[tokio::test]
async fn what_this_build_cannot_honour_is_refused_with_a_sentence() {
    let (app, tenant) = app().await;
    for (name, value) in [
        ("ssh", json!("true")),
        ("use_log_based_replication", json!(true)),
    ] {
        let body = json!({"type": "platform.postgres", "display_name": "Shop", "properties": {name: value}});
        let refused = app.post(&tenant, "/v4/sources", body).await;
        assert_eq!(bad_properties(&refused), json!([name]));
        assert!(
            refused.json()["data"]["message"]
                .as_str()
                .unwrap()
                .contains(name)
        );
    }
}

#[tokio::test]
async fn the_name_of_a_deleted_source_is_free_again() {
    let (app, tenant) = app().await;
    let id = app.source(&tenant, "Shop").await;
    app.clock.advance_seconds(60);
    let deleted = app.delete(&tenant, &format!("/v4/sources/{id}")).await.ok();
    assert_eq!(deleted["deleted_at"], "2031-02-03T04:06:06Z");
    assert_eq!(deleted["schedule"], Value::Null);
    let second = app.source(&tenant, "Shop").await;
    let listed = app.get(&tenant, "/v4/sources").await.ok();
    let ids: Vec<i64> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|source| source["id"].as_i64().unwrap())
        .collect();
    assert_eq!(ids, [id, second], "deleted sources stay in the list");
    assert_eq!(
        app.get(&tenant, &format!("/v4/sources/{id}")).await.ok()["deleted_at"],
        "2031-02-03T04:06:06Z"
    );
}

#[tokio::test]
async fn mistakes_on_update_are_named_in_the_documented_order() {
    let (app, tenant) = app().await;
    let id = app.source(&tenant, "Shop").await;
    let gone = app.source(&tenant, "Gone").await;
    app.delete(&tenant, &format!("/v4/sources/{gone}"))
        .await
        .ok();
    for unknown in [gone, 1] {
        let expected = format!(
            r#"{{"error":"InvalidId","data":{{"message":"source not found ({unknown})"}}}}"#
        );
        app.put(
            &tenant,
            &format!("/v4/sources/{unknown}"),
            json!({"extra": 1}),
        )
        .await
        .is(400, &expected);
        app.delete(&tenant, &format!("/v4/sources/{unknown}"))
            .await
            .is(400, &expected);
    }
    let put = |body: Value| {
        let path = format!("/v4/sources/{id}");
        let (app, tenant) = (&app, &tenant);
        async move { app.put(tenant, &path, body).await }
    };
    for body in [
        json!({"display_name": "", "name": "x"}),
        json!({"type": "platform.postgres"}),
        json!({"paused_at": "yesterday"}),
        json!({"properties": []}),
        json!([]),
    ] {
        put(body).await.is(400, PUT_BODY);
    }
    put(json!({"display_name": "", "destination_id": 1}))
        .await
        .is(
            400,
            r#"{"error":"InvalidDisplayName","data":{"message":"invalid display_name ()"}}"#,
        );
    put(json!({"destination_id": 1, "properties": {"host": ""}}))
        .await
        .is(
            400,
            r#"{"error":"InvalidId","data":{"message":"destination not found (1)"}}"#,
        );
    let refused = put(
        json!({"display_name": "Changed", "properties": {"host": null, "cron_expression": "x"}}),
    )
    .await;
    assert_eq!(bad_properties(&refused), json!(["host"]));
    assert_eq!(
        refused.json()["data"]["report_card"]["current_step_type"],
        "discover_schema"
    );
    let refused =
        put(json!({"display_name": "Changed", "properties": {"cron_expression": "0 0 6 1 * MON"}}))
            .await;
    assert_eq!(refused.json()["error"], "InvalidCronExpression");
    assert_eq!(
        app.get(&tenant, &format!("/v4/sources/{id}")).await.ok()["display_name"],
        "Shop"
    );
}

#[tokio::test]
async fn an_empty_update_changes_nothing_and_a_label_only_the_label() {
    let (app, tenant) = app().await;
    let id = app.source(&tenant, "Shop").await;
    let path = format!("/v4/sources/{id}");
    let before = app.get(&tenant, &path).await.ok();
    app.clock.advance_seconds(60);
    assert_eq!(app.put(&tenant, &path, json!({})).await.ok(), before);
    let after = app
        .put(&tenant, &path, json!({"display_name": "Store"}))
        .await
        .ok();
    assert_eq!(
        (&after["display_name"], &after["name"]),
        (&json!("Store"), &json!("shop"))
    );
    assert_eq!(after["check_job_name"], before["check_job_name"]);
    assert_eq!(after["updated_at"], "2031-02-03T04:06:06Z");
}

#[tokio::test]
async fn settings_start_a_check_and_schedule_settings_alone_do_not() {
    let (app, tenant) = app().await;
    let id = app.source(&tenant, "Shop").await;
    let path = format!("/v4/sources/{id}");
    let mut job = app.get(&tenant, &path).await.ok()["check_job_name"].clone();
    for (properties, starts) in [
        (json!({}), true),
        (json!({"host": "db.example.net"}), true),
        (
            json!({"frequency_in_minutes": "30", "anchor_time": "2031-01-01T00:00:00Z"}),
            false,
        ),
        (json!({"anchor_time": null, "cron_expression": null}), false),
        (json!({"frequency_in_minutes": 60, "user": "other"}), true),
    ] {
        let after = app
            .put(&tenant, &path, json!({"properties": properties}))
            .await
            .ok();
        assert_eq!(after["check_job_name"] != job, starts, "{properties}");
        job = after["check_job_name"].clone();
    }
}

#[tokio::test]
async fn pausing_keeps_the_value_sent_and_takes_the_schedule_away() {
    let (app, tenant) = app().await;
    let id = app.configured_source(&tenant, "Shop").await;
    let path = format!("/v4/sources/{id}");
    assert_ne!(app.get(&tenant, &path).await.ok()["schedule"], Value::Null);
    for sent in [
        "2031-02-03T00:00:00Z",
        "1999-12-31T23:00:00.123+02:00",
        "2099-01-01",
    ] {
        let paused = app
            .put(&tenant, &path, json!({"paused_at": sent}))
            .await
            .ok();
        assert_eq!(
            (&paused["paused_at"], &paused["schedule"]),
            (&json!(sent), &Value::Null)
        );
    }
    let unpaused = app
        .put(&tenant, &path, json!({"paused_at": null}))
        .await
        .ok();
    assert_eq!(unpaused["paused_at"], Value::Null);
    assert_ne!(unpaused["schedule"], Value::Null);
}

#[tokio::test]
async fn moving_a_source_pauses_it_unless_told_otherwise() {
    let (app, tenant) = app().await;
    let id = app.configured_source(&tenant, "Shop").await;
    let (second, third) = (
        app.destination(&tenant).await,
        app.destination(&tenant).await,
    );
    let path = format!("/v4/sources/{id}");
    let moved = app
        .put(&tenant, &path, json!({"destination_id": second}))
        .await
        .ok();
    assert_eq!(
        (&moved["destination_id"], &moved["paused_at"]),
        (&json!(second), &json!(NOW))
    );
    let moved = app
        .put(
            &tenant,
            &path,
            json!({"destination_id": third, "paused_at": null}),
        )
        .await
        .ok();
    assert_eq!(
        (&moved["destination_id"], &moved["paused_at"]),
        (&json!(third), &Value::Null)
    );
    let same = app
        .put(&tenant, &path, json!({"destination_id": third}))
        .await
        .ok();
    assert_eq!(same["paused_at"], Value::Null);
    let unmapped = app
        .put(&tenant, &path, json!({"destination_id": null}))
        .await
        .ok();
    assert_eq!(
        (
            &unmapped["destination_id"],
            &unmapped["schedule"],
            &unmapped["paused_at"]
        ),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    let mapped = app
        .put(&tenant, &path, json!({"destination_id": second}))
        .await
        .ok();
    assert_eq!(
        mapped["paused_at"],
        Value::Null,
        "a first mapping does not pause"
    );
    assert_ne!(mapped["schedule"], Value::Null);
}

#[tokio::test]
async fn moving_a_paused_source_keeps_the_value_that_was_sent() {
    let (app, tenant) = app().await;
    let id = app.configured_source(&tenant, "Shop").await;
    let second = app.destination(&tenant).await;
    let path = format!("/v4/sources/{id}");
    let sent = "2031-01-01T00:00:00Z";
    app.put(&tenant, &path, json!({"paused_at": sent}))
        .await
        .ok();
    let moved = app
        .put(&tenant, &path, json!({"destination_id": second}))
        .await
        .ok();
    assert_eq!(moved["paused_at"], sent);
    let moved = app
        .put(
            &tenant,
            &path,
            json!({"destination_id": null, "paused_at": null}),
        )
        .await
        .ok();
    assert_eq!(moved["paused_at"], Value::Null);
}

#[tokio::test]
async fn a_waiting_job_does_not_follow_its_source_to_another_destination() {
    let (app, tenant) = app().await;
    let id = app.configured_source(&tenant, "Shop").await;
    let path = format!("/v4/sources/{id}");
    let old = app.get(&tenant, &path).await.ok()["destination_id"].clone();
    let second = app.destination(&tenant).await;
    let sync = format!("{path}/sync");
    let start = async || app.post(&tenant, &sync, Value::Null).await.ok();
    let remap = async |body: Value| app.put(&tenant, &path, body).await.ok();

    start().await;
    remap(json!({"destination_id": second})).await;
    assert!(app.claim(false).await.is_none(), "it has been called off");
    // Asked to go on at once, it goes on.
    start().await;
    remap(json!({"destination_id": old, "paused_at": null})).await;
    let job = app.claim(false).await.unwrap();
    // One that runs is not disturbed.
    remap(json!({"destination_id": second})).await;
    let progress = app.get(&tenant, &sync).await.ok();
    assert_eq!(progress["job_name"], job.name.to_string());
    assert_eq!(progress["stop_requested_at"], Value::Null);
}

#[tokio::test]
async fn a_source_is_mapped_to_the_only_destination() {
    let (app, tenant) = app().await;
    let only = app.destination(&tenant).await;
    let first = app.source(&tenant, "First").await;
    app.destination(&tenant).await;
    let second = app.source(&tenant, "Second").await;
    let destination = async |id: i64| {
        app.get(&tenant, &format!("/v4/sources/{id}")).await.ok()["destination_id"].clone()
    };
    assert_eq!(destination(first).await, only);
    assert_eq!(destination(second).await, Value::Null);
}

#[tokio::test]
async fn an_unknown_source_has_a_text_of_its_own() {
    let (app, tenant) = app().await;
    app.get(&tenant, "/v4/sources/1").await.is(
        404,
        r#"{"error":"InvalidId","data":{"message":"source not found (1)"}}"#,
    );
    app.get(&tenant, "/v4/sources/x").await.is(
        404,
        r#"{"error":"NotFound","data":{"message":"not found"}}"#,
    );
}

#[tokio::test]
async fn a_new_start_date_starts_every_stream_over() {
    let (app, tenant) = app().await;
    // Any type with a start date and discovery will do; its settings need not lead anywhere.
    let body = json!({"type": "platform.github", "display_name": "Code", "properties": {"access_token": "hunter2", "repository": "acme/site", "start_date": "2030-01-01T00:00:00Z"}});
    let source = app.post(&tenant, "/v4/sources", body).await.ok();
    app.run_checks().await;
    let scope = selvedge_types::AccountScope::of(selvedge_types::AccountId(tenant.account));
    let id = selvedge_types::SourceId(source["id"].as_i64().unwrap());
    let epoch = async || {
        let mut tx = app.control.store().read().await.unwrap();
        let stream = selvedge_store::streams::find_by_tap_stream_id(
            &mut tx,
            scope,
            id,
            "shop-public-orders",
        )
        .await
        .unwrap();
        stream.unwrap().epoch
    };
    let before = epoch().await;
    let path = format!("/v4/sources/{id}");
    app.put(
        &tenant,
        &path,
        json!({"properties": {"start_date": "2030-01-01T00:00:00Z"}}),
    )
    .await
    .ok();
    assert_eq!(epoch().await, before, "the same date changes nothing");
    app.put(
        &tenant,
        &path,
        json!({"properties": {"start_date": "2029-01-01T00:00:00Z"}}),
    )
    .await
    .ok();
    assert_eq!(epoch().await, before + 1);
}
