//! The result of testing a connection's settings.

use crate::ConnectorError;

/// One thing that was tried, in order.
#[derive(Clone, Debug)]
pub struct CheckStep {
    /// What was tried, for example `connect to db.example.net:5432`.
    pub name: String,
    /// `None` when it worked.
    pub error: Option<ConnectorError>,
    /// What to do about the failure, as a sentence.
    pub remedy: Option<String>,
}

/// All steps that were reached; the last one carries the failure, if any.
#[derive(Clone, Debug, Default)]
pub struct CheckReport {
    pub steps: Vec<CheckStep>,
}

impl CheckReport {
    /// Notes a step that worked.
    pub fn passed(&mut self, name: impl Into<String>) {
        self.steps.push(CheckStep {
            name: name.into(),
            error: None,
            remedy: None,
        });
    }

    /// Notes the step that failed; nothing after it is tried.
    pub fn failed(
        &mut self,
        name: impl Into<String>,
        error: ConnectorError,
        remedy: Option<String>,
    ) {
        self.steps.push(CheckStep {
            name: name.into(),
            error: Some(error),
            remedy,
        });
    }

    /// The failed step.
    pub fn failure(&self) -> Option<&CheckStep> {
        self.steps.iter().find(|step| step.error.is_some())
    }

    /// The failure as one text for the customer: message, the other side's words, remedy.
    pub fn failure_text(&self) -> Option<String> {
        let step = self.failure()?;
        let error = step.error.as_ref()?;
        Some(match &step.remedy {
            Some(remedy) => format!("{error} {remedy}"),
            None => error.to_string(),
        })
    }
}
