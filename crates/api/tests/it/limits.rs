use std::num::NonZeroU32;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::channel::Channel;

use crate::app::{Tenant, TestApp};

const RATE_LIMITED: &str = r#"{"error":"RateLimited","data":{"message":"too many requests"}}"#;

async fn limited(per_minute: u32) -> TestApp {
    let limit = NonZeroU32::new(per_minute).unwrap();
    TestApp::with(|_| {}, |state| state.with_request_limit(limit)).await
}

#[tokio::test]
async fn a_token_may_use_up_its_minute_at_once_and_then_waits() {
    let app = limited(6).await;
    let (ada, bob) = (
        app.tenant("ada@acme.example").await,
        app.tenant("bob@acme.example").await,
    );
    for _ in 0..6 {
        app.get(&ada, "/v4/sources").await.ok();
    }
    let refused = app.get(&ada, "/v4/sources").await;
    refused.is(429, RATE_LIMITED);
    assert_eq!(refused.headers["retry-after"], "10");
    app.get(&bob, "/v4/sources").await.ok();
    app.clock.advance_seconds(10);
    app.get(&ada, "/v4/sources").await.ok();
    app.get(&ada, "/v4/sources").await.is(429, RATE_LIMITED);
}

#[tokio::test]
async fn the_limit_comes_after_the_token_and_before_everything_else() {
    let app = limited(1).await;
    let tenant = app.tenant("ada@acme.example").await;
    app.get(&tenant, "/v4/sources").await.ok();
    let stranger = Tenant {
        account: tenant.account,
        token: "ac_x".to_owned(),
    };
    let loads = format!("/v4/{}/loads", tenant.account);
    for (method, path) in [
        ("GET", "/v4/sources/x"),
        ("POST", "/v4/sources"),
        ("GET", &loads),
        ("GET", "/v4/1/loads"),
    ] {
        let answer = app.send(method, path, Some(&tenant.token), None).await;
        answer.is(429, RATE_LIMITED);
        let answer = app.send(method, path, Some(&stranger.token), None).await;
        assert_eq!(answer.status, 401);
    }
    assert_eq!(app.get(&tenant, "/v4/nowhere").await.status, 404);
}

#[tokio::test]
async fn a_request_counts_once_however_many_layers_look_at_it() {
    let app = limited(2).await;
    let tenant = app.tenant("ada@acme.example").await;
    let loads = format!("/v4/{}/loads", tenant.account);
    app.get(&tenant, &loads).await.ok();
    app.get(&tenant, &loads).await.ok();
    app.get(&tenant, &loads).await.is(429, RATE_LIMITED);
}

#[tokio::test]
async fn a_body_that_does_not_arrive_in_time_is_given_up() {
    let timeout = Duration::from_millis(50);
    let app = TestApp::with(|_| {}, |state| state.with_body_timeout(timeout)).await;
    let tenant = app.tenant("ada@acme.example").await;
    let authorization = format!("Bearer {}", tenant.token);
    for key in [None, Some(("idempotency-key", "k"))] {
        let mut headers = vec![("authorization", &*authorization)];
        headers.extend(key);
        let (_open, body) = Channel::<Bytes>::new(1);
        app.send_with("POST", "/v4/sources", &headers, Body::new(body))
            .await
            .is(
                408,
                r#"{"error":"RequestTimeout","data":{"message":"body took too long"}}"#,
            );
    }
}
