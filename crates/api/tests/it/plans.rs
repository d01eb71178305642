use std::collections::BTreeMap;

use selvedge_control::plans::{self, Features, Plans};
use selvedge_control::{ControlError, scheduler};
use selvedge_store::{accounts, sources};
use selvedge_types::{AccountId, AccountScope, SourceId};
use serde_json::{Value, json};

use crate::app::{NOW, Tenant, TestApp, success};

const EMAILS: &str = "/notifications/public/v1/api/custom-emails";
const HOOKS: &str = "/notifications/public/v1/api/hooks";
const UNAUTHORIZED: &str =
    r#"{"error":"Unauthorized","data":{"message":"invalid or missing access token"}}"#;

/// A plan per missing feature, and one that has everything.
fn defined() -> Plans {
    let all = Features::default;
    let plans = [
        ("all", all()),
        (
            "no_api",
            Features {
                api_access: false,
                ..all()
            },
        ),
        (
            "two_destinations",
            Features {
                max_destinations: Some(2),
                ..all()
            },
        ),
        (
            "no_cron",
            Features {
                cron_scheduling: false,
                ..all()
            },
        ),
        (
            "no_emails",
            Features {
                custom_emails: false,
                ..all()
            },
        ),
        (
            "no_hooks",
            Features {
                hooks: false,
                ..all()
            },
        ),
        (
            "no_enterprise",
            Features {
                enterprise_types: false,
                ..all()
            },
        ),
        (
            "week_of_logs",
            Features {
                log_retention_days: Some(7),
                ..all()
            },
        ),
    ];
    let by_name = plans.map(|(name, features)| (name.to_owned(), features));
    Plans::new(BTreeMap::from(by_name), None).unwrap()
}

async fn app() -> TestApp {
    TestApp::with(|settings| settings.plans = defined(), |state| state).await
}

fn scope(tenant: &Tenant) -> AccountScope {
    AccountScope::of(AccountId(tenant.account))
}

/// What `selvedge account plan` does.
async fn put_on(app: &TestApp, tenant: &Tenant, plan: Option<&str>) -> Vec<SourceId> {
    let plans = &app.control.settings().plans;
    plans::assign(
        app.control.store(),
        plans,
        scope(tenant),
        plan,
        app.control.now(),
    )
    .await
    .unwrap()
}

async fn tenant_on(app: &TestApp, plan: &str) -> Tenant {
    let tenant = app.tenant(&format!("{plan}@acme.example")).await;
    assert!(put_on(app, &tenant, Some(plan)).await.is_empty());
    tenant
}

#[tokio::test]
async fn without_api_access_no_token_is_accepted_until_it_is_back() {
    let app = app().await;
    let tenant = tenant_on(&app, "no_api").await;
    for path in ["/v4/sources", "/v4/source-types", EMAILS] {
        app.get(&tenant, path).await.is(401, UNAUTHORIZED);
    }
    put_on(&app, &tenant, Some("all")).await;
    app.get(&tenant, "/v4/sources").await.is(200, "[]");
    put_on(&app, &tenant, Some("no_api")).await;
    app.get(&tenant, "/v4/sources").await.is(401, UNAUTHORIZED);
    put_on(&app, &tenant, None).await;
    app.get(&tenant, "/v4/sources").await.is(200, "[]");
}

#[tokio::test]
async fn new_accounts_are_on_the_default_plan() {
    let configure = |settings: &mut selvedge_control::Settings| {
        let basic = Features {
            hooks: false,
            ..Features::default()
        };
        let by_name = BTreeMap::from([("basic".to_owned(), basic)]);
        settings.plans = Plans::new(by_name, Some("basic".to_owned())).unwrap();
    };
    let app = TestApp::with(configure, |state| state).await;
    let tenant = app.tenant("ada@acme.example").await;
    app.post(&tenant, HOOKS, json!({}))
        .await
        .shows("HKS-2", &[]);
    let mut tx = app.control.store().read().await.unwrap();
    let plan = accounts::plan(&mut tx, scope(&tenant)).await.unwrap();
    assert_eq!(plan.as_deref(), Some("basic"));
}

#[tokio::test]
async fn the_plan_says_how_many_destinations_there_may_be() {
    let app = TestApp::with(
        |settings| {
            settings.plans = defined();
            settings.max_destinations = 1;
        },
        |state| state,
    )
    .await;
    let tenant = tenant_on(&app, "two_destinations").await;
    app.destination(&tenant).await;
    app.destination(&tenant).await;
    let body = json!({"type": "postgres", "properties": {}});
    let limit = r#""you are at your destination limit""#;
    app.post(&tenant, "/v4/destinations", body.clone())
        .await
        .is(400, limit);
    let other = tenant_on(&app, "all").await;
    app.destination(&other).await;
    app.post(&other, "/v4/destinations", body)
        .await
        .is(400, limit);
}

#[tokio::test]
async fn cron_expressions_need_their_feature_before_they_are_looked_at() {
    let app = app().await;
    let tenant = tenant_on(&app, "no_cron").await;
    let source = app.source(&tenant, "Shop").await;
    for expression in ["0 15 6 ? * *", "* * * * * *", "nonsense"] {
        let properties = json!({"cron_expression": expression});
        let body =
            json!({"type": "platform.postgres", "display_name": "New", "properties": properties});
        app.post(&tenant, "/v4/sources", body)
            .await
            .shows("SRC-9", &[]);
        app.put(
            &tenant,
            &format!("/v4/sources/{source}"),
            json!({"display_name": "Changed", "properties": properties}),
        )
        .await
        .shows("SRC-9", &[]);
    }
    // The schemas come before the feature.
    let body = json!({"type": "platform.postgres", "display_name": "New", "properties": {"cron_expression": "0 15 6 ? * *", "host": ""}});
    let refused = app.post(&tenant, "/v4/sources", body).await;
    assert_eq!(refused.json()["error"], "InvalidProperties");
    // Taking none away is fine.
    let unchanged = app
        .put(
            &tenant,
            &format!("/v4/sources/{source}"),
            json!({"properties": {"cron_expression": null}}),
        )
        .await
        .ok();
    assert_eq!(unchanged["display_name"], "Shop");
}

#[tokio::test]
async fn custom_emails_need_their_feature_before_the_body_is_looked_at() {
    let app = app().await;
    let tenant = app.tenant("ada@acme.example").await;
    let body = json!({"email_address": "ops@acme.example"});
    let id = app.post(&tenant, EMAILS, body.clone()).await.ok()["id"].clone();
    put_on(&app, &tenant, Some("no_emails")).await;
    for body in [body, json!({"email_address": "nobody"}), json!({})] {
        app.post(&tenant, EMAILS, body).await.shows("EML-3", &[]);
    }
    // What is there can still be seen, disabled and forgotten.
    let path = format!("{EMAILS}/{id}");
    assert_eq!(app.get(&tenant, EMAILS).await.ok()[0]["id"], id);
    app.put(&tenant, &path, json!({"disabled_at": NOW}))
        .await
        .ok();
    app.delete(&tenant, &path).await.is(200, "[1]");
}

#[tokio::test]
async fn hooks_need_their_feature_before_the_body_is_looked_at() {
    let app = app().await;
    let tenant = app.tenant("ada@acme.example").await;
    let destination = app.destination(&tenant).await;
    let body = json!({"type": "post_load", "destination_id": destination, "config": {"url": "https://hooks.example.org/"}});
    let id = app.post(&tenant, HOOKS, body.clone()).await.ok()["id"].clone();
    put_on(&app, &tenant, Some("no_hooks")).await;
    for body in [body, json!({"type": "post_load"}), Value::Null] {
        app.post(&tenant, HOOKS, body).await.shows("HKS-2", &[]);
    }
    let path = format!("{HOOKS}/{id}");
    assert_eq!(app.get(&tenant, HOOKS).await.ok()["post_load"][0]["id"], id);
    app.put(&tenant, &path, json!({"enable": false})).await.ok();
    app.delete(&tenant, &path).await.is(200, "null");
}

#[tokio::test]
async fn access_to_enterprise_types_is_the_callers_own() {
    let app = app().await;
    let (limited, other) = (
        tenant_on(&app, "no_enterprise").await,
        tenant_on(&app, "all").await,
    );
    for (tenant, enterprise) in [(&limited, false), (&other, true)] {
        for (path, access) in [
            ("/v4/source-types/platform.oracle", enterprise),
            ("/v4/source-types/platform.postgres", true),
            ("/v4/source-types/platform.toast", false),
            ("/v4/destination-types/postgres", true),
            // In development, whatever the plan.
            ("/v4/destination-types/storagegrid", false),
        ] {
            let card = app.get(tenant, path).await.ok();
            assert_eq!(card["details"]["access"], access, "{path}");
            let list = path.rsplit_once('/').unwrap().0;
            let listed = app.get(tenant, list).await.ok();
            assert!(listed.as_array().unwrap().contains(&card), "{path}");
        }
    }
    // The access comes before the name and the properties.
    let body =
        json!({"type": "platform.oracle", "display_name": "####", "properties": {"nope": 1}});
    app.post(&limited, "/v4/sources", body.clone()).await.is(
        400,
        r#"{"error":"AccessDenied","data":{"message":"you do not have access to source type (platform.oracle)"}}"#,
    );
    let past_access = app.post(&other, "/v4/sources", body).await;
    assert_eq!(past_access.json()["error"], "InvalidDisplayName");
    let body = json!({"type": "platform.oracle", "display_name": "Erp"});
    app.post(&other, "/v4/sources", body).await.ok();
    let body = json!({"type": "storagegrid", "properties": {}});
    app.post(&limited, "/v4/destinations", body).await.is(
        400,
        r#"{"error":"AccessDenied","data":{"message":"you do not have access to destination type (storagegrid)"}}"#,
    );
}

#[tokio::test]
async fn logs_are_read_for_as_long_as_the_plan_says() {
    let app = app().await;
    let tenant = tenant_on(&app, "week_of_logs").await;
    let source = app.configured_source(&tenant, "Shop").await;
    app.post(&tenant, &format!("/v4/sources/{source}/sync"), Value::Null)
        .await
        .ok();
    let job = app.claim(false).await.unwrap();
    app.finish(&job, success()).await;
    app.logs.write(&job.name, "text");
    let log = format!("/v4/{}/extractions/{}", tenant.account, job.name);
    app.clock.advance_seconds(7 * 86_400);
    assert_eq!(app.get(&tenant, &log).await.status, 302);
    app.clock.advance_seconds(1);
    assert_eq!(app.get(&tenant, &log).await.status, 404);
    // The record itself stays.
    let listed = app
        .get(&tenant, &format!("/v4/{}/extractions", tenant.account))
        .await
        .ok();
    assert_eq!(listed["total"], 1);
    put_on(&app, &tenant, None).await;
    assert_eq!(app.get(&tenant, &log).await.status, 302);
}

/// Gives the source a cron expression behind the API's back.
async fn set_cron(app: &TestApp, tenant: &Tenant, source: i64) {
    let mut tx = app.control.store().begin().await.unwrap();
    let mut record = sources::find(&mut tx, scope(tenant), SourceId(source))
        .await
        .unwrap()
        .unwrap();
    for (name, value) in [
        ("cron_expression", "0 15 6 ? * *"),
        ("frequency_in_minutes", "1440"),
    ] {
        record.properties.insert(name.to_owned(), json!(value));
    }
    let now = app.control.now();
    sources::update(&mut tx, scope(tenant), &record, now)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn losing_cron_scheduling_pauses_the_sources_that_used_it() {
    let app = app().await;
    let tenant = tenant_on(&app, "all").await;
    let with = app.configured_source(&tenant, "With").await;
    let without = app.source(&tenant, "Without").await;
    app.run_checks().await;
    app.select_orders(&tenant, without).await;
    set_cron(&app, &tenant, with).await;
    app.clock.advance_seconds(60);

    let paused = put_on(&app, &tenant, Some("no_cron")).await;
    assert_eq!(paused, [SourceId(with)]);
    let path = format!("/v4/sources/{with}");
    let source = app.get(&tenant, &path).await.ok();
    assert_eq!(source["system_paused_at"], "2031-02-03T04:06:06Z");
    assert_eq!(
        (&source["schedule"], &source["paused_at"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(source["properties"]["frequency_in_minutes"], "60");
    assert_eq!(source["properties"].get("cron_expression"), None);
    let other = app
        .get(&tenant, &format!("/v4/sources/{without}"))
        .await
        .ok();
    assert_eq!(other["system_paused_at"], Value::Null);
    let due = scheduler::due(&app.control).await.unwrap();
    assert_eq!(due, [(scope(&tenant), SourceId(without))]);

    // Nothing but the user brings it back.
    assert!(put_on(&app, &tenant, Some("no_cron")).await.is_empty());
    put_on(&app, &tenant, Some("all")).await;
    let source = app.get(&tenant, &path).await.ok();
    assert_eq!(source["schedule"], Value::Null);
    let source = app
        .put(&tenant, &path, json!({"paused_at": null}))
        .await
        .ok();
    assert_eq!(source["system_paused_at"], Value::Null);
    assert_eq!(
        (&source["schedule"]["type"], &source["schedule"]["interval"]),
        (&json!("interval"), &json!(60.0))
    );
}

#[tokio::test]
async fn a_plan_that_lost_cron_scheduling_takes_effect_when_the_server_starts() {
    let app = app().await;
    let tenant = tenant_on(&app, "no_cron").await;
    let other = tenant_on(&app, "all").await;
    let lost = app.configured_source(&tenant, "Shop").await;
    let kept = app.configured_source(&other, "Shop").await;
    set_cron(&app, &tenant, lost).await;
    set_cron(&app, &other, kept).await;
    plans::enforce(&app.control).await.unwrap();
    let source = app.get(&tenant, &format!("/v4/sources/{lost}")).await.ok();
    assert_eq!(source["system_paused_at"], NOW);
    let source = app.get(&other, &format!("/v4/sources/{kept}")).await.ok();
    assert_eq!(source["system_paused_at"], Value::Null);
    assert_eq!(source["properties"]["cron_expression"], "0 15 6 ? * *");
}

#[tokio::test]
async fn a_plan_that_is_not_defined_is_never_guessed() {
    let app = app().await;
    let tenant = app.tenant("ada@acme.example").await;
    let refused = plans::assign(
        app.control.store(),
        &app.control.settings().plans,
        scope(&tenant),
        Some("large"),
        app.control.now(),
    )
    .await;
    assert!(matches!(refused, Err(ControlError::UnknownPlan(_))));
    plans::enforce(&app.control).await.unwrap();

    // Somebody has taken the plan out of the configuration.
    let mut tx = app.control.store().begin().await.unwrap();
    accounts::set_plan(&mut tx, scope(&tenant), Some("large"))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let refused = plans::enforce(&app.control).await.unwrap_err();
    assert!(refused.to_string().contains("\"large\""), "{refused}");
    app.get(&tenant, "/v4/sources").await.is(
        500,
        r#"{"error":"InternalError","data":{"message":"internal error"}}"#,
    );
    let other = app.tenant("bob@rival.example").await;
    app.get(&other, "/v4/sources").await.is(200, "[]");
}

#[tokio::test]
async fn a_source_that_lost_cron_scheduling_is_not_unpaused_by_a_mapping() {
    let on_postgres = TestApp::on_postgres_with(|settings| settings.plans = defined()).await;
    for app in [app().await, on_postgres] {
        let tenant = tenant_on(&app, "all").await;
        let source = app.configured_source(&tenant, "Shop").await;
        set_cron(&app, &tenant, source).await;
        put_on(&app, &tenant, Some("no_cron")).await;
        let path = format!("/v4/sources/{source}");
        let show = async || app.get(&tenant, &path).await.ok();
        let put = async |body: Value| app.put(&tenant, &path, body).await.ok();

        // By a request of its own.
        let destination = show().await["destination_id"].clone();
        put(json!({"destination_id": null})).await;
        let mapped = put(json!({"destination_id": destination})).await;
        assert_ne!(mapped["system_paused_at"], Value::Null);
        assert_eq!(mapped["schedule"], Value::Null);

        // And when its destination goes and another one comes.
        app.delete(&tenant, &format!("/v4/destinations/{destination}"))
            .await
            .ok();
        app.destination(&tenant).await;
        app.run_checks().await;
        let mapped = show().await;
        assert_ne!(mapped["destination_id"], Value::Null);
        assert_ne!(mapped["system_paused_at"], Value::Null);
        assert!(scheduler::due(&app.control).await.unwrap().is_empty());

        // Unpaused by hand while it has none, it runs as soon as it has one.
        let destination = mapped["destination_id"].clone();
        app.delete(&tenant, &format!("/v4/destinations/{destination}"))
            .await
            .ok();
        let unmapped = put(json!({"paused_at": null})).await;
        assert_ne!(unmapped["system_paused_at"], Value::Null);
        app.destination(&tenant).await;
        app.run_checks().await;
        assert_eq!(show().await["system_paused_at"], Value::Null);
        assert_eq!(scheduler::due(&app.control).await.unwrap().len(), 1);
    }
}
