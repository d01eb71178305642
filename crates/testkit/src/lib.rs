//! Test support: throw-away databases, and whatever tests of several crates share. A dev-dependency only.

pub mod clock;
pub mod postgres;
