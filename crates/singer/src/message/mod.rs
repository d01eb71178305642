//! What a tap writes to its standard output: one JSON message per line.
//!
//! [`Decoder`] takes bytes and makes [`TapEvent`](selvedge_connector::TapEvent)s of complete lines. A record is read once,
//! from its first byte to its last, while it is held against its stream's schema; nothing is built for it, and it stays where
//! it is until its values go into columns.

mod decoder;
mod envelope;
mod files;
mod streams;
#[cfg(test)]
mod tests;

pub use decoder::{Decoder, MessageLimits};
