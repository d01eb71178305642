//! One run of one source: discover → plan → read → load → commit → report.
//!
//! The engine has no I/O of its own. The source and the destination, the clock, the store behind the [`RunJournal`] and the
//! identity of the run all come in as parameters; it knows no driver and no SQL. What it owns is the order of things:
//!
//! 1. rows are handed to the destination in the order they were read;
//! 2. a checkpoint commits in the destination first, and only then is its position saved in the journal; a run that died in
//!    between left the position in the destination, where the next one finds it ([`TableWriter::committed_position`]);
//! 3. every row that was read is accounted for, or the run fails.
//!
//! [`TableWriter::committed_position`]: selvedge_connector::TableWriter::committed_position

mod bookmark;
mod copy;
mod journal;
pub mod lane;
mod limits;
mod listing;
mod plan;
mod position;
mod record_table;
mod recovery;
mod run;
mod sequence;
mod summary;
mod tap;

pub use bookmark::ReplicationKeys;
pub use journal::{Component, JournalError, Loaded, Progress, RunJournal, StreamState};
pub use limits::RunLimits;
pub use listing::{StreamListing, listing, tap_listing};
pub use plan::{PlanSettings, StreamChoice};
pub use position::{SavedBy, StreamPosition};
pub use run::{Run, RunReport, StreamReport};
pub use summary::{LoadNames, LoadSummary};
pub use tap::{
    Finding, LintReport, Severity, TapPosition, TapStreamPosition, TapStreamState, lint,
};
