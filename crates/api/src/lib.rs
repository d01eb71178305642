//! The HTTP contract: the Stitch Connect API and what is around it.
//!
//! Handlers translate. What may be done is decided in [`selvedge_control`]; here a request becomes a call and what comes
//! back becomes an answer: field order, statuses and literal texts. One file per endpoint, `routes/<resource>/<verb>.rs`;
//! the list of them is `router.rs`; refusals become statuses and bodies in `error.rs` and nowhere else.

mod answers;
mod auth;
mod cors;
mod error;
mod idempotency;
mod json;
mod observe;
mod openapi;
mod paging;
mod path;
mod rate_limit;
mod router;
mod routes;
mod state;
mod type_cards;

pub(crate) use error::ApiError;
pub use router::{description, router};
pub use state::{AppState, DEFAULT_BODY_LIMIT, DEFAULT_BODY_TIMEOUT};
