//! Taps that do what taps do, and worse: each is a small shell script.

mod discovery;
mod endings;
mod fake;
mod log;
mod reading;
mod settings;
