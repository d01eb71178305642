//! Any Singer tap is a source: its process, its files, and what it says.

mod program;

pub use program::TapProgram;
