//! A run of a Singer tap: one process reads all selected streams, and its state spans them all.
//!
//! Records go into their tables as they come. At a checkpoint every table commits; only then is the state that the tap wrote
//! before it saved, so that it is never ahead of the rows. A stream whose rows are not visible yet, or that failed, keeps its
//! bookmark of the last saved state (`state`). Versions of a table are kept apart by `version`.

mod exclusions;
mod lint;
mod position;
mod run;
mod state;
mod stream;
mod tables;
mod version;

pub use lint::{Finding, LintReport, Severity, lint};
pub use position::{TapPosition, TapStreamPosition, TapStreamState};
