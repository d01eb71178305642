//! Requests at the same time, on PostgreSQL, where transactions really run side by side.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::app::{Answer, Tenant, TestApp};

/// Sends all requests at once; the answers in their order.
async fn at_once(
    app: &Arc<TestApp>,
    tenant: &Tenant,
    requests: Vec<(&'static str, String, Value)>,
) -> Vec<Answer> {
    let tasks: Vec<_> = requests
        .into_iter()
        .map(|(method, path, body)| {
            let (app, token) = (Arc::clone(app), tenant.token.clone());
            tokio::spawn(async move { app.send(method, &path, Some(&token), Some(&body)).await })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

fn count(answers: &[Answer], status: u16) -> usize {
    let matching = answers.iter().filter(|answer| answer.status == status);
    matching.count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn destinations_created_at_once_stay_within_the_limit() {
    let app = TestApp::on_postgres_with(|settings| settings.max_destinations = 2).await;
    let app = Arc::new(app);
    let tenant = app.tenant("ada@acme.example").await;
    let request = || {
        let body = json!({"type": "postgres", "properties": {}});
        ("POST", "/v4/destinations".to_owned(), body)
    };
    let answers = at_once(&app, &tenant, (0..6).map(|_| request()).collect()).await;
    assert_eq!(count(&answers, 200), 2);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        refused.is(400, r#""you are at your destination limit""#);
    }
    let listed = app.get(&tenant, "/v4/destinations").await.ok();
    let names: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|destination| destination["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["postgres", "postgres_2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn version_3_makes_one_destination_however_often_it_is_asked_at_once() {
    let app = Arc::new(TestApp::on_postgres().await);
    let tenant = app.tenant("ada@acme.example").await;
    let request = || {
        let body = json!({"type": "postgres", "connection": {}});
        ("POST", "/v3/destinations".to_owned(), body)
    };
    let answers = at_once(&app, &tenant, (0..4).map(|_| request()).collect()).await;
    assert_eq!((count(&answers, 200), count(&answers, 400)), (1, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_created_at_once_do_not_share_a_name() {
    let app = Arc::new(TestApp::on_postgres().await);
    let tenant = app.tenant("ada@acme.example").await;
    let request = || {
        let body = json!({"type": "platform.postgres", "display_name": "Shop"});
        ("POST", "/v4/sources".to_owned(), body)
    };
    let answers = at_once(&app, &tenant, (0..4).map(|_| request()).collect()).await;
    assert_eq!(count(&answers, 200), 1);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        refused.is(
            400,
            r#"{"error":"InvalidName","data":{"message":"non-unique name after deriving it from display_name (Shop -> shop)"}}"#,
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destination_that_is_deleted_meanwhile_is_not_found_and_nothing_is_mapped_to_it() {
    let app = Arc::new(TestApp::on_postgres().await);
    let tenant = app.tenant("ada@acme.example").await;
    app.destination(&tenant).await;
    let moving = app.source(&tenant, "Moving").await;
    let staying = app.source(&tenant, "Staying").await;
    for round in 0..8 {
        let doomed = app.destination(&tenant).await;
        app.put(
            &tenant,
            &format!("/v4/sources/{staying}"),
            json!({"destination_id": doomed}),
        )
        .await
        .ok();
        let answers = at_once(
            &app,
            &tenant,
            vec![
                (
                    "PUT",
                    format!("/v4/sources/{moving}"),
                    json!({"destination_id": doomed}),
                ),
                (
                    "PUT",
                    format!("/v4/sources/{staying}"),
                    json!({"display_name": format!("Staying {round}")}),
                ),
                ("DELETE", format!("/v4/destinations/{doomed}"), Value::Null),
                (
                    "POST",
                    "/v4/sources".to_owned(),
                    json!({"type": "platform.postgres", "display_name": format!("New {round}"), "destination_id": doomed}),
                ),
                (
                    "PUT",
                    format!("/v4/destinations/{doomed}"),
                    json!({"name": "Renamed"}),
                ),
            ],
        )
        .await;
        let not_found = format!(
            r#"{{"error":"InvalidId","data":{{"message":"destination not found ({doomed})"}}}}"#
        );
        for mapping in [&answers[0], &answers[3]] {
            if mapping.status != 200 {
                mapping.is(400, &not_found);
            }
        }
        answers[1].ok();
        answers[2].is(200, "{}");
        if answers[4].status != 200 {
            answers[4].is(400, r#""invalid connection id""#);
        }
        let sources = app.get(&tenant, "/v4/sources").await.ok();
        for source in sources.as_array().unwrap() {
            assert_ne!(source["destination_id"], doomed, "{source}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_change_while_checks_end() {
    let app = Arc::new(TestApp::on_postgres().await);
    let tenant = app.tenant("ada@acme.example").await;
    let destination = app.destination(&tenant).await;
    let source = app.source(&tenant, "Shop").await;
    for _ in 0..8 {
        let checking = {
            let app = Arc::clone(&app);
            tokio::spawn(async move {
                while let Some(job) = app.claim(true).await {
                    let result = selvedge_control::checks::CheckResult {
                        check: selvedge_types::job::PhaseOutcome::succeeded(),
                        ..Default::default()
                    };
                    // A check that was replaced meanwhile is not recorded.
                    selvedge_control::checks::complete(&app.control, &job, result)
                        .await
                        .unwrap();
                }
            })
        };
        let requests = vec![
            (
                "PUT",
                format!("/v4/destinations/{destination}"),
                json!({"properties": {}}),
            ),
            (
                "PUT",
                format!("/v4/sources/{source}"),
                json!({"properties": {}}),
            ),
        ];
        for answer in at_once(&app, &tenant, requests).await {
            answer.ok();
        }
        checking.await.unwrap();
    }
}
