//! The HTTP contract, driven through the real router in this process.

mod accounts;
mod app;
mod bodies;
mod checks;
mod conformance;
mod connection_types;
mod cors;
mod destinations;
mod destinations_v3;
mod idempotency;
mod import_tokens;
mod jobs;
mod lifecycle;
mod limits;
mod openapi;
mod protocol;
mod races;
mod reference;
mod scheduling;
mod sessions;
mod sources;
mod streams;
mod tenancy;
