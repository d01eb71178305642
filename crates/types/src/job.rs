//! Jobs: their names, kinds, states and outcomes.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::AccountId;

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobMode {
    /// Replicates a source.
    Sync,
    /// Checks a connection.
    Check,
}

impl JobMode {
    pub fn as_str(self) -> &'static str {
        match self {
            JobMode::Sync => "sync",
            JobMode::Check => "check",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "sync" => Some(JobMode::Sync),
            "check" => Some(JobMode::Check),
            _ => None,
        }
    }
}

/// `<account_id>.<connection_id>.<mode>.<uuid>`, the identity of a job on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JobName {
    pub account: AccountId,
    /// Id of the source, or of the destination for a destination's check.
    pub connection: i64,
    pub mode: JobMode,
    pub uuid: Uuid,
}

/// A text that is not a job name.
#[derive(Debug, thiserror::Error)]
#[error("not a job name")]
pub struct ParseJobNameError;

impl fmt::Display for JobName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}.{}.{}.{}",
            self.account,
            self.connection,
            self.mode.as_str(),
            self.uuid.hyphenated()
        )
    }
}

impl FromStr for JobName {
    type Err = ParseJobNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(4, '.');
        let mut next = || parts.next().ok_or(ParseJobNameError);
        let (account, connection, mode, uuid) = (next()?, next()?, next()?, next()?);
        Ok(Self {
            account: account.parse().map_err(|_| ParseJobNameError)?,
            connection: connection.parse().map_err(|_| ParseJobNameError)?,
            mode: JobMode::parse(mode).ok_or(ParseJobNameError)?,
            uuid: Uuid::parse_str(uuid).map_err(|_| ParseJobNameError)?,
        })
    }
}

/// Where a job stands. Stored as [`JobState::as_str`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobState {
    /// Waits for a worker.
    Pending,
    /// A worker holds its lease.
    Running,
    Succeeded,
    Failed,
    /// Stopped by the user, by the time limit, or replaced by a newer check.
    Terminated,
}

impl JobState {
    pub const ALL: [JobState; 5] = [
        JobState::Pending,
        JobState::Running,
        JobState::Succeeded,
        JobState::Failed,
        JobState::Terminated,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            JobState::Pending => "pending",
            JobState::Running => "running",
            JobState::Succeeded => "succeeded",
            JobState::Failed => "failed",
            JobState::Terminated => "terminated",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether the job has ended, in whatever way.
    pub fn ended(self) -> bool {
        !matches!(self, JobState::Pending | JobState::Running)
    }
}

/// How one phase of a job ended: 0 is success, `None` is not reached or terminated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PhaseOutcome {
    pub exit_status: Option<i32>,
    /// What went wrong, in a sentence a customer can act on.
    pub description: Option<String>,
}

impl PhaseOutcome {
    pub fn succeeded() -> Self {
        Self {
            exit_status: Some(0),
            description: None,
        }
    }

    pub fn failed(description: impl Into<String>) -> Self {
        Self {
            exit_status: Some(1),
            description: Some(description.into()),
        }
    }

    pub fn terminated() -> Self {
        Self {
            exit_status: None,
            description: Some("Terminated".to_owned()),
        }
    }

    pub fn is_failed(&self) -> bool {
        self.exit_status.is_some_and(|status| status != 0)
    }
}

/// The three phases of an extraction: discovery, tap (reading) and target (writing).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobOutcome {
    pub discovery: PhaseOutcome,
    pub tap: PhaseOutcome,
    pub target: PhaseOutcome,
}

impl JobOutcome {
    /// What a stopped or overdue job shows: null statuses and `Terminated` everywhere.
    pub fn terminated() -> Self {
        Self {
            discovery: PhaseOutcome::terminated(),
            tap: PhaseOutcome::terminated(),
            target: PhaseOutcome::terminated(),
        }
    }

    /// The state that follows from the phases.
    pub fn state(&self) -> JobState {
        let phases = [&self.discovery, &self.tap, &self.target];
        if phases.iter().all(|phase| phase.exit_status == Some(0)) {
            JobState::Succeeded
        } else if phases.iter().any(|phase| phase.is_failed()) {
            JobState::Failed
        } else {
            JobState::Terminated
        }
    }
}

/// What a running job has done so far, and a finished one in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobProgress {
    pub row_count: u64,
    /// Bytes of column data handed to the destination.
    pub size_bytes: u64,
    pub streams_done: u32,
    pub streams_total: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn job_names_round_trip() {
        let text = "140217.151834.sync.7d3f2c1a-5b6e-11f0-8c5d-0a1b2c3d4e5f";
        assert_eq!(text.parse::<JobName>().unwrap().to_string(), text);
        for bad in [
            "",
            "1.2.sync",
            "1.2.walk.7d3f2c1a-5b6e-11f0-8c5d-0a1b2c3d4e5f",
            "a.2.sync.x",
        ] {
            assert!(bad.parse::<JobName>().is_err(), "{bad:?} parsed");
        }
    }

    #[test]
    fn a_failed_phase_fails_the_job_and_null_phases_terminate_it() {
        let mut outcome = JobOutcome {
            discovery: PhaseOutcome::succeeded(),
            tap: PhaseOutcome::succeeded(),
            target: PhaseOutcome::succeeded(),
        };
        assert_eq!(outcome.state(), JobState::Succeeded);
        outcome.tap = PhaseOutcome::failed("gone");
        assert_eq!(outcome.state(), JobState::Failed);
        assert_eq!(JobOutcome::terminated().state(), JobState::Terminated);
    }
}
