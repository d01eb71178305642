//! A connection check as it is answered.

use selvedge_store::jobs::JobRecord;
use selvedge_types::Timestamp;
use selvedge_types::job::JobState;
use serde::Serialize;
use utoipa::ToSchema;

// Field order is the documented one. Tap and target do not take part in a check; their fields are null.
#[derive(Serialize, ToSchema)]
#[schema(as = ConnectionCheck)]
pub(crate) struct ConnectionCheckView {
    #[schema(required)]
    target_exit_status: Option<i32>,
    #[schema(required)]
    tap_error_message: Option<String>,
    /// Null while running or when not reached, 0 for success.
    #[schema(required)]
    check_exit_status: Option<i32>,
    /// The job's name: `<account>.<connection>.check.<uuid>`.
    name: String,
    #[schema(value_type = String, format = DateTime)]
    start_time: Timestamp,
    /// Always `check`.
    mode: &'static str,
    #[schema(required)]
    tap_exit_status: Option<i32>,
    #[schema(required)]
    target_error_message: Option<String>,
    /// Null while running, when not reached or when there is nothing to discover; 0 for success.
    #[schema(required)]
    discovery_exit_status: Option<i32>,
    /// `running`, `succeeded` or `failed`.
    #[schema(pattern = "^(running|succeeded|failed)$")]
    status: &'static str,
    #[schema(required, value_type = Option<String>, format = DateTime)]
    completion_time: Option<Timestamp>,
    error: bool,
    /// Why it failed, whichever part it was.
    #[schema(required)]
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
