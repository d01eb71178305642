//! The addresses of the gate, in front of everything else that the server answers.

use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use tower_http::catch_panic::CatchPanicLayer;

use crate::answer::{Answer, CANNOT_KEEP};
use crate::routes::{batch, push, status, webhook};
use crate::{Gate, metrics};

/// `beside` answers every address that is not the gate's.
pub fn router(gate: Gate, beside: Router) -> Router {
    let routes = [
        ("/v2/import/status", "status", get(status::status)),
        ("/v2/import/batch", "batch", post(batch::batch)),
        ("/v2/import/push", "push", post(push::push)),
        ("/v2/import/validate", "validate", post(push::validate)),
        ("/v2/webhooks/{token}", "webhook", post(webhook::webhook)),
    ];
    let mut router = Router::new();
    for (path, name, methods) in routes {
        let methods = methods
            .fallback(method_not_allowed)
            .layer(from_fn(move |request, next| observe(name, request, next)));
        router = router.route(path, methods);
    }
    router
        .route("/v2/{*unknown}", any(not_found))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(DefaultBodyLimit::disable())
        .with_state(gate)
        .fallback_service(beside)
}

/// One line and one count per request. Never bodies, tokens or addresses.
async fn observe(endpoint: &'static str, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    metrics::answered(endpoint, status, elapsed.as_secs_f64());
    let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(
        endpoint,
        http.status = status,
        elapsed_ms,
        "intake answered"
    );
    response
}

async fn method_not_allowed() -> Answer {
    Answer::MethodNotAllowed
}

async fn not_found() -> Answer {
    Answer::NotFound
}

/// The panic itself has been reported by the panic hook.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    Answer::Unavailable(CANNOT_KEEP).into_response()
}
