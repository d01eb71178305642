//! A connection check as it is answered.

use selvedge_store::jobs::JobRecord;
use selvedge_types::Timestamp;
use selvedge_types::job::JobState;
use serde::Serialize;

/// Field order is the documented one. Tap and target do not take part in a check; their fields are null.
#[derive(Serialize)]
pub(crate) struct ConnectionCheckView {
    target_exit_status: Option<i32>,
    tap_error_message: Option<String>,
    check_exit_status: Option<i32>,
    name: String,
    start_time: Timestamp,
    mode: &'static str,
    tap_exit_status: Option<i32>,
    target_error_message: Option<String>,
    discovery_exit_status: Option<i32>,
    status: &'static str,
    completion_time: Option<Timestamp>,
    error: bool,
    discovery_error_message: Option<String>,
}

impl From<JobRecord> for ConnectionCheckView {
    fn from(job: JobRecord) -> Self {
        let status = match job.state {
            JobState::Pending | JobState::Running => "running",
            JobState::Succeeded => "succeeded",
            JobState::Failed | JobState::Terminated => "failed",
        };
        let ended = job.state.ended();
        Self {
            target_exit_status: None,
            tap_error_message: None,
            check_exit_status: job.check.exit_status.filter(|_| ended),
            name: job.name.to_string(),
            start_time: job.started_at.unwrap_or(job.created_at),
            mode: job.name.mode.as_str(),
            tap_exit_status: None,
            target_error_message: None,
            discovery_exit_status: job.outcome.discovery.exit_status.filter(|_| ended),
            status,
            completion_time: job.completed_at,
            error: status == "failed",
            // The one message field that is ever filled, whichever phase failed.
            discovery_error_message: job
                .outcome
                .discovery
                .description
                .or(job.check.description)
                .filter(|_| status == "failed"),
        }
    }
}
