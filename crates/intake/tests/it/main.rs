//! What the crate promises to those who hand bodies to it.

mod batch_oracle;
mod batch_records;
mod batch_refusals;
mod push;
mod support;
mod transit;
mod transit_writer;
