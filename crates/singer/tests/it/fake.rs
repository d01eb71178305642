//! A tap made of a shell script, and everything that comes of running it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use selvedge_connector::{
    ConnectorError, LogLevel, SettingsStore, Tap, TapCatalog, TapContext, TapEvent, TapRead,
    tap_channel,
};
use selvedge_singer::{
    Launcher, Mutable, SingerTap, TapEnvironment, TapHost, TapLimits, TapProgram, TapSettings,
};
use selvedge_types::{Clock, Timestamp};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A script with its surroundings. In the script, `$1` and so on are the arguments of the contract.
pub(crate) struct FakeTap {
    pub(crate) directory: TempDir,
    pub(crate) program: TapProgram,
    pub(crate) config: Map<String, Value>,
    pub(crate) secrets: Vec<String>,
    pub(crate) mutable: Vec<Mutable>,
    pub(crate) store: Option<Arc<dyn SettingsStore>>,
    pub(crate) limits: TapLimits,
    pub(crate) stop: CancellationToken,
    log: Arc<Mutex<Vec<(LogLevel, String)>>>,
}

/// What came of a reading.
pub(crate) struct Outcome {
    pub(crate) events: Vec<String>,
    pub(crate) result: Result<(), ConnectorError>,
}

impl Outcome {
    pub(crate) fn error(&self) -> &ConnectorError {
        self.result.as_ref().expect_err("the tap did not fail")
    }
}

impl FakeTap {
    pub(crate) fn new(script: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tap.sh");
        std::fs::write(&path, script).unwrap();
        Self {
            program: TapProgram {
                program: "sh".into(),
                // Not executed itself: a copy of its open file in another test's child would forbid that.
                arguments: vec![path.to_str().unwrap().to_owned()],
                directories: Vec::new(),
                takes_properties: false,
            },
            directory,
            config: Map::new(),
            secrets: Vec::new(),
            mutable: Vec::new(),
            store: None,
            limits: TapLimits::default(),
            stop: CancellationToken::new(),
            log: Arc::default(),
        }
    }

    /// Beside the script: where the runs' directories are, and where a script may leave notes.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn tap(&self) -> SingerTap {
        let host = TapHost {
            launcher: Launcher::none(),
            user: None,
            directory: self.path("runs"),
            forbidden: Vec::new(),
            environment: TapEnvironment::pick(
                std::env::vars_os().chain([("NOTES".into(), self.directory.path().into())]),
                &["NOTES".to_owned()],
            ),
            private_home: true,
        };
        let settings = TapSettings {
            program: self.program.clone(),
            config: self.config.clone(),
            secrets: self.secrets.clone(),
            mutable: self.mutable.clone(),
            store: self.store.clone(),
            limits: self.limits.clone(),
        };
        SingerTap::new(host, settings)
    }

    pub(crate) fn context(&self) -> TapContext {
        let log = Arc::clone(&self.log);
        TapContext {
            clock: Arc::new(Midnight),
            stop: self.stop.clone(),
            batch_bytes: 1 << 20,
            log: Arc::new(move |level, text: &str| {
                log.lock().unwrap().push((level, text.to_owned()))
            }),
        }
    }

    pub(crate) async fn discover(&self) -> Result<TapCatalog, ConnectorError> {
        let found = self.tap().discover(&self.context()).await;
        self.assert_nothing_left();
        found
    }

    /// Lets the tap read an empty catalogue.
    pub(crate) async fn read(&self) -> Outcome {
        self.read_with(TapRead {
            document: json!({"streams": []}),
            selected: Vec::new(),
            state: None,
        })
        .await
    }

    pub(crate) async fn read_with(&self, read: TapRead) -> Outcome {
        let (sender, mut receiver) = tap_channel(4);
        let listening = tokio::spawn(async move {
            let mut events = Vec::new();
            while let Some(event) = receiver.recv().await {
                events.push(match event {
                    TapEvent::State(state) => format!("state {state}"),
                    TapEvent::Fault(error) => format!("fault {error}"),
                    TapEvent::ActivateVersion { stream, version } => {
                        format!("version {stream} {version}")
                    }
                    TapEvent::Schema(schema) => format!("schema {}", schema.stream),
                    TapEvent::Records(records) => format!("{} records", records.len()),
                });
            }
            events
        });
        let result = self.tap().read(self.context(), read, sender).await;
        let events = listening.await.unwrap();
        self.assert_nothing_left();
        Outcome { events, result }
    }

    /// What the job's log has, one line each with its level.
    pub(crate) fn log(&self) -> Vec<String> {
        let log = self.log.lock().unwrap();
        let lines = log.iter();
        lines
            .map(|(level, text)| format!("{} {text}", level.as_str()))
            .collect()
    }

    pub(crate) fn note(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// No file and no process of a run.
    pub(crate) fn assert_nothing_left(&self) {
        let runs = self.path("runs");
        if let Ok(entries) = std::fs::read_dir(&runs) {
            let left: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
            assert!(left.is_empty(), "files were left: {left:?}");
        }
        let left = processes_with(&runs);
        assert!(left.is_empty(), "processes were left: {left:?}");
    }
}

/// The processes that carry the mark of a run in this directory.
pub(crate) fn processes_with(runs: &Path) -> Vec<String> {
    let mark = format!("SELVEDGE_TAP_RUN={}", runs.display());
    let processes = std::fs::read_dir("/proc").into_iter().flatten();
    processes
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let environment = std::fs::read(path.join("environ")).ok()?;
            let environment = String::from_utf8_lossy(&environment).into_owned();
            let command = std::fs::read(path.join("cmdline")).ok()?;
            environment
                .contains(&mark)
                .then(|| String::from_utf8_lossy(&command).into_owned())
        })
        .collect()
}

struct Midnight;

impl Clock for Midnight {
    fn now(&self) -> Timestamp {
        Timestamp::parse("2031-02-03T00:00:00Z").unwrap()
    }
}

/// Keeps what it is given, or refuses.
#[derive(Default)]
pub(crate) struct Shelf {
    pub(crate) kept: Mutex<Vec<Value>>,
    pub(crate) refuses: bool,
}

#[async_trait]
impl SettingsStore for Shelf {
    async fn save(&self, changed: Map<String, Value>) -> Result<(), ConnectorError> {
        if self.refuses {
            return Err(ConnectorError::internal("the shelf is full"));
        }
        self.kept.lock().unwrap().push(Value::Object(changed));
        Ok(())
    }
}
