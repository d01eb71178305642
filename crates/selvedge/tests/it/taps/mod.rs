//! Singer taps as sources, through the API of the real server.

mod commands;
mod kills;
mod real;
mod scripted;
mod user;

use std::path::{Path, PathBuf};

use selvedge_testkit::server::ServerSettings;
use serde_json::{Value, json};

use crate::platform::settings;

/// A server with source types of its operator, which `types` lists as the operator would write them, and further `settings`.
pub(crate) fn with_types(folder: &Path, types: &Value, further: &str) -> ServerSettings {
    let file = folder.join("types.json");
    std::fs::write(&file, types.to_string()).expect("the types can be written");
    let config = folder.join("selvedge.toml");
    let text = format!("[taps]\ntypes = [{}]\n{further}", json!(file));
    std::fs::write(&config, text).expect("the settings can be written");
    settings().environment("SELVEDGE_CONFIG", config.display().to_string())
}

/// The Python that the tests have, for taps that are scripts.
pub(crate) fn python() -> PathBuf {
    let named = std::env::var_os("SELVEDGE_TEST_PYTHON");
    named.map_or_else(|| PathBuf::from("python3"), PathBuf::from)
}

/// The whole path of a program.
pub(crate) fn which(program: &Path) -> String {
    if program.components().count() > 1 {
        return program.display().to_string();
    }
    let folders = std::env::var_os("PATH").expect("there is a PATH");
    let mut found = std::env::split_paths(&folders).map(|folder| folder.join(program));
    let found = found.find(|path| path.is_file());
    found.expect("Python is installed").display().to_string()
}
