//! Any Singer tap is a source: its process, its files, and what it says.

mod message;
mod program;

pub use message::{Decoder, MessageLimits};
pub use program::TapProgram;
