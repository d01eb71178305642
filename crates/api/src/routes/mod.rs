//! One folder per resource, one file per endpoint.

pub(crate) mod accounts;
pub(crate) mod connection_checks;
pub(crate) mod custom_emails;
pub(crate) mod destination_types;
pub(crate) mod destinations;
pub(crate) mod destinations_v3;
pub(crate) mod extractions;
pub(crate) mod hooks;
pub(crate) mod import_tokens;
pub(crate) mod loads;
pub(crate) mod oauth;
pub(crate) mod service;
pub(crate) mod sessions;
pub(crate) mod source_types;
pub(crate) mod sources;
pub(crate) mod streams;
pub(crate) mod sync;
