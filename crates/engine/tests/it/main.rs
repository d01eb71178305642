//! Runs of the engine between connectors in memory, where every step can be watched and made to fail.

mod dice;
mod fakes;
mod lanes;
mod recovery;
mod runs;
mod taps;
