//! Records that others push: who they come from, and the clocks of sources that number what they receive.

mod clocks;
mod pusher;
mod pushers;
mod received;

pub use clocks::{SequenceClocks, SequenceTurn};
pub use pusher::{Pusher, PusherKind};
pub use pushers::Pushers;
pub use received::{flush_received, note_received};
