//! A Singer tap as the source of a one-off copy: a program of whoever runs the command.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, ensure};
use selvedge_connector::AnySource;
use selvedge_singer::{
    Launcher, SingerTap, TapEnvironment, TapHost, TapLimits, TapProgram, TapSettings,
};
use serde_json::{Map, Value};

/// The tap with the configuration of a file, or an empty one. It runs with the rights and in the surroundings of the command.
pub(crate) fn source(program: &Path, config: Option<&Path>) -> anyhow::Result<AnySource> {
    let config = match config {
        Some(path) => read_object(path)
            .with_context(|| format!("the tap's configuration {}", path.display()))?,
        None => Map::new(),
    };
    // A name alone is looked for in PATH, as the shell does.
    let program = match program.components().count() > 1 {
        true => std::path::absolute(program)?,
        false => program.to_owned(),
    };
    let variables: Vec<_> = std::env::vars_os().collect();
    let names = variables.iter().filter_map(|(name, _)| name.to_str());
    let names: Vec<String> = names.map(str::to_owned).collect();
    let host = TapHost {
        launcher: Launcher::none(),
        user: None,
        directory: std::env::temp_dir(),
        forbidden: Vec::new(),
        environment: TapEnvironment::pick(variables, &names),
        private_home: false,
    };
    let settings = TapSettings {
        program: TapProgram {
            program,
            arguments: Vec::new(),
            directories: Vec::new(),
            takes_properties: false,
        },
        config,
        // Whoever runs the command knows them.
        secrets: Vec::new(),
        mutable: Vec::new(),
        store: None,
        limits: TapLimits::default(),
    };
    Ok(AnySource::Tap(Arc::new(SingerTap::new(host, settings))))
}

/// A file that holds a tap's state, as other Singer programs keep it.
pub(crate) struct StateFile {
    path: PathBuf,
    state: Option<Value>,
}

impl StateFile {
    /// The state that is there; none if the file does not exist yet.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let state = match path.try_exists()? {
            true => {
                Some(Value::Object(read_object(path).with_context(|| {
                    format!("the tap's state {}", path.display())
                })?))
            }
            false => None,
        };
        Ok(Self {
            path: path.to_owned(),
            state,
        })
    }

    pub(crate) fn state(&self) -> Option<Value> {
        self.state.clone()
    }

    /// Puts a state in the file's place, whole or not at all.
    pub(crate) fn write(&self, state: &Value) -> io::Result<()> {
        let mut name = self.path.clone().into_os_string();
        name.push(".new");
        let mut file = fs::File::create(&name)?;
        io::Write::write_all(&mut file, state.to_string().as_bytes())?;
        file.sync_all()?;
        fs::rename(&name, &self.path)
    }
}

fn read_object(path: &Path) -> anyhow::Result<Map<String, Value>> {
    let text = fs::read_to_string(path)?;
    let value: Value = serde_json::from_str(&text)?;
    ensure!(value.is_object(), "is no JSON object");
    Ok(match value {
        Value::Object(object) => object,
        _ => Map::new(),
    })
}
