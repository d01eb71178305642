//! One run of a tap, from its files to its last word: the process on a thread of its own, what it replaces in its settings
//! saved beside it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use selvedge_connector::{ConnectorError, ErrorKind, LogLevel};
use serde_json::{Map, Value};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::{Shared, blocking, program_file};
use crate::failure::failure;
use crate::launch::Launch;
use crate::log::TapLog;
use crate::process::{Ended, Flow, Output, Supervision, supervise};
use crate::run_directory::{MARKER, RunDirectory};
use crate::settings_file::SettingsFile;

/// What the tap is asked for.
pub(super) enum Files {
    Discovery,
    Reading {
        catalog: Value,
        state: Option<Value>,
    },
}

pub(super) struct Session {
    pub(super) shared: Arc<Shared>,
    pub(super) stop: CancellationToken,
    pub(super) log: TapLog,
    pub(super) files: Files,
    /// The kind of failures that say nothing of their kind.
    pub(super) usually: ErrorKind,
}

/// A tap that is ready to be started.
struct Prepared {
    directory: RunDirectory,
    supervision: Supervision,
    changes: watch::Receiver<Map<String, Value>>,
}

impl Session {
    /// Runs the tap and returns what became of its output. Whoever stops waiting ends the tap, whose end is then waited for
    /// by a task of its own: settings that it has replaced are saved, its files removed.
    ///
    /// `output` is made when the run's directory is.
    pub(super) async fn run<O: Output>(
        mut self,
        output: impl FnOnce(&Path) -> O + Send + 'static,
    ) -> Result<O, ConnectorError> {
        let stop = self.stop.child_token();
        let _ended_when_dropped = stop.clone().drop_guard();
        self.stop = stop;
        let running = tokio::spawn(self.run_to_the_end(output));
        running
            .await
            .unwrap_or_else(|error| Err(crashed(&error.to_string())))
    }

    async fn run_to_the_end<O: Output>(
        self,
        output: impl FnOnce(&Path) -> O,
    ) -> Result<O, ConnectorError> {
        let (shared, stop, log) = (
            Arc::clone(&self.shared),
            self.stop.clone(),
            self.log.clone(),
        );
        let usually = self.usually;
        if stop.is_cancelled() {
            return Err(ConnectorError::stopped());
        }
        let Prepared {
            directory,
            supervision,
            mut changes,
        } = blocking(move || self.prepare()).await?;
        let mut output = output(directory.path());
        let (tell, told) = oneshot::channel();
        // Not of the runtime's pool: it lasts as long as the tap, which dies when the thread does.
        let started = thread::Builder::new()
            .name("tap".to_owned())
            .spawn(move || {
                let ended = supervise(supervision, &mut output);
                // Nobody is told when the runtime goes down; the directory goes after the tap in any case.
                let _ = tell.send((ended, output, directory));
            });
        started.map_err(|error| no_thread(&error))?;

        let mut saved = Map::new();
        let mut told = std::pin::pin!(told);
        let mut unsaved = None;
        let result = loop {
            tokio::select! {
                result = &mut told => break result,
                changed = changes.changed(), if unsaved.is_none() => {
                    if changed.is_err() {
                        // The attendant has looked for the last time: the end is near.
                        break told.await;
                    }
                    if let Err(error) = save(&shared, &mut changes, &mut saved).await {
                        unsaved = Some(error);
                        stop.cancel();
                    }
                }
            }
        };
        let (ended, output, directory) = result.map_err(|_| crashed("the thread is gone"))?;
        // Before anything else can fail.
        let last_save = save(&shared, &mut changes, &mut saved).await;
        if let Err(error) = blocking(move || directory.remove().map_err(not_removed)).await {
            // The next start of a server removes them.
            log.say(LogLevel::Error, &error.to_string());
        }
        if let Some(error) = unsaved {
            last_save.and(Err(error))?;
        } else {
            last_save?;
        }
        let Ended {
            status,
            words,
            outcome,
        } = ended?;
        match outcome? {
            Flow::Over => {}
            Flow::Continue if status.success() => {}
            Flow::Continue => return Err(failure(status, &words, &shared.limits, usually)),
        }
        Ok(output)
    }

    fn prepare(self) -> Result<Prepared, ConnectorError> {
        let Self {
            shared,
            stop,
            log,
            files,
            ..
        } = self;
        let host = &shared.host;
        let program = program_file::find(&shared.program.program, host.environment.path())?;
        let directory =
            RunDirectory::make(&host.directory, host.user).map_err(|error| no_files(&error))?;
        let config = directory.write("config.json", &shared.config);
        let config = config.map_err(|error| no_files(&error))?;
        let mut arguments: Vec<OsString> = vec!["--config".into(), config.clone().into()];
        let mut give = |option: &str, name: &str, content: &Value| {
            let path = directory
                .write(name, content)
                .map_err(|error| no_files(&error))?;
            arguments.push(option.into());
            arguments.push(path.into());
            Ok::<_, ConnectorError>(())
        };
        match &files {
            Files::Discovery => arguments.push("--discover".into()),
            Files::Reading { catalog, state } => {
                let option = match shared.program.takes_properties {
                    true => "--properties",
                    false => "--catalog",
                };
                give(option, "catalog.json", catalog)?;
                if let Some(state) = state {
                    give("--state", "state.json", state)?;
                }
            }
        }
        if let Some(user) = host.user {
            directory.give_to(user).map_err(|error| no_files(&error))?;
        }
        let mut command = shared.command(program.as_os_str(), &directory);
        command.args(&shared.program.arguments).args(arguments);
        let mutable = Arc::clone(&shared.mutable);
        let (settings_file, changes) =
            SettingsFile::new(config, &shared.config, mutable, log.clone());
        let supervision = Supervision {
            command,
            run: directory.path().as_os_str().to_owned(),
            limits: shared.limits.clone(),
            stop,
            log,
            settings_file,
        };
        Ok(Prepared {
            directory,
            supervision,
            changes,
        })
    }
}

impl Shared {
    /// The program without the arguments of the contract, with everything around it set.
    fn command(&self, program: &OsStr, directory: &RunDirectory) -> Command {
        let limits = &self.limits;
        let mut forbidden = self.host.forbidden.clone();
        forbidden.push(self.host.directory.clone());
        let launch = Launch {
            parent: std::process::id(),
            memory: limits.memory,
            processor: limits.processor,
            file_size: limits.file_size,
            open_files: limits.open_files,
            user: self.host.user,
            forbidden,
            writable: vec![directory.path().to_owned()],
            readable: self.program.directories.clone(),
        };
        let mut command = self.host.launcher.command(&launch, program);
        command
            .env_clear()
            .envs(self.host.environment.variables())
            .env("TMPDIR", directory.temporary())
            .env(MARKER, directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        if self.host.private_home {
            let home = directory.home();
            command.env("HOME", &home).current_dir(home);
        }
        command
    }
}

/// Saves what differs from what was saved last.
async fn save(
    shared: &Shared,
    changes: &mut watch::Receiver<Map<String, Value>>,
    saved: &mut Map<String, Value>,
) -> Result<(), ConnectorError> {
    let all = changes.borrow_and_update().clone();
    let new: Map<String, Value> = all
        .into_iter()
        .filter(|(property, value)| saved.get(property) != Some(value))
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    let names = new.keys().cloned().collect::<Vec<_>>().join(", ");
    let Some(store) = &shared.store else {
        return Err(ConnectorError::internal(format!(
            "the tap replaced settings that nobody keeps: {names}"
        )));
    };
    let kept = store.save(new.clone()).await;
    kept.map_err(|error| {
        error.within(format!(
            "what the tap replaced in its settings ({names}) could not be saved"
        ))
    })?;
    saved.extend(new);
    Ok(())
}

fn no_files(error: &io::Error) -> ConnectorError {
    ConnectorError::internal("the private files of the tap could not be written")
        .with_detail(error.to_string())
}

fn not_removed(error: io::Error) -> ConnectorError {
    ConnectorError::internal("the private files of the tap could not be removed")
        .with_detail(error.to_string())
}

fn no_thread(error: &io::Error) -> ConnectorError {
    ConnectorError::internal("a thread could not be started").with_detail(error.to_string())
}

fn crashed(detail: &str) -> ConnectorError {
    ConnectorError::internal("the run of the tap crashed").with_detail(detail)
}
