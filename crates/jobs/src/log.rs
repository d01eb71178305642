//! A job's log: one text file per job, one line per event.
//!
//! Line: `2017-11-17 16:44:41,159Z    tap - INFO text`; the component is right-aligned in seven characters.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use selvedge_connector::LogLevel;
use selvedge_control::{JobLogs, LogReader};
use selvedge_engine::Component;
use selvedge_types::job::JobName;
use selvedge_types::{AccountScope, Timestamp};

/// Where the logs of all jobs are kept.
#[derive(Clone, Debug)]
pub struct LogDirectory {
    root: PathBuf,
}

impl LogDirectory {
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The file of one job. The name is built from ids and a UUID, so it cannot lead elsewhere.
    pub(crate) fn file(&self, job_name: &JobName) -> PathBuf {
        self.root
            .join(job_name.account.to_string())
            .join(format!("{job_name}.log"))
    }

    /// Opens a job's log for appending: a job that is taken over after a crash goes on in the same log.
    pub(crate) fn append(&self, job_name: &JobName) -> io::Result<JobLog> {
        let path = self.file(job_name);
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)?;
        Ok(JobLog {
            file: Mutex::new(file),
        })
    }

    /// Deletes logs last written before `before`; returns how many.
    pub(crate) fn delete_older_than(&self, before: Timestamp) -> io::Result<usize> {
        let mut deleted = 0;
        for account in entries(&self.root)? {
            for log in entries(&account)? {
                let modified = std::fs::metadata(&log)?.modified()?;
                let micros = modified
                    .duration_since(std::time::UNIX_EPOCH)
                    .map_or(0, |age| age.as_micros());
                if i64::try_from(micros).unwrap_or(i64::MAX) < before.as_micros() {
                    std::fs::remove_file(&log)?;
                    deleted += 1;
                }
            }
        }
        Ok(deleted)
    }
}

#[async_trait]
impl JobLogs for LogDirectory {
    async fn open(&self, scope: AccountScope, job: &JobName) -> io::Result<Option<LogReader>> {
        if job.account != scope.account() {
            return Ok(None);
        }
        match tokio::fs::File::open(self.file(job)).await {
            Ok(file) => Ok(Some(Box::pin(file))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    match std::fs::read_dir(directory) {
        Ok(entries) => entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect(),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

/// The open log of a running job.
#[derive(Debug)]
pub(crate) struct JobLog {
    file: Mutex<File>,
}

impl JobLog {
    /// Appends one event; line breaks inside the text become lines of their own with the same prefix.
    pub(crate) fn write(&self, at: Timestamp, component: Component, level: LogLevel, text: &str) {
        let mut lines = String::new();
        for line in text.lines() {
            lines.push_str(&render(at, component, level, line));
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.write_all(lines.as_bytes()) {
            // The job goes on: losing a log line is no reason to lose rows.
            tracing::warn!(%error, "a job log line could not be written");
        }
    }
}

fn render(at: Timestamp, component: Component, level: LogLevel, text: &str) -> String {
    // `2031-02-03T04:05:06.789Z` → `2031-02-03 04:05:06,789Z`
    let time = at
        .to_millis_string()
        .replacen('T', " ", 1)
        .replacen('.', ",", 1);
    format!(
        "{time}{:>7} - {} {text}\n",
        component.as_str(),
        level.as_str()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_the_documented_form() {
        let at = Timestamp::parse("2017-11-17T16:44:41.159Z").unwrap();
        assert_eq!(
            render(at, Component::Tap, LogLevel::Info, "State update"),
            "2017-11-17 16:44:41,159Z    tap - INFO State update\n"
        );
        assert_eq!(
            render(at, Component::Target, LogLevel::Critical, "x"),
            "2017-11-17 16:44:41,159Z target - CRITICAL x\n"
        );
    }
}
