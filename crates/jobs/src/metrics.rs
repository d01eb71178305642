//! Names of the numbers that jobs report, with low-cardinality labels: no account, source or table is a label.

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use selvedge_types::job::{JobMode, JobProgress, JobState};

const ENDED: &str = "selvedge_jobs_ended_total";
const RUNNING: &str = "selvedge_jobs_running";
const SECONDS: &str = "selvedge_job_duration_seconds";
const ROWS: &str = "selvedge_rows_total";
const BYTES: &str = "selvedge_bytes_total";
const LANES: &str = "selvedge_intake_lanes_waiting";
const WAITING: &str = "selvedge_intake_records_waiting";
const HOOKS: &str = "selvedge_hook_attempts_total";

/// Says once what the numbers mean.
pub fn describe() {
    describe_counter!(ENDED, "Jobs that ended, by mode and state");
    describe_gauge!(RUNNING, "Jobs running on this node, by mode");
    describe_histogram!(
        SECONDS,
        Unit::Seconds,
        "Time from a job's claim to its recorded end"
    );
    describe_counter!(ROWS, "Rows handed to destinations by ended jobs");
    describe_counter!(
        BYTES,
        Unit::Bytes,
        "Bytes of columns handed to destinations by ended jobs"
    );
    describe_gauge!(
        LANES,
        "Tables with accepted records that are not loaded yet"
    );
    describe_gauge!(WAITING, "Accepted records that are not loaded yet");
    describe_counter!(
        HOOKS,
        "Attempts to tell hooks of loads, by outcome: delivered, failed (to be tried again), given_up"
    );
}

pub(crate) fn running(mode: JobMode, count: usize) {
    gauge!(RUNNING, "mode" => mode.as_str()).set(count as f64);
}

pub(crate) fn ended(mode: JobMode, state: JobState, seconds: f64) {
    counter!(ENDED, "mode" => mode.as_str(), "state" => state.as_str()).increment(1);
    histogram!(SECONDS, "mode" => mode.as_str()).record(seconds);
}

pub(crate) fn hook_attempted(outcome: &'static str) {
    counter!(HOOKS, "outcome" => outcome).increment(1);
}

pub(crate) fn moved(progress: &JobProgress) {
    counter!(ROWS).increment(progress.row_count);
    counter!(BYTES).increment(progress.size_bytes);
}

pub(crate) fn waiting(lanes: usize, records: u64) {
    gauge!(LANES).set(lanes as f64);
    gauge!(WAITING).set(records as f64);
}
