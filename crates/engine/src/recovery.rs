//! What the destination committed and nobody heard of: the run before died between the commit and its position.
//!
//! The store's position is the one that counts. The destination's takes its place only when it is a later checkpoint of the
//! very run that saved the store's, in the same epoch; so neither an older life of the stream nor another installation that
//! wrote to the same destination can move it.

use selvedge_connector::LoadMode;

use crate::plan::StreamPlan;
use crate::position::StreamPosition;

/// What to do about the destination's last commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Recovered {
    /// It is known, or means nothing to this run.
    Nothing,
    /// Reading goes on from here.
    GoOn(StreamPosition),
    /// It was the last one of this stream in this job: there is nothing left to do.
    Finished(StreamPosition),
}

/// Compares what the destination kept with what the store knows. `job` is the job of this run.
pub(crate) fn recover(plan: &StreamPlan, job: &str, committed: Option<&str>) -> Recovered {
    // A text that is no position of ours was written by an earlier version of this program.
    let committed = committed.and_then(|text| serde_json::from_str::<StreamPosition>(text).ok());
    let (Some(mut committed), Some(stored)) = (committed, &plan.state.position) else {
        return Recovered::Nothing;
    };
    let epoch = plan.identity.epoch;
    let same_life = committed
        .saved_by
        .as_ref()
        .is_some_and(|saved| saved.epoch == epoch);
    if !same_life || !committed.follows(stored) {
        return Recovered::Nothing;
    }
    committed.untold = std::mem::take(&mut committed.untold).of_unheard_commit(&stored.untold);
    if committed
        .of_job(job, epoch)
        .is_some_and(|saved| saved.finished)
    {
        return Recovered::Finished(committed);
    }
    match plan.mode {
        LoadMode::Merge => Recovered::GoOn(committed),
        // A replacement starts over, whatever was committed.
        LoadMode::Replace => Recovered::Nothing,
    }
}
