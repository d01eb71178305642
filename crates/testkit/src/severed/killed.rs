//! Loads whose process dies at every step, for destinations that are files of this machine.
//!
//! The test starts its own executable again, which loads and kills itself at the chosen step: without a word to anybody, and with
//! whatever it had written until then left in the files. Steps are what the destination tells of in tracing events of one
//! target, such as each of its statements.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Command;
use tokio::task::JoinSet;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::AT_ONCE;
use super::scenario::{Scenario, content, drive, prepare};
use crate::conformance::{Stored, Subject};

/// Tells the process that is to die at which step.
const STEP_VARIABLE: &str = "SELVEDGE_TEST_DIES_AT_STEP";
/// And where its files are.
const FOLDER_VARIABLE: &str = "SELVEDGE_TEST_DIES_IN_FOLDER";

/// How many commits are known to be durable: what the engine would have saved elsewhere.
const SAVED: &str = "saved";

/// A destination in files.
pub trait Mortal: Subject + Send + Sized + 'static {
    /// The target of its tracing events about steps.
    const STEPS: &'static str;

    /// The one whose files are in this folder; the folder is there, and may be empty.
    fn within(folder: &Path) -> Self;
}

/// Kills the scenario's load at every step. `test` is the calling test's own name, as the test runner has it.
///
/// # Panics
/// When the tables differ from what they are without a death, or the load cannot be repeated.
pub async fn survives_every_death<S: Mortal>(test: &'static str, scenario: Scenario) {
    if let Some((step, folder)) = given() {
        return live::<S>(scenario, step, &folder).await;
    }
    let start = tempfile::tempdir().expect("a temporary folder");
    prepare(&S::within(start.path()), scenario).await;
    let folder = copy(start.path());
    let whole = S::within(folder.path());
    let driven = drive(&whole, whole.destination(), scenario, 1, 0, &mut |_| {}).await;
    driven.unwrap();
    let expected = content(&whole).await;
    let mut attempts = JoinSet::new();
    let mut steps = 1..;
    let (mut done, mut death_count) = (false, 0);
    while !done || !attempts.is_empty() {
        while !done && attempts.len() < AT_ONCE {
            let step = steps.next().expect("no end");
            let (folder, expected) = (copy(start.path()), expected.clone());
            attempts.spawn(async move {
                attempt::<S>(test, scenario, step, folder.path(), &expected).await
            });
        }
        match attempts.join_next().await {
            Some(Ok(true)) => death_count += 1,
            // The load had fewer steps.
            Some(Ok(false)) => done = true,
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            None => {}
        }
    }
    assert!(death_count > 30, "only {death_count} deaths");
}

/// Whether there was such a step.
async fn attempt<S: Mortal>(
    test: &str,
    scenario: Scenario,
    step: u64,
    folder: &Path,
    expected: &[Stored],
) -> bool {
    let program = std::env::current_exe().expect("this program");
    let lived = Command::new(program)
        .args([test, "--exact", "--nocapture"])
        .env(STEP_VARIABLE, step.to_string())
        .env(FOLDER_VARIABLE, folder)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("this program starts again");
    let said = String::from_utf8_lossy(&lived.stderr);
    let died = lived.status.signal() == Some(Signal::SIGKILL as i32);
    assert!(died || lived.status.success(), "step {step}: {said}");
    let saved = std::fs::read_to_string(folder.join(SAVED));
    let saved: usize = saved.map_or(0, |text| text.parse().expect("a number"));
    let subject = S::within(folder);
    if died {
        let again = subject.destination();
        let repeated = drive(&subject, again, scenario, 2, saved, &mut |_| {}).await;
        repeated.unwrap_or_else(|error| panic!("step {step}: the repeated load failed: {error:?}"));
    } else {
        // A name that is no test's would pass as well.
        assert!(saved > scenario.run.commits.len(), "{test} did not load");
    }
    assert_eq!(content(&subject).await, expected, "step {step}");
    died
}

fn given() -> Option<(u64, PathBuf)> {
    let step = std::env::var(STEP_VARIABLE).ok()?;
    let folder = std::env::var_os(FOLDER_VARIABLE).expect("step and folder go together");
    Some((step.parse().expect("a number"), folder.into()))
}

/// The life of the process that is to die.
async fn live<S: Mortal>(scenario: Scenario, step: u64, folder: &Path) {
    let death = Death {
        target: S::STEPS,
        step,
        seen: AtomicU64::new(0),
    };
    tracing::subscriber::set_global_default(death).expect("the only one of this process");
    let subject = S::within(folder);
    let saved: Arc<Path> = folder.join(SAVED).into();
    let mut save = |place: usize| std::fs::write(&saved, place.to_string()).expect("a file");
    let driven = drive(&subject, subject.destination(), scenario, 1, 0, &mut save).await;
    driven.unwrap();
}

/// Counts the steps, and comes at the chosen one.
struct Death {
    target: &'static str,
    step: u64,
    seen: AtomicU64,
}

impl Subscriber for Death {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == self.target
    }

    fn event(&self, _: &Event<'_>) {
        if self.seen.fetch_add(1, Ordering::SeqCst) + 1 == self.step {
            kill(Pid::this(), Signal::SIGKILL).expect("one may always do that");
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// A copy of a folder, for one attempt.
fn copy(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().expect("a temporary folder");
    copy_into(from, to.path());
    to
}

fn copy_into(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("the folder is there") {
        let entry = entry.expect("an entry");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().expect("its type").is_dir() {
            std::fs::create_dir(&to).expect("a new folder");
            copy_into(&from, &to);
        } else {
            std::fs::copy(&from, &to).expect("a copy");
        }
    }
}
