//! What may be done, one module per use case.
//!
//! Everybody who wants something of the control plane (the HTTP API, the command line, the job runner) calls the functions
//! here: they know the rules, choose what commits together, and refuse with a [`ControlError`]. Whoever calls them
//! translates and has no rule of its own. Every function takes the [`Control`] handle first and, where tenant data is
//! touched, the account's scope next.
//!
//! - For callers of the API: [`accounts`], [`tokens`], [`sessions`], [`plans`], [`connection_types`], [`destinations`],
//!   [`sources`], [`import_tokens`], [`streams`], [`checks`], [`jobs`], [`custom_emails`], [`hooks`], [`idempotency`]; and
//!   of partners, [`oauth`].
//! - For what others push: [`intake`], [`webhooks`].
//! - For the job runner: [`scheduler`], [`loads::record`], [`sources::settings_for_run`], [`destinations::settings_for_run`],
//!   [`streams::selection`], [`streams::apply_discovery`], [`checks::complete`].

pub mod accounts;
pub mod checks;
pub mod connection_types;
mod control;
pub mod custom_emails;
pub mod destinations;
mod error;
pub mod hooks;
pub mod idempotency;
pub mod import_tokens;
pub mod intake;
pub mod jobs;
mod latest;
pub mod loads;
pub mod logs;
pub mod oauth;
pub mod plans;
mod properties;
pub mod remembered;
pub mod scheduler;
pub mod sessions;
pub mod sources;
pub mod streams;
mod text;
pub mod tokens;
mod unavailable;
pub mod webhooks;

pub use control::{Availability, Control, Settings};
pub use error::{ControlError, FormProblem};
pub use logs::{JobLogs, LogReader};
