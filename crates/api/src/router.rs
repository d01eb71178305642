//! Every address of the server in one list, together with its description in the OpenAPI document. Literal segments win
//! over variable ones, whatever the order.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::cors::allow_listed_origins;
use crate::idempotency::honour_keys;
use crate::observe::observe;
use crate::rate_limit::count_jobs_request;
use crate::routes::service::document::Document;
use crate::routes::{
    accounts, connection_checks, custom_emails, destination_types, destinations, destinations_v3,
    extractions, hooks, import_tokens, loads, oauth, service, sessions, source_types, sources,
    streams, sync,
};
use crate::{ApiError, AppState, openapi};

/// The whole HTTP interface. `pages` are addresses of other parts of the server, taken in behind the same layers; `beside`
/// describes what the server answers without these layers, for the one document.
pub fn router(state: AppState, pages: Router, beside: OpenApi) -> Router {
    let (router, document) = documented(&state).split_for_parts();
    let document = openapi::finish(document, beside);
    router
        .merge(custom_emails::update::without_id())
        .with_state(state.clone())
        .merge(pages)
        .method_not_allowed_fallback(unknown)
        .fallback(unknown)
        // One layer of several: the router boxes a request anew for each that it is given.
        .layer(
            ServiceBuilder::new()
                .layer(DefaultBodyLimit::max(state.body_limit_bytes))
                .layer(from_fn_with_state(state, around))
                .layer(CatchPanicLayer::custom(panicked))
                .layer(axum::Extension(Document::new(document))),
        )
}

/// What happens around every handler, outermost first.
async fn around(State(state): State<AppState>, request: Request, next: Next) -> Response {
    observe(request, async |request| {
        allow_listed_origins(&state, request, async |request| {
            honour_keys(state.clone(), request, next).await
        })
        .await
    })
    .await
}

/// The description of the HTTP interface, as `GET /openapi.json` answers it, for those who draw it; `beside` as for [`router`].
///
/// # Errors
/// When it cannot be written as JSON.
pub fn description(state: &AppState, beside: OpenApi) -> Result<Value, serde_json::Error> {
    serde_json::to_value(openapi::finish(documented(state).into_openapi(), beside))
}

/// Addresses enter by `routes!` only, which takes the description along.
fn documented(state: &AppState) -> OpenApiRouter<AppState> {
    let mut limited = OpenApiRouter::new()
        .routes(routes!(extractions::list::list_extractions))
        .routes(routes!(extractions::log::find_log))
        .routes(routes!(loads::list::list_loads))
        .route_layer(from_fn_with_state(state.clone(), count_jobs_request));
    openapi::describe_rate_limit(limited.get_openapi_mut());

    let token = OpenApiRouter::new()
        .routes(routes!(oauth::exchange::exchange_code))
        .layer(DefaultBodyLimit::max(
            oauth::BODY_LIMIT_BYTES.min(state.body_limit_bytes),
        ));

    OpenApiRouter::with_openapi(openapi::base())
        // The server itself.
        .routes(routes!(service::document::openapi_document))
        .routes(routes!(service::health::health))
        .routes(routes!(service::readiness::readiness))
        // Accounts.
        .routes(routes!(accounts::create::create_account))
        .routes(routes!(sessions::create_ephemeral::create_ephemeral_token))
        .merge(token)
        // Destinations.
        .routes(routes!(destination_types::list::list_destination_types))
        .routes(routes!(destination_types::find::find_destination_type))
        .routes(routes!(destinations::list::list_destinations))
        .routes(routes!(destinations::create::create_destination))
        .routes(routes!(destinations::update::update_destination))
        .routes(routes!(destinations::delete::delete_destination))
        .routes(routes!(
            connection_checks::find_destination::last_destination_check
        ))
        .routes(routes!(destinations_v3::list::list_destinations_v3))
        .routes(routes!(destinations_v3::create::create_destination_v3))
        .routes(routes!(destinations_v3::update::update_destination_v3))
        // Sources.
        .routes(routes!(source_types::list::list_source_types))
        .routes(routes!(source_types::find::find_source_type))
        .routes(routes!(sources::list::list_sources))
        .routes(routes!(sources::create::create_source))
        .routes(routes!(sources::find::find_source))
        .routes(routes!(sources::update::update_source))
        .routes(routes!(sources::delete::delete_source))
        .routes(routes!(connection_checks::find_source::last_source_check))
        .routes(routes!(import_tokens::list::list_import_tokens))
        .routes(routes!(import_tokens::create::create_import_token))
        .routes(routes!(import_tokens::delete::delete_import_token))
        // Streams.
        .routes(routes!(streams::list::list_streams))
        .routes(routes!(streams::update_metadata::update_metadata))
        .routes(routes!(streams::find::find_stream))
        // Jobs.
        .routes(routes!(sync::progress::sync_progress))
        .routes(routes!(sync::start::start_sync))
        .routes(routes!(sync::stop::stop_sync))
        .routes(routes!(extractions::read_log::read_log))
        // Notifications.
        .routes(routes!(custom_emails::list::list_custom_emails))
        .routes(routes!(custom_emails::create::create_custom_email))
        .routes(routes!(custom_emails::update::update_custom_email))
        .routes(routes!(custom_emails::delete::delete_custom_email))
        .routes(routes!(hooks::list::list_hooks))
        .routes(routes!(hooks::create::create_hook))
        .routes(routes!(hooks::update::update_hook))
        .routes(routes!(hooks::delete::delete_hook))
        .merge(limited)
}

/// Unknown addresses and methods look the same, and need no token.
async fn unknown() -> ApiError {
    ApiError::NotFound
}

/// The panic itself has been reported by the panic hook.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    ApiError::Panicked.into_response()
}
