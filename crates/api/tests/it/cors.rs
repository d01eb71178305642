use http::HeaderValue;

use crate::app::{Answer, TestApp};

const LISTED: &str = "https://app.example.com";

async fn app() -> TestApp {
    let origin = HeaderValue::from_static(LISTED);
    TestApp::with(|_| {}, |state| state.with_allowed_origins([origin])).await
}

async fn preflight(app: &TestApp, path: &str, origin: &str) -> Answer {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
    ];
    app.send_with("OPTIONS", path, &headers, "").await
}

fn allowed_origin(answer: &Answer) -> Option<&str> {
    let value = answer.headers.get("access-control-allow-origin")?;
    Some(value.to_str().unwrap())
}

#[tokio::test]
async fn a_listed_origin_may_ask_and_call() {
    let app = app().await;
    let answer = preflight(&app, "/v4/sources", LISTED).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, ""));
    let call = app
        .send_with("GET", "/v4/sources", &[("origin", LISTED)], "")
        .await;
    assert_eq!(call.status, 401);
    for answer in [answer, call] {
        for (name, value) in [
            ("access-control-allow-origin", LISTED),
            ("access-control-allow-credentials", "true"),
            (
                "access-control-allow-headers",
                "Authorization, X-Requested-With, Content-Type, Accept, X-Stitch-Csrf-Token",
            ),
            ("access-control-allow-methods", "GET, POST, PUT, DELETE"),
            ("access-control-max-age", "604800"),
            ("vary", "Origin"),
        ] {
            assert_eq!(answer.headers[name], value, "{name}");
        }
    }
}

#[tokio::test]
async fn other_origins_get_no_headers_and_no_preflight() {
    let app = app().await;
    for origin in ["https://evil.example", "null", "http://app.example.com", ""] {
        let answer = preflight(&app, "/v4/sources", origin).await;
        assert_eq!(answer.status, 404, "{origin:?}");
        assert_eq!(allowed_origin(&answer), None);
        assert_eq!(answer.headers["vary"], "Origin");
    }
    assert_eq!(preflight(&app, "/v4/nowhere", LISTED).await.status, 404);
    let question = app
        .send_with("OPTIONS", "/v4/sources", &[("origin", LISTED)], "")
        .await;
    assert_eq!(
        question.status, 404,
        "no preflight without the method to come"
    );
}

#[tokio::test]
async fn by_default_no_origin_is_listed() {
    let app = TestApp::start().await;
    let answer = preflight(&app, "/v4/sources", LISTED).await;
    assert_eq!(answer.status, 404);
    assert!(!answer.headers.contains_key("vary"));
}
