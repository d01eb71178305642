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
    pub(crate) fn append(&self, job_name: &JobName) -> JobLog {
        let mut tail = Tail::default();
        let path = self.file(job_name);
        // So that it is there from the start, even if the job says nothing.
        if let Err(error) = tail.open(&path) {
            tail.failed(&path, &error, 0);
        }
        JobLog {
            path,
            tail: Mutex::new(tail),
        }
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

/// The log of a running job. It does not hold the job up: losing lines, on a full disk for one, is no reason to lose rows.
#[derive(Debug)]
pub(crate) struct JobLog {
    path: PathBuf,
    tail: Mutex<Tail>,
}

impl JobLog {
    /// Appends one event; line breaks inside the text become lines of their own with the same prefix.
    pub(crate) fn write(&self, at: Timestamp, component: Component, level: LogLevel, text: &str) {
        let mut lines = String::new();
        for line in text.lines() {
            lines.push_str(&render(at, component, level, line));
        }
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = tail.append(&self.path, at, &lines) {
            tail.failed(&self.path, &error, lines.lines().count());
        }
    }
}

/// The end of a log, where lines may be missing.
#[derive(Debug, Default)]
struct Tail {
    /// `None` until the file could be opened.
    file: Option<File>,
    /// Lines that could not be written since one last could.
    missing: usize,
    /// Whether the operator has been told, and it is not over yet.
    failing: bool,
}

impl Tail {
    fn open(&mut self, path: &Path) -> io::Result<&mut File> {
        let file = match self.file.take() {
            Some(file) => file,
            None => {
                if let Some(directory) = path.parent() {
                    std::fs::create_dir_all(directory)?;
                }
                let mut options = OpenOptions::new();
                options.create(true).append(true).mode(0o600);
                options.open(path)?
            }
        };
        Ok(self.file.insert(file))
    }

    fn append(&mut self, path: &Path, at: Timestamp, lines: &str) -> io::Result<()> {
        let missing = self.missing;
        let file = self.open(path)?;
        if missing > 0 {
            let text = format!("{missing} lines could not be written here");
            let notice = render(at, Component::Main, LogLevel::Warning, &text);
            // A line of its own, even if half of the one before was written.
            file.write_all(format!("\n{notice}{lines}").as_bytes())?;
        } else {
            file.write_all(lines.as_bytes())?;
        }
        (self.missing, self.failing) = (0, false);
        Ok(())
    }

    /// Says it once, not line by line.
    fn failed(&mut self, path: &Path, error: &io::Error, lines: usize) {
        self.missing += lines;
        if !self.failing {
            self.failing = true;
            tracing::warn!(%error, log.path = %path.display(), "a job log cannot be written; the job goes on without");
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
    fn a_log_that_cannot_be_written_tells_later_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let job: JobName = "100000.100000.sync.1154e221-230d-4de6-a3fc-38b137ed6061"
            .parse()
            .unwrap();
        let logs = LogDirectory::new(folder.path().join("logs"));
        // A file where the folder should be.
        std::fs::write(folder.path().join("logs"), "").unwrap();
        let log = logs.append(&job);
        let at = Timestamp::parse("2017-11-17T16:44:41.159Z").unwrap();
        log.write(at, Component::Tap, LogLevel::Info, "one\ntwo");
        log.write(at, Component::Tap, LogLevel::Info, "three");
        std::fs::remove_file(folder.path().join("logs")).unwrap();
        log.write(at, Component::Tap, LogLevel::Info, "four");
        log.write(at, Component::Tap, LogLevel::Info, "five");
        assert_eq!(
            std::fs::read_to_string(logs.file(&job)).unwrap(),
            "
2017-11-17 16:44:41,159Z   main - WARNING 3 lines could not be written here
2017-11-17 16:44:41,159Z    tap - INFO four
2017-11-17 16:44:41,159Z    tap - INFO five
"
        );
    }

    #[test]
    fn a_log_on_a_full_disk_costs_nothing_but_lines() {
        let log = JobLog {
            path: PathBuf::from("/dev/full"),
            tail: Mutex::default(),
        };
        let at = Timestamp::from_micros(0);
        log.write(at, Component::Tap, LogLevel::Info, "one\ntwo");
        log.write(at, Component::Tap, LogLevel::Info, "three");
        let tail = log.tail.into_inner().unwrap();
        assert_eq!((tail.missing, tail.failing), (3, true));
    }

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
