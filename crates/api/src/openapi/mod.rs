//! The OpenAPI document. Handlers describe themselves (`#[utoipa::path]`) and enter it together with the router; what
//! holds for all of them is added here, beside the layers that do it.

pub(crate) mod errors;
mod general;
mod idempotency;
pub(crate) mod parameters;
pub(crate) mod properties;
mod rate_limits;
pub(crate) mod report_card;

use utoipa::OpenApi as _;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi, RefOr};

pub(crate) use rate_limits::describe_rate_limit;

const ACCESS_TOKEN: &str = "access_token";

/// Sections in the order in which a newcomer needs them.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Selvedge",
        description = include_str!("introduction.md"),
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/", description = "This server")),
    security(("access_token" = [])),
    tags(
        (name = "Accounts", description = "The tenants. A partner creates one for each of its customers; everything else belongs to one of them."),
        (name = "Sessions", description = "Short-lived tokens for browsers."),
        (name = "Partner authentication", description = "How a partner gets a token to an account that exists already: somebody lets it in, and it exchanges the code it gets (OAuth 2.0)."),
        (name = "Destination types", description = "What data can be written to, and which properties each type needs."),
        (name = "Destinations", description = "The databases that an account's data is written to."),
        (name = "Source types", description = "What data can be read from, and which properties each type needs."),
        (name = "Sources", description = "The databases and applications that an account's data is read from."),
        (name = "Import API tokens", description = "Access tokens of sources that data is pushed to."),
        (name = "Connection checks", description = "What came out when the server last tried to connect. Checks start by themselves: on create, on update, before a job that needs one."),
        (name = "Streams", description = "Tables and endpoints of a source: which of them replicate, with which fields, and how."),
        (name = "Replication jobs", description = "Starting and stopping jobs, and what became of them."),
        (name = "Notifications", description = "Who is told when something fails or has been loaded."),
        (name = "Service", description = "The server itself."),
    ),
)]
struct Base;

/// The document without any operation.
pub(crate) fn base() -> OpenApi {
    Base::openapi()
}

/// Adds what holds for every operation, when all of them are in, and then what others describe, for which it does not hold.
pub(crate) fn finish(mut document: OpenApi, beside: OpenApi) -> OpenApi {
    let components = document.components.get_or_insert_default();
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "An access token: from `POST /v3/accounts`, or made on the command line with `selvedge account token`.",
        ))
        .build();
    components.security_schemes.insert(
        ACCESS_TOKEN.to_owned(),
        RefOr::T(SecurityScheme::Http(token)),
    );
    idempotency::describe(&mut document);
    general::describe(&mut document);
    document.merge(beside);
    document
}
