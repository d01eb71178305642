//! Records that others push: who they come from, and the clocks of sources that number what they receive.

mod clocks;
mod pusher;

pub use clocks::{SequenceClocks, SequenceTurn};
pub use pusher::{Pusher, PusherKind, authenticate};
