//! Every address of the server in one list. Literal segments win over variable ones, whatever the order.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use tower_http::catch_panic::CatchPanicLayer;

use crate::rate_limit::jobs_group;
use crate::routes::{
    accounts, connection_checks, destination_types, destinations, extractions, import_tokens,
    loads, service, sessions, source_types, sources, streams, sync,
};
use crate::{ApiError, AppState, observe};

/// The whole HTTP interface. `pages` are addresses of other parts of the server, taken in behind the same layers.
pub fn router(state: AppState, pages: Router) -> Router {
    let body_limit_bytes = state.body_limit_bytes;
    let limited = Router::new()
        .route(
            "/v4/{account_id}/extractions",
            get(extractions::list::list_extractions),
        )
        .route(
            "/v4/{account_id}/extractions/{job_name}",
            get(extractions::log::find_log),
        )
        .route("/v4/{account_id}/loads", get(loads::list::list_loads))
        .route_layer(from_fn_with_state(state.clone(), jobs_group));

    Router::new()
        // The server itself.
        .route("/healthz", get(service::health::health))
        .route("/readyz", get(service::readiness::readiness))
        // Accounts.
        .route("/v3/accounts", post(accounts::create::create_account))
        .route(
            "/v3/sessions/ephemeral",
            post(sessions::create_ephemeral::create_ephemeral_token),
        )
        // Destinations.
        .route(
            "/v4/destination-types",
            get(destination_types::list::list_destination_types),
        )
        .route(
            "/v4/destination-types/{type}",
            get(destination_types::find::find_destination_type),
        )
        .route(
            "/v4/destinations",
            get(destinations::list::list_destinations),
        )
        .route(
            "/v4/destinations",
            post(destinations::create::create_destination),
        )
        .route(
            "/v4/destinations/{destination_id}",
            put(destinations::update::update_destination),
        )
        .route(
            "/v4/destinations/{destination_id}",
            delete(destinations::delete::delete_destination),
        )
        .route(
            "/v4/destinations/{destination_id}/last-connection-check",
            get(connection_checks::find_destination::last_destination_check),
        )
        // Sources.
        .route(
            "/v4/source-types",
            get(source_types::list::list_source_types),
        )
        .route(
            "/v4/source-types/{type}",
            get(source_types::find::find_source_type),
        )
        .route("/v4/sources", get(sources::list::list_sources))
        .route("/v4/sources", post(sources::create::create_source))
        .route("/v4/sources/{source_id}", get(sources::find::find_source))
        .route(
            "/v4/sources/{source_id}",
            put(sources::update::update_source),
        )
        .route(
            "/v4/sources/{source_id}",
            delete(sources::delete::delete_source),
        )
        .route(
            "/v4/sources/{source_id}/last-connection-check",
            get(connection_checks::find_source::last_source_check),
        )
        .route(
            "/v4/sources/{source_id}/tokens",
            get(import_tokens::list::list_import_tokens),
        )
        .route(
            "/v4/sources/{source_id}/tokens",
            post(import_tokens::create::create_import_token),
        )
        .route(
            "/v4/sources/{source_id}/tokens/{token_id}",
            delete(import_tokens::delete::delete_import_token),
        )
        // Streams.
        .route(
            "/v4/sources/{source_id}/streams",
            get(streams::list::list_streams),
        )
        .route(
            "/v4/sources/{source_id}/streams/metadata",
            put(streams::update_metadata::update_metadata),
        )
        .route(
            "/v4/sources/{source_id}/streams/{stream_id}",
            get(streams::find::find_stream),
        )
        // Jobs.
        .route(
            "/v4/sources/{source_id}/sync",
            get(sync::progress::sync_progress),
        )
        .route(
            "/v4/sources/{source_id}/sync",
            post(sync::start::start_sync),
        )
        .route(
            "/v4/sources/{source_id}/sync",
            delete(sync::stop::stop_sync),
        )
        .route("/logs/{job_name}", get(extractions::read_log::read_log))
        .merge(limited)
        .with_state(state)
        .merge(pages)
        .method_not_allowed_fallback(unknown)
        .fallback(unknown)
        .layer(DefaultBodyLimit::max(body_limit_bytes))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(observe::observe))
}

/// Unknown addresses and methods look the same, and need no token.
async fn unknown() -> ApiError {
    ApiError::NotFound
}

/// The panic itself has been reported by the panic hook.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    ApiError::Panicked.into_response()
}
