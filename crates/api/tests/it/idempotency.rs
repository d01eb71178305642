use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use http::Request;
use selvedge_control::idempotency::{self, Attempt, FirstRun, KeyOwner};
use selvedge_types::{AccountId, AccountScope};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::app::{Answer, Tenant, TestApp, postgres_destination};

const MISMATCH: &str = r#"{"error":"IdempotencyMismatch","data":{"message":"idempotency key was used with another body"}}"#;
const BAD_KEY: &str = r#"{"error":"InvalidIdempotencyKey","data":{"message":"idempotency key must be given once, as 1 to 255 printable ASCII characters"}}"#;

async fn post(app: &TestApp, caller: &Tenant, path: &str, key: &str, body: &Value) -> Answer {
    let authorization = format!("Bearer {}", caller.token);
    let headers = [("authorization", &*authorization), ("idempotency-key", key)];
    app.send_with("POST", path, &headers, body.to_string())
        .await
}

fn destination(name: &str) -> Value {
    json!({"type": "postgres", "name": name, "properties": postgres_destination()})
}

async fn destination_count(app: &TestApp, tenant: &Tenant) -> usize {
    let list = app.get(tenant, "/v4/destinations").await.ok();
    list.as_array().unwrap().len()
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_and_does_nothing() {
    for app in [TestApp::start().await, TestApp::on_postgres().await] {
        let tenant = app.tenant("ada@acme.example").await;
        let first = post(&app, &tenant, "/v4/destinations", "k", &destination("a")).await;
        first.ok();
        app.clock.advance_seconds(86_399);
        let repeat = post(&app, &tenant, "/v4/destinations", "k", &destination("a")).await;
        repeat.is(200, &first.text);
        assert_eq!(destination_count(&app, &tenant).await, 1);

        post(&app, &tenant, "/v4/destinations", "k", &destination("b"))
            .await
            .is(422, MISMATCH);
        let other = post(&app, &tenant, "/v4/destinations", "l", &destination("a")).await;
        assert_ne!(other.ok()["id"], first.json()["id"]);
        assert_eq!(destination_count(&app, &tenant).await, 2);

        app.clock.advance_seconds(1);
        let late = post(&app, &tenant, "/v4/destinations", "k", &destination("b")).await;
        assert_ne!(
            late.ok()["id"],
            first.json()["id"],
            "a day later the key is new"
        );
    }
}

#[tokio::test]
async fn refusals_are_repeated_too() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let path = "/v4/sources/1/sync";
    let first = post(&app, &tenant, path, "k", &Value::Null).await;
    assert_eq!(first.status, 400);
    post(&app, &tenant, path, "k", &Value::Null)
        .await
        .is(400, &first.text);
}

#[tokio::test]
async fn a_key_belongs_to_one_account_and_one_address() {
    let app = TestApp::start().await;
    let (ada, bob) = (
        app.tenant("ada@acme.example").await,
        app.tenant("bob@acme.example").await,
    );
    let first = post(&app, &ada, "/v4/destinations", "k", &destination("a")).await;
    let foreign = post(&app, &bob, "/v4/destinations", "k", &destination("a")).await;
    assert_ne!(first.ok()["id"], foreign.ok()["id"]);
    let body = json!({"type": "platform.postgres", "display_name": "Shop"});
    post(&app, &ada, "/v4/sources", "k", &body).await.ok();
    let (one, two) = (app.source(&ada, "One").await, app.source(&ada, "Two").await);
    for source in [one, two] {
        let path = format!("/v4/sources/{source}/sync");
        let answer = post(&app, &ada, &path, "k", &Value::Null).await;
        assert!(
            answer.text.contains(&format!("connection-id: {source}")),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn an_account_is_created_once_and_its_token_shown_again_to_the_partner_alone() {
    let app = TestApp::start().await;
    let form = app.account_form("ada@acme.example");
    let send = |form: Value| {
        let app = &app;
        async move {
            let headers = [("idempotency-key", "k")];
            app.send_with("POST", "/v3/accounts", &headers, form.to_string())
                .await
        }
    };
    let first = send(form.clone()).await;
    first.ok();
    send(form.clone()).await.is(200, &first.text);
    send(app.account_form("bob@acme.example"))
        .await
        .is(422, MISMATCH);

    let mut stranger = form.clone();
    stranger["partner_secret"] = json!("oc_wrong");
    let refused = r#"{"code":"BadRequest","message":"Invalid form data.","errors":{"partner_secret":"required"}}"#;
    send(stranger).await.is(400, refused);

    let mut tx = app.control.store().begin().await.unwrap();
    let partner = app.partner_id();
    selvedge_store::partners::disable(&mut tx, partner, app.control.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let refused = r#"{"code":"BadRequest","message":"Invalid form data.","errors":{"partner_id":"required"}}"#;
    send(form).await.is(400, refused);
}

#[tokio::test]
async fn the_token_is_judged_before_the_key_and_the_key_before_the_rest() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let stranger = Tenant {
        account: 1,
        token: "ac_x".to_owned(),
    };
    assert_eq!(
        post(&app, &stranger, "/v4/sources", "", &json!({}))
            .await
            .status,
        401
    );
    let long = "x".repeat(256);
    for bad in ["", &long] {
        post(&app, &tenant, "/v4/sources/x/sync", bad, &Value::Null)
            .await
            .is(400, BAD_KEY);
    }
    assert_eq!(
        post(&app, &tenant, "/v4/nowhere", "", &Value::Null)
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn where_keys_mean_nothing_they_are_not_even_read() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let authorization = format!("Bearer {}", tenant.token);
    let headers = [("authorization", &*authorization), ("idempotency-key", "")];
    for method in ["GET", "HEAD"] {
        let answer = app.send_with(method, "/v4/sources", &headers, "").await;
        assert_eq!(answer.status, 200);
    }
    let source = app.source(&tenant, "Shop").await;
    let path = format!("/v4/sources/{source}");
    for method in ["PUT", "DELETE"] {
        let answer = app.send_with(method, &path, &headers, "{}").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

/// What a request under way looks like to others.
async fn under_way(app: &TestApp, tenant: &Tenant, body: &Value) -> FirstRun {
    let owner = KeyOwner::Account(AccountScope::of(AccountId(tenant.account)));
    let body = body.to_string();
    let operation = "POST /v4/destinations";
    match idempotency::begin(&app.control, &owner, operation, "k", body.as_bytes()).await {
        Ok(Attempt::First(run)) => run,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_repeat_waits_for_the_first_answer() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let answer = app
        .post(&tenant, "/v4/destinations", destination("x"))
        .await;
    let run = under_way(&app, &tenant, &destination("a")).await;
    let body = destination("a");
    let repeating = post(&app, &tenant, "/v4/destinations", "k", &body);
    tokio::pin!(repeating);
    let looks = tokio::time::timeout(Duration::from_millis(50), &mut repeating);
    assert!(looks.await.is_err(), "there is no answer to give yet");
    run.keep(&app.control, 200, answer.text.as_bytes())
        .await
        .unwrap();
    repeating.await.is(200, &answer.text);
    assert_eq!(destination_count(&app, &tenant).await, 1);
    post(&app, &tenant, "/v4/destinations", "k", &destination("b"))
        .await
        .is(422, MISMATCH);
}

#[tokio::test]
async fn a_released_or_abandoned_key_is_taken_by_the_next_repeat() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let run = under_way(&app, &tenant, &destination("a")).await;
    run.release(&app.control).await.unwrap();
    let abandoned = under_way(&app, &tenant, &destination("a")).await;
    app.clock.advance_seconds(60);
    let second = post(&app, &tenant, "/v4/destinations", "k", &destination("a")).await;
    second.ok();
    // Whoever was given up does not change the answer any more.
    abandoned
        .keep(&app.control, 200, b"\"late\"")
        .await
        .unwrap();
    post(&app, &tenant, "/v4/destinations", "k", &destination("a"))
        .await
        .is(200, &second.text);
}

#[tokio::test]
async fn a_client_that_hangs_up_finds_its_answer_when_it_comes_back() {
    let app = TestApp::start().await;
    for polls in 1..=12 {
        let tenant = app.tenant(&format!("ada{polls}@acme.example")).await;
        let request = Request::post("/v4/destinations")
            .header("authorization", format!("Bearer {}", tenant.token))
            .header("idempotency-key", "k")
            .body(Body::from(destination("a").to_string()))
            .unwrap();
        let mut first = Box::pin(app.router.clone().oneshot(request));
        let mut left = polls;
        poll_fn(|context| {
            left -= 1;
            let ended = first.as_mut().poll(context).is_ready() || left == 0;
            if ended {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        drop(first);
        post(&app, &tenant, "/v4/destinations", "k", &destination("a"))
            .await
            .ok();
        assert_eq!(destination_count(&app, &tenant).await, 1, "{polls}");
    }
}

#[tokio::test]
async fn answers_are_forgotten_after_a_day() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    post(&app, &tenant, "/v4/destinations", "k", &destination("a"))
        .await
        .ok();
    app.clock.advance_seconds(86_399);
    assert_eq!(idempotency::forget_expired(&app.control).await.unwrap(), 0);
    app.clock.advance_seconds(1);
    assert_eq!(idempotency::forget_expired(&app.control).await.unwrap(), 1);
}
