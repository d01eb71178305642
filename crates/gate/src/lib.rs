//! The gate for pushed data: the Import API and incoming webhooks over HTTP.
//!
//! A request is authenticated, read, checked ([`selvedge_intake`]) and made durable ([`selvedge_spool`]) before it is
//! answered; loading is somebody else's work. Its answers are a family of their own: a wrong method is 405 here, and bodies
//! differ from those of the Connect API.

mod accept;
mod ahead;
mod answer;
mod body;
mod gate;
mod metrics;
mod openapi;
mod pusher;
mod router;
mod routes;
mod turns;

pub use gate::{Gate, GateSettings};
pub use metrics::describe as describe_metrics;
pub use openapi::describe as description;
