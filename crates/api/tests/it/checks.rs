use selvedge_control::checks::{self, CheckResult};
use selvedge_types::job::PhaseOutcome;
use serde_json::Value;

use crate::app::{NOW, TestApp};

#[tokio::test]
async fn a_check_is_read_while_it_runs_and_after_it_succeeded() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let source = app.source(&tenant, "Shop").await;
    let path = format!("/v4/sources/{source}/last-connection-check");
    let name = app
        .get(&tenant, &format!("/v4/sources/{source}"))
        .await
        .ok()["check_job_name"]
        .clone();
    let name = name.as_str().unwrap();
    app.get(&tenant, &path).await.is(200, &format!(
        r#"{{"target_exit_status":null,"tap_error_message":null,"check_exit_status":null,"name":"{name}","start_time":"{NOW}","mode":"check","tap_exit_status":null,"target_error_message":null,"discovery_exit_status":null,"status":"running","completion_time":null,"error":false,"discovery_error_message":null}}"#
    ));
    app.clock.advance_seconds(3);
    app.run_checks().await;
    let done = app.get(&tenant, &path).await.ok();
    assert_eq!(
        (&done["status"], &done["error"]),
        (&"succeeded".into(), &false.into())
    );
    assert_eq!(
        (&done["check_exit_status"], &done["discovery_exit_status"]),
        (&0.into(), &0.into())
    );
    assert_eq!(done["completion_time"], "2031-02-03T04:05:09Z");
    assert_eq!(done["discovery_error_message"], Value::Null);
}

#[tokio::test]
async fn a_failed_check_says_why_and_keeps_a_new_source_where_it_is() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let source = app.source(&tenant, "Shop").await;
    let fail = async || {
        let job = app.claim(true).await.unwrap();
        let result = CheckResult {
            discovery: PhaseOutcome::failed("nobody answers at db.example.net:5432"),
            check: PhaseOutcome::default(),
        };
        assert!(checks::complete(&app.control, &job, result).await.unwrap());
    };
    fail().await;
    let path = format!("/v4/sources/{source}");
    let check = app
        .get(&tenant, &format!("{path}/last-connection-check"))
        .await
        .ok();
    assert_eq!(
        (&check["status"], &check["error"]),
        (&"failed".into(), &true.into())
    );
    assert_eq!(
        (&check["check_exit_status"], &check["discovery_exit_status"]),
        (&Value::Null, &1.into())
    );
    assert_eq!(
        check["discovery_error_message"],
        "nobody answers at db.example.net:5432"
    );
    let step =
        async || app.get(&tenant, &path).await.ok()["report_card"]["current_step_type"].clone();
    assert_eq!(step().await, "discover_schema");
    // A retry succeeds; a failure after that does not take the discovery back.
    let retry = serde_json::json!({"properties": {}});
    app.put(&tenant, &path, retry.clone()).await.ok();
    app.run_checks().await;
    assert_eq!(step().await, "field_selection");
    app.put(&tenant, &path, retry).await.ok();
    fail().await;
    assert_eq!(step().await, "field_selection");
}

#[tokio::test]
async fn a_failed_destination_check_says_why_in_the_same_place() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let destination = app.destination(&tenant).await;
    let job = app.claim(true).await.unwrap();
    let result = CheckResult {
        discovery: PhaseOutcome::default(),
        check: PhaseOutcome::failed("password authentication failed"),
    };
    assert!(checks::complete(&app.control, &job, result).await.unwrap());
    let check = app
        .get(
            &tenant,
            &format!("/v4/destinations/{destination}/last-connection-check"),
        )
        .await
        .ok();
    assert_eq!(
        (&check["check_exit_status"], &check["discovery_exit_status"]),
        (&1.into(), &Value::Null)
    );
    assert_eq!(
        check["discovery_error_message"],
        "password authentication failed"
    );
}

#[tokio::test]
async fn a_new_check_replaces_the_running_one() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let source = app.source(&tenant, "Shop").await;
    let first = app.claim(true).await.unwrap();
    let path = format!("/v4/sources/{source}");
    let second = app
        .put(&tenant, &path, serde_json::json!({"properties": {}}))
        .await
        .ok();
    assert!(
        !checks::complete(&app.control, &first, CheckResult::default())
            .await
            .unwrap(),
        "the old worker lost its lease"
    );
    let check = app
        .get(&tenant, &format!("{path}/last-connection-check"))
        .await
        .ok();
    assert_eq!(check["name"], second["check_job_name"]);
    assert_eq!(check["status"], "running");
}

#[tokio::test]
async fn there_is_no_check_of_what_is_unknown_deleted_or_never_checked() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let unchecked = serde_json::json!({"type": "import_api", "display_name": "Pushed"});
    let unchecked = app.post(&tenant, "/v4/sources", unchecked).await.ok()["id"].clone();
    let (source, destination) = (
        app.source(&tenant, "Shop").await,
        app.destination(&tenant).await,
    );
    app.delete(&tenant, &format!("/v4/sources/{source}"))
        .await
        .ok();
    app.delete(&tenant, &format!("/v4/destinations/{destination}"))
        .await
        .ok();
    for path in [
        "sources/1".to_owned(),
        "destinations/1".to_owned(),
        "sources/x".to_owned(),
        format!("sources/{unchecked}"),
        format!("sources/{source}"),
        format!("destinations/{destination}"),
    ] {
        app.get(&tenant, &format!("/v4/{path}/last-connection-check"))
            .await
            .is(
                404,
                r#"{"error":"NotFound","data":{"message":"not found"}}"#,
            );
    }
}
